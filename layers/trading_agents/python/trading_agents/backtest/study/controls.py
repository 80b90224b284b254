"""Controls of the method: synthetic regimes must be detected, and nothing may be detected where there is nothing.

All controls use the real prices and trades of the file.
"""

from dataclasses import dataclass

import numpy as np

from trading_agents.backtest.engine.market_states import market_states
from trading_agents.backtest.engine.memory_rules import REGIME_POSTERIOR
from trading_agents.backtest.study.assessment import assess
from trading_agents.backtest.study.inference import multipliers_from_shuffled_outcomes, shift_multipliers
from trading_agents.backtest.study.synthetic_outcomes import with_win_probabilities
from trading_agents.backtest.study.track_record import TrackRecord

REPEATS = 5
_GOOD_STATE_WIN_PROBABILITY, _BAD_STATE_WIN_PROBABILITY = 0.6, 0.4
_TOLERATED = 1


@dataclass(frozen=True, slots=True)
class Controls:
    """In how many of `repeats` runs a gain in Sharpe ratio beat chance.

    Attributes:
        repeats: number of runs of each control.
        detected: with synthetic regimes of 40% and 60% wins, and a rule that can learn them.
        false_with_shifts: with the same rule's multipliers shifted in time.
        false_with_shuffles: with the same rule fed shuffled outcomes.
    """

    repeats: int
    detected: int
    false_with_shifts: int
    false_with_shuffles: int

    @property
    def passed(self) -> bool:
        """Whether the synthetic regimes are detected and nothing else is; each control may fail once."""
        has_power = self.detected >= self.repeats - _TOLERATED
        has_false_detections = max(self.false_with_shifts, self.false_with_shuffles) > _TOLERATED
        return has_power and not has_false_detections


def run_controls(record: TrackRecord, repeats: int = REPEATS) -> Controls:
    """Look for synthetic regimes with the regime posterior: unchanged, shifted in time, and fed shuffled outcomes."""
    rule = REGIME_POSTERIOR
    detections = np.zeros(3, dtype=int)
    for seed in range(repeats):
        random = np.random.default_rng([seed, 1])
        case = with_synthetic_regimes(record, random)
        unchanged = rule.multipliers(case.bars, case.trades)
        shifted = shift_multipliers(case, unchanged, random)
        arms = (unchanged, shifted, multipliers_from_shuffled_outcomes(case, rule, random))
        detections += [assess(case, rule, arm, seed=seed).beats_chance("sharpe") for arm in arms]
    return Controls(repeats, *detections.tolist())


def with_synthetic_regimes(record: TrackRecord, random: np.random.Generator) -> TrackRecord:
    """Return the track record as if every trade won 60% in markets above their mean and 40% below, before costs."""
    is_good = market_states(record.bars)[record.trades.signal_bar] % 2 == 1
    probabilities = np.where(is_good, _GOOD_STATE_WIN_PROBABILITY, _BAD_STATE_WIN_PROBABILITY)
    return with_win_probabilities(record, probabilities, random)
