"""The backtest's report: one Markdown page with its plots, and the same as one HTML file."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from trading_agents.backtest.engine.memory_rules import VARIANTS_TRIED, Memory
from trading_agents.backtest.report.html import html_page
from trading_agents.backtest.report.plots import plot_differences, plot_growth
from trading_agents.backtest.study import claims as claims_of
from trading_agents.backtest.study.assessment import Assessment
from trading_agents.backtest.study.inference import BLOCK_DAYS, BLOCK_TRADES, DRAWS, SHIFTS, SHUFFLES
from trading_agents.backtest.study.run import Study

NAME = "does-memory-help"
HTML_NAME = "report.html"
_SIGNS = {"holds": "**holds**", "does not hold": "no", "chance does as well": "chance", "cannot be told": "?"}


@dataclass(frozen=True, slots=True)
class Chapter:
    """What all files say of one cast.

    Attributes:
        title: who trades.
        slug: begins the names of its plots.
        studies: one a file.
        telling: those that say enough, or all where none does.
    """

    title: str
    slug: str
    studies: tuple[Study, ...]
    telling: tuple[Study, ...]

    @property
    def told(self) -> list[str]:
        """A sentence a claim."""
        return [claims_of.sentence(claim, self.studies) for claim in claims_of.CLAIMS]

    @property
    def memories(self) -> list[Memory]:
        """Every memory of the studies that tell, once."""
        return list({one.memory.name: one.memory for study in self.telling for one in study.assessments}.values())


def write_report(studies: Sequence[Study], folder: Path) -> tuple[list[str], Path]:
    """Write the page, its plots and `report.html` into a folder. Returns sentences to tell, and where the page is."""
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    chapters = [*_chapters(studies)]
    for chapter in chapters:
        plot_differences(chapter.telling, images / f"{chapter.slug}.png")
        for study in chapter.telling:
            plot_growth(study, images / f"{chapter.slug}-{study.name}.png")
    path = folder / f"{NAME}.md"
    text = _page(chapters)
    path.write_text(text, encoding="utf-8")
    (folder / HTML_NAME).write_text(html_page(text, folder), encoding="utf-8")
    return [line for chapter in chapters for line in (f"{chapter.title}:", *chapter.told)], path


def _chapters(studies: Sequence[Study]) -> list[Chapter]:
    """Plain agents first, then those with memory, as far as they traded."""
    casts = (
        ("Seven plain agents", NAME, [study for study in studies if study.cast.votes is None]),
        ("Five agents with memory", f"{NAME}-agents", [study for study in studies if study.cast.votes is not None]),
    )
    return [
        Chapter(title, slug, tuple(own), tuple(filter(claims_of.says_enough, own)) or tuple(own))
        for title, slug, own in casts
        if own
    ]


def _page(chapters: Sequence[Chapter]) -> str:
    environment = Environment(
        loader=PackageLoader("trading_agents.backtest.report", ""),
        autoescape=False,  # noqa: S701  # Markdown of our own numbers and file names
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(number=_number, percent=_percent, p=_p)
    return environment.get_template("report.md.j2").render(
        chapters=chapters,
        claims_of=claims_of,
        attribution=attribution,
        cell=_claim_cell,
        of=_of,
        variants=VARIANTS_TRIED,
        draws=(DRAWS, BLOCK_DAYS, BLOCK_TRADES, SHIFTS, SHUFFLES),
    )


@dataclass(frozen=True, slots=True)
class AgentResult:
    """What one agent's scored trades made without memory: `net` as a log return a trade, `win_rate` 0 to 1."""

    name: str
    trades: int
    win_rate: float
    net: float
    total: float


def attribution(study: Study) -> list[AgentResult]:
    """Results by agent, best first; `total` is the sum of the log returns over the number of agents."""
    trades, scored = study.record.trades, study.record.scored
    rows = []
    for number, name in enumerate(trades.agents):
        net = trades.net[scored & (trades.agent == number)]
        if len(net):
            total = float(net.sum()) / len(trades.agents)
            rows.append(AgentResult(name, len(net), float((net > 0).mean()), float(net.mean()), total))
    return sorted(rows, key=lambda row: -row.total)


def _of(study: Study, memory: str) -> Assessment | None:
    return next((one for one in study.assessments if one.memory.name == memory), None)


def _claim_cell(claim: claims_of.Claim, study: Study, memory: str) -> str:
    one = _of(study, memory)
    if one is None:
        return "–"
    numbers = (getattr(one.changes, claim.measure), *one.intervals[claim.measure])
    value, low, high = (_signed(number * claim.scale, claim.decimals) for number in numbers)
    return f"{value} [{low}, {high}] {_SIGNS[claims_of.verdict(claim, study, one)]}"


def _number(value: float, digits: int = 2, scale: float = 1.0) -> str:
    return "–" if math.isnan(value) else _signed(value * scale, digits)


def _percent(value: float, digits: int = 0) -> str:
    return "–" if math.isnan(value) else f"{100 * value:.{digits}f}%"


def _p(values: dict[str, float] | None, name: str = "sharpe") -> str:
    return "–" if values is None else f"{values[name]:.3f}"


def _signed(value: float, digits: int) -> str:
    """With a sign; zero has a plus."""
    return f"{round(value, digits) + 0.0:+.{digits}f}"
