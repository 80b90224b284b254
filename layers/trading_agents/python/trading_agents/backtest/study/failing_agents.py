"""What a memory is worth in its job: what it costs agents that are sound, and what it saves when agents break."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trading_agents.backtest.engine.memory_rules import Memory
from trading_agents.backtest.study.inference import differences
from trading_agents.backtest.study.synthetic_outcomes import with_win_chances
from trading_agents.backtest.study.track_record import Record

REPEATS = 8
_SOUND, _BROKEN = 0.56, 0.44


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Mean changes over the repeats, and the standard errors of these means.

    Attributes:
        memory: its name.
        sound: change of the Sharpe ratio where every trade wins 56% before costs.
        breaking: the same where that falls to 44% in the middle of the bars.
        breaking_drawdown: relative change of the maximum drawdown then.
    """

    memory: str
    sound: float
    sound_error: float
    breaking: float
    breaking_error: float
    breaking_drawdown: float


def breakdowns(record: Record, memories: Sequence[Memory], repeats: int = REPEATS) -> list[Breakdown]:
    """Every memory on sound and on breaking agents."""
    is_late = record.trades.signal_bar >= len(record.bars) // 2
    chances = (np.full(len(record.trades), _SOUND), np.where(is_late, _BROKEN, _SOUND))
    changes = np.empty((len(memories), repeats, 2, 2))
    unmoved = {
        memory.name: memory.multipliers(record.bars, record.trades)
        for memory in memories
        if memory.rests_on != "outcomes"
    }
    for seed in range(repeats):
        for kind, chance in enumerate(chances):
            case = with_win_chances(record, chance, np.random.default_rng([seed, 2, kind]))
            for number, memory in enumerate(memories):
                multipliers = unmoved.get(memory.name)
                if multipliers is None:
                    multipliers = memory.multipliers(case.bars, case.trades)
                change = differences(case, multipliers)
                changes[number, seed, kind] = change.sharpe, change.drawdown
    means = changes.mean(axis=1)
    errors = changes.std(axis=1, ddof=1) / np.sqrt(repeats)
    return [
        Breakdown(memory.name, mean[0][0], error[0][0], mean[1][0], error[1][0], mean[1][1])
        for memory, mean, error in zip(memories, means.tolist(), errors.tolist(), strict=True)
    ]
