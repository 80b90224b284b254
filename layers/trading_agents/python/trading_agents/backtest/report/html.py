"""The report as one self-contained HTML file: plots drawn in it, no scripts, no external resources."""

import re
from collections.abc import Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup


def render_html(markdown: str, drawings: Mapping[str, str]) -> str:
    """Return the page in the style of the agents' performance report.

    Args:
        markdown: the page; one `#` title, then `##` sections.
        drawings: what is shown in the place of each image, as HTML, by the image's path.
    """
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    body = body.replace("<table>", '<div class="scroll" role="region" aria-label="Table" tabindex="0"><table>')
    body = body.replace("</table>", "</table></div>")
    body = re.sub(r'<p><img src="([^"]+)"[^>]*></p>', lambda match: drawings[match.group(1)], body)
    body = re.sub("<h2>(.*?)</h2>", lambda match: f'<h2 id="{_anchor(match.group(1))}">{match.group(1)}</h2>', body)
    opening, *sections = re.split(r"(?=<h2 )", body)
    environment = Environment(
        loader=PackageLoader("trading_agents.backtest.report", ""), autoescape=True, undefined=StrictUndefined
    )
    style, _, _ = PackageLoader("agent_memory.reporting", "").get_source(environment, "style.html.j2")
    return environment.get_template("page.html.j2").render(
        style=Markup(style),  # noqa: S704  # our own
        opening=Markup(opening),  # noqa: S704  # rendered with HTML escaped, as are the sections
        sections=[Markup(section) for section in sections],  # noqa: S704
    )


def _anchor(title: str) -> str:
    """Return the anchor of a heading as Markdown viewers make it: `#the-run` for `The run`."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
