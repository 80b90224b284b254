"""What becomes of a pattern after it was learned, where the truth is known."""

from dataclasses import dataclass
from math import inf, log

import numpy as np

from agent_memory.learning.change import mean_delay, running_sums, shifted, steps_towards_change
from agent_memory.learning.following import least_log_odds
from agent_memory.learning.patterns import PatternThresholds, identify_patterns
from benchmarks.worlds import PLANTED, planted_world

_BASE = 0.55


@dataclass(frozen=True, slots=True)
class Life:
    """After how many of its decisions a pattern was given up (infinity: never), and how many were declared.

    `declared` is the bound on the mean delay for a pattern that ended; `held_to` the least success rate that it was
    held to.
    """

    alarm_after: float
    declared: float
    held_to: float


def life_after(seed: int, *, rate: float, decisions: int = 3_000) -> Life | None:
    """Learn +15 points on 600 of 6,000 decisions, and go on with decisions that succeed at another rate.

    Returns:
        None where the pattern was not learned in the first place.
    """
    thresholds = PatternThresholds()
    learned = identify_patterns(planted_world(seed)).patterns
    pattern = next((one for one in learned if one.features == (PLANTED,)), None)
    if pattern is None:
        return None
    log_odds = least_log_odds(pattern, thresholds)
    won = np.random.default_rng([seed, 1]).random(decisions) < rate
    sums = running_sums(steps_towards_change(won, np.full(decisions, _BASE), log_odds))
    over = np.flatnonzero(sums >= log(thresholds.false_alarm_decisions))
    return Life(
        alarm_after=float(over[0]) if len(over) else inf,
        declared=mean_delay(_BASE, log_odds, thresholds.false_alarm_decisions),
        held_to=shifted(_BASE, log_odds),
    )
