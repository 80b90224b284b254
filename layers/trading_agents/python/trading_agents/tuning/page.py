"""The page about trading memories: one self-contained HTML file, no scripts, no external resources."""

from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from trading_agents.tuning.contents import AGES, contents, recalled_decisions
from trading_agents.tuning.durations import duration_name
from trading_agents.tuning.half_lives import tune
from trading_agents.tuning.memories import NamedMemory
from trading_agents.tuning.record import record_of_memory

_CURVE_DAYS, _WIDTH, _HEIGHT = 30, 120, 24


def render_page(title: str, memories: Sequence[NamedMemory]) -> str:
    """Return the page: what each memory holds, how it fades, what was recalled, and what other half-lives would do."""
    environment = Environment(
        loader=PackageLoader("trading_agents.tuning", ""), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters.update(duration=duration_name, curve=_curve)
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


def _curve(left_after_a_day: float) -> str:
    """Return the points of the importance that is left over thirty days, for an SVG polyline."""
    steps = 40
    return " ".join(
        f"{_WIDTH * n / steps:.1f},{_HEIGHT - _HEIGHT * left_after_a_day ** (_CURVE_DAYS * n / steps):.1f}"
        for n in range(steps + 1)
    )
