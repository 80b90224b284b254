"""The complete study of one file: trades, assessments of all memory rules, controls, failing agents."""

from dataclasses import dataclass, replace

import numpy as np

from trading_agents.backtest.engine.portfolios import TEXTBOOK_PORTFOLIO, AgentPortfolio
from trading_agents.backtest.engine.trades import simulate_trades
from trading_agents.backtest.engine.votes import AGENT_NAMES
from trading_agents.backtest.study.assessment import Assessment, assess, deflated_sharpes
from trading_agents.backtest.study.controls import Controls, run_controls
from trading_agents.backtest.study.failing_agents import FailureResult, simulate_failing_agents
from trading_agents.backtest.study.inference import performance_without_memory
from trading_agents.backtest.study.track_record import Performance, TrackRecord, make_track_record
from trading_agents.bars import BarsError, PriceBars, without_endings

LEARNING_DAYS = 366
LEARNING_FRACTION = 1 / 3
_MIN_BARS = 500


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """The results of one file of bars.

    Attributes:
        name: of the file, without endings.
        portfolio: what was traded.
        record: the trades.
        base: performance without memory.
        assessments: one for each memory rule that the file allows.
        controls: whether the method works on this file.
        failing_agents: the effect of each rule on steady and on failing agents.
        learning_days: calendar days at the start during which memory learns and nothing is scored.
        costs: per side, in words.
        skips_after_gaps: whether entries at the first open after a gap of more than two hours were excluded.
        options: the bars on which the Hedge agent had option chains, in words; empty without chains.
    """

    name: str
    portfolio: AgentPortfolio
    record: TrackRecord
    base: Performance
    assessments: tuple[Assessment, ...]
    controls: Controls
    failing_agents: tuple[FailureResult, ...]
    learning_days: int
    costs: str
    skips_after_gaps: bool
    options: str = ""

    @property
    def trades(self) -> int:
        """Number of scored trades."""
        return int(self.record.scored.sum())

    @property
    def days(self) -> int:
        """Number of scored days with bars."""
        return self.record.days - self.record.first_day


def run_study(bars: PriceBars, costs_bp: float, portfolio: AgentPortfolio = TEXTBOOK_PORTFOLIO) -> Study:
    """Backtest a portfolio on one file, without memory and with every memory rule.

    Args:
        bars: of one instrument, at least 500.
        costs_bp: per side, in basis points; unused if the bars have quotes, where a side costs half the spread.
        portfolio: what is traded.

    Raises:
        BarsError: there are too few bars, or too few trades to score.
    """
    if len(bars) < _MIN_BARS:
        raise BarsError(f"{bars.name} has {len(bars)} bars; at least {_MIN_BARS} are needed")
    learning_days = min(LEARNING_DAYS, int(_calendar_days(bars) * LEARNING_FRACTION))
    skips = bars.hides_gaps
    trades = simulate_trades(bars, costs_bp=costs_bp, skip_after_gaps=skips, agents=portfolio.agents)
    try:
        record = make_track_record(bars, trades, learning_days)
    except ValueError as error:
        raise BarsError(str(error)) from error
    has_quotes = bars.spread_close is not None
    missing = {"quotes": not has_quotes, "volume": bars.volume is None}
    rules = [rule for rule in portfolio.memory_rules if not missing.get(rule.depends_on)]
    assessments = [assess(record, rule) for rule in rules]
    ratios = deflated_sharpes(record, assessments)
    return Study(
        name=without_endings(bars.name),
        portfolio=portfolio,
        record=record,
        base=performance_without_memory(record),
        assessments=tuple(replace(one, deflated_sharpe=ratio) for one, ratio in zip(assessments, ratios, strict=True)),
        controls=run_controls(record),
        failing_agents=tuple(simulate_failing_agents(record, rules)),
        learning_days=learning_days,
        costs="half the quoted spread" if has_quotes else f"{costs_bp:g} bp",
        skips_after_gaps=skips,
        options=_options(bars, portfolio),
    )


def _options(bars: PriceBars, portfolio: AgentPortfolio) -> str:
    """Return on how many bars the Hedge agent had option chains, and how often it voted; empty without any."""
    if portfolio.votes is None or not portfolio.has_options:
        return ""
    hedge = AGENT_NAMES.index("hedge")
    joined = portfolio.votes.participates[:, hedge]
    days = np.unique(bars.days[joined])
    votes = int(np.count_nonzero(portfolio.votes.signal[:, hedge]))
    return (
        f"Option chains are joined with {int(joined.sum()):,} bars of {len(days):,} days; the Hedge agent votes for a "
        f"direction on {votes:,} of them"
    )


def _calendar_days(bars: PriceBars) -> float:
    return float((bars.time[-1] - bars.time[0]) / np.timedelta64(1, "D"))
