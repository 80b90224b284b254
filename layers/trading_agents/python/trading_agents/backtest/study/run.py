"""The whole backtest of one file: trades, memories, nulls and controls."""

from dataclasses import dataclass, replace

import numpy as np

from trading_agents.backtest.engine.portfolios import PLAIN, Cast
from trading_agents.backtest.engine.trades import trade
from trading_agents.backtest.study.assessment import Assessment, assess, deflated
from trading_agents.backtest.study.controls import Controls, run_controls
from trading_agents.backtest.study.failing_agents import Breakdown, breakdowns
from trading_agents.backtest.study.track_record import Measures, Record, measures, record
from trading_agents.bars import BarsError, PriceBars

LEARNING_DAYS = 366
_LEARNING_SHARE = 1 / 3
_FEWEST_BARS = 500


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """What one file of bars says.

    Attributes:
        name: of the file, without endings.
        cast: who traded.
        record: its trades.
        base: measures of the arm without memory.
        assessments: one a memory that the file allows.
        controls: whether the instruments work on this file.
        breakdowns: what each memory does for sound and for breaking agents.
        learning_days: calendar days at the start in which memory learns and nothing is scored.
        costs: what a side costs, in words.
        skips_after_gaps: whether entries at the first open after a gap of more than two hours were left out.
    """

    name: str
    cast: Cast
    record: Record
    base: Measures
    assessments: tuple[Assessment, ...]
    controls: Controls
    breakdowns: tuple[Breakdown, ...]
    learning_days: int
    costs: str
    skips_after_gaps: bool

    @property
    def trades(self) -> int:
        """Scored trades."""
        return int(self.record.scored.sum())

    @property
    def days(self) -> int:
        """Scored days with bars."""
        return int(self.record.bars.days[-1]) + 1 - self.record.first_day


def study(bars: PriceBars, costs_bp: float, cast: Cast = PLAIN) -> Study:
    """Backtest all arms on one file.

    Args:
        bars: of one instrument, at least 500.
        costs_bp: of each side, in basis points; unused where the bars have quotes, which cost half the spread.
        cast: who trades.

    Raises:
        BarsError: there are too few bars, or too few trades to score.
    """
    if len(bars) < _FEWEST_BARS:
        raise BarsError(f"{bars.name} holds {len(bars)} bars; at least {_FEWEST_BARS} are needed")
    learning_days = min(LEARNING_DAYS, int(_span_days(bars) * _LEARNING_SHARE))
    skips = bars.hides_gaps
    try:
        scored = record(bars, trade(bars, costs_bp=costs_bp, skip_after_gaps=skips, agents=cast.agents), learning_days)
    except ValueError as error:
        raise BarsError(str(error)) from error
    has_quotes = bars.spread_close is not None
    rules = [memory for memory in cast.memories if has_quotes or memory.rests_on != "quotes"]
    assessments = [assess(scored, memory) for memory in rules]
    deflations = deflated(scored, assessments)
    return Study(
        name=bars.name.removesuffix(".gz").removesuffix(".csv"),
        cast=cast,
        record=scored,
        base=_base(scored),
        assessments=tuple(replace(one, deflated=ratio) for one, ratio in zip(assessments, deflations, strict=True)),
        controls=run_controls(scored),
        breakdowns=tuple(breakdowns(scored, rules)),
        learning_days=learning_days,
        costs="half the quoted spread" if has_quotes else f"{costs_bp:g} bp",
        skips_after_gaps=skips,
    )


def _span_days(bars: PriceBars) -> float:
    return float((bars.time[-1] - bars.time[0]) / np.timedelta64(1, "D"))


def _base(scored: Record) -> Measures:
    everything = np.ones(len(scored.trades))
    return measures(scored.daily(everything), scored.paired_trades(everything), scored.days_per_year)
