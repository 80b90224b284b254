"""The report as one self-contained HTML file: plots embedded, no scripts, no external resources."""

import re
from base64 import b64encode
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup


def render_html(markdown: str, folder: Path) -> str:
    """Return the page in the style of the agents' performance report.

    Args:
        markdown: the page; one `#` title, then `##` sections; images by paths relative to `folder`.
        folder: with the images.
    """
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    body = body.replace("<table>", '<div class="scroll" role="region" aria-label="Table" tabindex="0"><table>')
    body = body.replace("</table>", "</table></div>")
    body = re.sub(r'src="([^"]+)"', lambda match: f'src="{_data_uri(folder / match.group(1))}"', body)
    opening, *sections = re.split(r"(?=<h2>)", body)
    environment = Environment(
        loader=PackageLoader("trading_agents.backtest.report", ""), autoescape=True, undefined=StrictUndefined
    )
    style, _, _ = PackageLoader("agent_memory.reporting", "").get_source(environment, "style.html.j2")
    return environment.get_template("page.html.j2").render(
        style=Markup(style),  # noqa: S704  # our own
        opening=Markup(opening),  # noqa: S704  # rendered with HTML escaped, as are the sections
        sections=[Markup(section) for section in sections],  # noqa: S704
    )


def _data_uri(path: Path) -> str:
    return "data:image/png;base64," + b64encode(path.read_bytes()).decode()
