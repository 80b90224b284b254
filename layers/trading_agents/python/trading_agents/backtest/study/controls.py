"""Controls of the instruments: what is planted must be found, and where nothing is, nothing must be.

All use the real prices and trades of the file at hand.
"""

from dataclasses import dataclass

import numpy as np

from trading_agents.backtest.engine.market_states import market_states
from trading_agents.backtest.engine.memory_rules import REGIME_POSTERIOR
from trading_agents.backtest.study.assessment import assess
from trading_agents.backtest.study.inference import fed_with_shuffled, shifted
from trading_agents.backtest.study.synthetic_outcomes import with_win_chances
from trading_agents.backtest.study.track_record import Record

REPEATS = 5
_CHANCE_IN_GOOD_STATE, _CHANCE_IN_BAD_STATE = 0.6, 0.4
_TOLERATED = 1


@dataclass(frozen=True, slots=True)
class Controls:
    """In how many of `repeats` a Sharpe gain beat chance.

    Attributes:
        repeats: how often each control ran.
        planted: regimes of 40% and 60% planted, and a memory that can see them.
        shifted: the same memory's multipliers at other times.
        shuffled: the same memory, fed with shuffled outcomes.
    """

    repeats: int
    planted: int
    shifted: int
    shuffled: int

    @property
    def passed(self) -> bool:
        """Whether the instruments find what is there and nothing else; each may err once."""
        finds = self.planted >= self.repeats - _TOLERATED
        invents = max(self.shifted, self.shuffled) > _TOLERATED
        return finds and not invents


def run_controls(record: Record, repeats: int = REPEATS) -> Controls:
    """Plant regimes, and look for them with the regime posterior: as it is, at other times, and fed with noise."""
    memory = REGIME_POSTERIOR
    found = np.zeros(3, dtype=int)
    for seed in range(repeats):
        random = np.random.default_rng([seed, 1])
        case = with_planted_regimes(record, random)
        true = memory.multipliers(case.bars, case.trades)
        arms = (true, shifted(case, true, random), fed_with_shuffled(case, memory, random))
        found += [assess(case, memory, arm, seed=seed).beats_chance("sharpe") for arm in arms]
    return Controls(repeats, *found.tolist())


def with_planted_regimes(record: Record, random: np.random.Generator) -> Record:
    """The record as if every trade won 60% in markets above their mean, and 40% below it, before costs."""
    is_good = market_states(record.bars)[record.trades.signal_bar] % 2 == 1
    return with_win_chances(record, np.where(is_good, _CHANCE_IN_GOOD_STATE, _CHANCE_IN_BAD_STATE), random)
