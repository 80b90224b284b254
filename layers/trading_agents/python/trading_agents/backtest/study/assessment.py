"""The assessment of one memory rule on one track record: effect, uncertainty, and whether chance explains it."""

from dataclasses import dataclass

import numpy as np

from trading_agents.backtest.engine.memory_rules import VARIANTS_TRIED, MemoryRule
from trading_agents.backtest.study.inference import (
    Interval,
    change_with_memory,
    deflated_sharpe,
    intervals,
    p_value,
    shuffle_null,
    time_shift_null,
)
from trading_agents.backtest.study.track_record import PerformanceChange, TrackRecord, sharpe_ratio
from trading_agents.core.arrays import FloatArray

SIGNIFICANCE = 0.05
_LOWER_IS_BETTER = frozenset({"drawdown", "shortfall"})


@dataclass(frozen=True, slots=True, eq=False)
class Assessment:
    """The effect of one memory rule on one track record.

    Attributes:
        rule: what was assessed.
        multipliers: of all trades, shape (trades,).
        skipped: fraction of the scored trades that are skipped, 0 to 1.
        skipped_win_rate: fraction of the skipped trades that would have won, or NaN.
        change: performance compared with that without memory.
        intervals: 95% intervals of the change, by measure.
        p_shift: by measure, how often time-shifted multipliers do at least as well (0 to 1).
        p_shuffle: by measure, how often the rule does as well on shuffled outcomes; None if it uses no outcomes.
        deflated_sharpe: of the daily returns that memory adds, 0 to 1.
    """

    rule: MemoryRule
    multipliers: FloatArray
    skipped: float
    skipped_win_rate: float
    change: PerformanceChange
    intervals: dict[str, Interval]
    p_shift: dict[str, float]
    p_shuffle: dict[str, float] | None
    deflated_sharpe: float = float("nan")

    def beats_chance(self, measure: str) -> bool:
        """Return whether the interval excludes no change, for the better, and both nulls are beaten at the 5% level."""
        interval = self.intervals[measure]
        improves = interval.high < 0 if measure in _LOWER_IS_BETTER else interval.low > 0
        tests = [self.p_shift, *([self.p_shuffle] if self.p_shuffle else [])]
        return improves and all(p[measure] <= SIGNIFICANCE for p in tests)


def assess(
    record: TrackRecord, rule: MemoryRule, multipliers: FloatArray | None = None, *, seed: int = 0
) -> Assessment:
    """Assess the multipliers of a rule, or others in their place (for controls), on a track record."""
    if multipliers is None:
        multipliers = rule.multipliers(record.bars, record.trades)
    change = change_with_memory(record, multipliers)
    skipped = record.scored & (multipliers == 0)
    return Assessment(
        rule=rule,
        multipliers=multipliers,
        skipped=float(skipped.sum() / record.scored.sum()),
        skipped_win_rate=float((record.trades.net[skipped] > 0).mean()) if skipped.any() else float("nan"),
        change=change,
        intervals=intervals(record, multipliers, seed),
        p_shift=_p_values(change, time_shift_null(record, multipliers, seed)),
        p_shuffle=_p_values(change, shuffle_null(record, rule, seed)) if rule.depends_on == "outcomes" else None,
    )


def deflated_sharpes(record: TrackRecord, assessments: list[Assessment], trials: int = VARIANTS_TRIED) -> list[float]:
    """Return the deflated Sharpe ratio of the daily returns that each rule adds at equal exposure."""
    added = []
    for assessment in assessments:
        days = record.paired_days(assessment.multipliers)
        added.append(days[:, 1] - days[:, 0])
    ratios = np.array([sharpe_ratio(days) for days in added])
    return [deflated_sharpe(days, ratios[np.isfinite(ratios)], trials) for days in added]


def _p_values(change: PerformanceChange, null: list[PerformanceChange]) -> dict[str, float]:
    return {
        name: p_value(value, [getattr(draw, name) for draw in null], lower_is_better=name in _LOWER_IS_BETTER)
        for name, value in change._asdict().items()
    }
