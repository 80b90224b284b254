"""One memory on one record: what it changes, how sure that is, and whether chance would have done as well."""

from dataclasses import dataclass

import numpy as np

from trading_agents.backtest.engine.memory_rules import VARIANTS_TRIED, Memory
from trading_agents.backtest.study.inference import (
    Interval,
    deflated_sharpe,
    differences,
    intervals,
    p_value,
    shuffled,
    time_shifted,
)
from trading_agents.backtest.study.track_record import Differences, Record, sharpe
from trading_agents.core.arrays import FloatArray

SIGNIFICANT = 0.05
_LOWER_IS_BETTER = frozenset({"drawdown", "shortfall"})


@dataclass(frozen=True, slots=True, eq=False)
class Assessment:
    """What one memory does to one record.

    Attributes:
        memory: the rule.
        multipliers: of all trades, shape (trades,).
        skipped: share of the scored trades that it skips, 0 to 1.
        skipped_win_rate: share of those that would have won, or NaN.
        changes: differences to the arm without memory.
        intervals: their 95% intervals by name.
        p_shift: by name, how often the same multipliers at other times do as well (0 to 1).
        p_shuffle: by name, how often the memory does as well on shuffled outcomes; None if it reads no outcomes.
        deflated: deflated Sharpe ratio of the returns that memory adds day by day, 0 to 1.
    """

    memory: Memory
    multipliers: FloatArray
    skipped: float
    skipped_win_rate: float
    changes: Differences
    intervals: dict[str, Interval]
    p_shift: dict[str, float]
    p_shuffle: dict[str, float] | None
    deflated: float = float("nan")

    def beats_chance(self, name: str) -> bool:
        """Whether the interval lies on the better side of no change, and both nulls do worse in 95 of 100 draws."""
        interval = self.intervals[name]
        improves = interval.high < 0 if name in _LOWER_IS_BETTER else interval.low > 0
        tests = [self.p_shift, *([self.p_shuffle] if self.p_shuffle else [])]
        return improves and all(p[name] <= SIGNIFICANT for p in tests)


def assess(record: Record, memory: Memory, multipliers: FloatArray | None = None, *, seed: int = 0) -> Assessment:
    """Assess a memory's multipliers, or others in their place (for controls), on a record."""
    if multipliers is None:
        multipliers = memory.multipliers(record.bars, record.trades)
    changes = differences(record, multipliers)
    skipped = record.scored & (multipliers == 0)
    return Assessment(
        memory=memory,
        multipliers=multipliers,
        skipped=float(skipped.sum() / record.scored.sum()),
        skipped_win_rate=float((record.trades.net[skipped] > 0).mean()) if skipped.any() else float("nan"),
        changes=changes,
        intervals=intervals(record, multipliers, seed),
        p_shift=_p_values(changes, time_shifted(record, multipliers, seed)),
        p_shuffle=_p_values(changes, shuffled(record, memory, seed)) if memory.rests_on == "outcomes" else None,
    )


def deflated(record: Record, assessments: list[Assessment], trials: int = VARIANTS_TRIED) -> list[float]:
    """Deflated Sharpe ratio of what each memory adds a day at equal exposure, counting every variant ever tried."""
    added = []
    for assessment in assessments:
        days = record.paired_days(assessment.multipliers)
        added.append(days[:, 1] - days[:, 0])
    ratios = np.array([sharpe(days) for days in added])
    return [deflated_sharpe(days, ratios[np.isfinite(ratios)], trials) for days in added]


def _p_values(changes: Differences, null: list[Differences]) -> dict[str, float]:
    return {
        name: p_value(value, [getattr(draw, name) for draw in null], lower_is_better=name in _LOWER_IS_BETTER)
        for name, value in changes._asdict().items()
    }
