"""The report as a Markdown page."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from trading_agents.backtest.engine.memory_rules import VARIANTS_TRIED
from trading_agents.backtest.report.chapters import VOTING, Chapter
from trading_agents.backtest.study import claims
from trading_agents.backtest.study.hedge_on_chains import MIN_VOTES, HedgeResult
from trading_agents.backtest.study.inference import BLOCK_DAYS, BLOCK_TRADES, DRAWS, SHIFTS, SHUFFLES
from trading_agents.backtest.study.run import Study

_MARKS: dict[claims.Verdict, str] = {
    "supported": "**yes**",
    "not supported": "no",
    "explained by chance": "chance",
    "inconclusive": "?",
}


@dataclass(frozen=True, slots=True)
class Run:
    """The command that was run, and a line about each file that it read."""

    command: str
    files: Sequence[str]


def render_markdown(chapters: Sequence[Chapter], hedge: Sequence[HedgeResult], run: Run) -> str:
    """Return the page with all chapters and the Hedge agent on option chains; images are in the folder `images`."""
    environment = Environment(
        loader=PackageLoader("trading_agents.backtest.report", ""),
        autoescape=False,  # noqa: S701  # Markdown of our own numbers and file names
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(number=_number, percent=_percent, p=_p_value)
    return environment.get_template("report.md.j2").render(
        chapters=chapters,
        hedge=hedge,
        run=run,
        hedge_sentence=hedge_sentence,
        min_votes=MIN_VOTES,
        voting=VOTING,
        claims=claims,
        attribution=attribution,
        cell=_claim_cell,
        variants=VARIANTS_TRIED,
        draws=(DRAWS, BLOCK_DAYS, BLOCK_TRADES, SHIFTS, SHUFFLES),
    )


def hedge_sentence(result: HedgeResult) -> str:
    """Return in one sentence what the Hedge agent made of the chains of one underlying."""
    if not result.is_conclusive:
        return (
            f"Hedge on {result.name}: nothing can be said, since {result.votes} of {result.chains} chains gave a vote "
            f"that could be judged, of the {MIN_VOTES} needed."
        )
    interval = result.interval
    assert interval is not None  # noqa: S101  # there are enough votes
    differs = interval.low > 0 or interval.high < 0
    verdict = "more than chance explains" if differs else "no more than chance explains"
    change = 10_000 * (result.with_memory - result.without_memory)
    return (
        f"Hedge on {result.name}: memory changed the mean result of {result.votes} votes by {_signed(change, 2)} bp "
        f"[{_signed(10_000 * interval.low, 2)}, {_signed(10_000 * interval.high, 2)}], {verdict}."
    )


@dataclass(frozen=True, slots=True)
class AgentResult:
    """What one agent's scored trades made without memory: `net` as a log return per trade, `win_rate` 0 to 1."""

    name: str
    trades: int
    win_rate: float
    net: float
    total: float


def attribution(study: Study) -> list[AgentResult]:
    """Return the results by agent, best first; `total` is the sum of the log returns over the number of agents."""
    trades, scored = study.record.trades, study.record.scored
    rows = []
    for number, name in enumerate(trades.agents):
        net = trades.net[scored & (trades.agent == number)]
        if len(net):
            total = float(net.sum()) / len(trades.agents)
            rows.append(AgentResult(name, len(net), float((net > 0).mean()), float(net.mean()), total))
    return sorted(rows, key=lambda row: -row.total)


def _claim_cell(claim: claims.Claim, study: Study, rule: str) -> str:
    assessment = next((one for one in study.assessments if one.rule.name == rule), None)
    if assessment is None:
        return "–"
    numbers = (getattr(assessment.change, claim.measure), *assessment.intervals[claim.measure])
    value, low, high = (_signed(number * claim.scale, claim.decimals) for number in numbers)
    return f"{value} [{low}, {high}] {_MARKS[claims.verdict(claim, study, assessment)]}"


def _number(value: float, digits: int = 2, scale: float = 1.0) -> str:
    return "–" if math.isnan(value) else _signed(value * scale, digits)


def _percent(value: float, digits: int = 0) -> str:
    return "–" if math.isnan(value) else f"{100 * value:.{digits}f}%"


def _p_value(values: dict[str, float] | None, measure: str = "sharpe") -> str:
    return "–" if values is None else f"{values[measure]:.3f}"


def _signed(value: float, digits: int) -> str:
    """Format with a sign; zero gets a plus."""
    return f"{round(value, digits) + 0.0:+.{digits}f}"
