"""What a memory rule costs when agents stay profitable, and what it saves when agents fail."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trading_agents.backtest.engine.memory_rules import MemoryRule
from trading_agents.backtest.study.inference import change_with_memory
from trading_agents.backtest.study.synthetic_outcomes import with_win_probabilities
from trading_agents.backtest.study.track_record import TrackRecord

REPEATS = 8
_PROFITABLE, _UNPROFITABLE = 0.56, 0.44


@dataclass(frozen=True, slots=True)
class FailureResult:
    """Mean changes over the repeats, and the standard errors of these means.

    Attributes:
        rule: name of the memory rule.
        steady: change of the Sharpe ratio if every trade wins 56% before costs.
        failing: change of the Sharpe ratio if that falls to 44% in the middle of the bars.
        failing_drawdown: relative change of the maximum drawdown in the second case.
    """

    rule: str
    steady: float
    steady_error: float
    failing: float
    failing_error: float
    failing_drawdown: float


def simulate_failing_agents(
    record: TrackRecord, rules: Sequence[MemoryRule], repeats: int = REPEATS
) -> list[FailureResult]:
    """Apply every rule to steady and to failing agents."""
    is_second_half = record.trades.signal_bar >= len(record.bars) // 2
    steady = np.full(len(record.trades), _PROFITABLE)
    failing = np.where(is_second_half, _UNPROFITABLE, _PROFITABLE)
    changes = np.empty((len(rules), repeats, 2, 2))
    without_outcomes = {
        rule.name: rule.multipliers(record.bars, record.trades) for rule in rules if rule.depends_on != "outcomes"
    }
    for seed in range(repeats):
        for kind, probabilities in enumerate((steady, failing)):
            case = with_win_probabilities(record, probabilities, np.random.default_rng([seed, 2, kind]))
            for number, rule in enumerate(rules):
                multipliers = without_outcomes.get(rule.name)
                if multipliers is None:
                    multipliers = rule.multipliers(case.bars, case.trades)
                change = change_with_memory(case, multipliers)
                changes[number, seed, kind] = change.sharpe, change.drawdown
    means = changes.mean(axis=1)
    errors = changes.std(axis=1, ddof=1) / np.sqrt(repeats)
    return [
        FailureResult(rule.name, mean[0][0], error[0][0], mean[1][0], error[1][0], mean[1][1])
        for rule, mean, error in zip(rules, means.tolist(), errors.tolist(), strict=True)
    ]
