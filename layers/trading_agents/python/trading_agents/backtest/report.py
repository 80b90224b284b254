"""The backtest's report: one Markdown page and its plots."""

import math
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from trading_agents.backtest import claims as claims_of
from trading_agents.backtest.assessment import Assessment
from trading_agents.backtest.inference import BLOCK_DAYS, BLOCK_TRADES, DRAWS, SHIFTS, SHUFFLES
from trading_agents.backtest.memories import MEMORIES, VARIANTS_TRIED
from trading_agents.backtest.plots import plot_differences, plot_growth
from trading_agents.backtest.study import Study

NAME = "does-memory-help"
_SIGNS = {"holds": "**holds**", "does not hold": "no", "chance does as well": "chance", "cannot be told": "?"}


def write_report(studies: Sequence[Study], folder: Path) -> tuple[list[str], Path]:
    """Write the page and its plots into a folder. Returns a sentence a claim, and where the page is."""
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    telling = [study for study in studies if claims_of.says_enough(study)] or list(studies)
    plot_differences(telling, images / f"{NAME}.png")
    for study in telling:
        plot_growth(study, images / f"{NAME}-{study.name}.png")
    told = [claims_of.sentence(claim, studies) for claim in claims_of.CLAIMS]
    path = folder / f"{NAME}.md"
    path.write_text(_page(studies, telling, told), encoding="utf-8")
    return told, path


def _page(studies: Sequence[Study], telling: Sequence[Study], told: Sequence[str]) -> str:
    environment = Environment(
        loader=PackageLoader("trading_agents.backtest", ""),
        autoescape=False,  # noqa: S701  # Markdown of our own numbers and file names
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(number=_number, percent=_percent, p=_p)
    return environment.get_template("report.md.j2").render(
        name=NAME,
        studies=studies,
        telling=telling,
        told=told,
        beyond_chance=claims_of.beyond_chance(studies),
        comparisons=claims_of.comparisons(studies),
        best_when_breaking=claims_of.best_when_agents_break(studies),
        silent=[study.name for study in studies if not claims_of.says_enough(study)],
        claims=claims_of.CLAIMS,
        memories=[memory for memory in MEMORIES if any(_of(study, memory.name) for study in telling)],
        cell=_claim_cell,
        of=_of,
        variants=VARIANTS_TRIED,
        enough=(claims_of.ENOUGH_DAYS, claims_of.ENOUGH_TRADES),
        draws=(DRAWS, BLOCK_DAYS, BLOCK_TRADES, SHIFTS, SHUFFLES),
    )


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
