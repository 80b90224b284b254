"""The page about trading memories: one self-contained HTML file, no scripts, no external resources."""

from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from agent_memory.reporting.formatting import fading
from trading_agents.tuning.contents import AGES, contents, recalled_decisions
from trading_agents.tuning.durations import duration_name
from trading_agents.tuning.half_lives import tune
from trading_agents.tuning.memories import NamedMemory
from trading_agents.tuning.record import record_of_memory


def render_page(title: str, memories: Sequence[NamedMemory]) -> str:
    """Return the page: what each memory holds, how it fades, what was recalled, and what other half-lives would do."""
    environment = Environment(
        loader=PackageLoader("trading_agents.tuning", ""), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters.update(duration=duration_name, fading=fading)
    style, _, _ = PackageLoader("agent_memory.reporting", "").get_source(environment, "style.html.j2")
    tunings = [tune(record_of_memory(memory)) for memory in memories]
    return environment.get_template("page.html.j2").render(
        style=Markup(style),  # noqa: S704  # our own
        title=title,
        ages=AGES,
        sections=[
            (memory.name, len(memory.store), contents(memory.store), recalled_decisions(memory.store), tuning)
            for memory, tuning in zip(memories, tunings, strict=True)
        ],
    )
