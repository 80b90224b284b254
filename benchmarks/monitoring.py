"""Simulates the monitoring of a pattern after it was found, with a known success rate of its later decisions."""

from dataclasses import dataclass
from math import inf, log

import numpy as np

from agent_memory.learning.cusum import cumulative_sums, log_likelihood_ratios, max_mean_delay, rate_at
from agent_memory.learning.identification import identify_patterns
from agent_memory.learning.monitoring import claimed_log_odds
from agent_memory.learning.patterns import PatternThresholds
from benchmarks.synthetic_records import PLANTED, planted_record

_BASE_RATE = 0.55


@dataclass(frozen=True, slots=True)
class MonitoredPattern:
    """The result of one simulation.

    Attributes:
        decisions_to_alarm: matching decisions before the alarm; infinity without one.
        delay_bound: bound on the mean number of decisions between the end of the pattern and its alarm.
        claimed_rate: the success rate that the monitor holds the pattern to.
    """

    decisions_to_alarm: float
    delay_bound: float
    claimed_rate: float


def simulate_monitoring(seed: int, *, rate: float, decisions: int = 3_000) -> MonitoredPattern | None:
    """Find a pattern of +15 points on 600 of 6,000 decisions, then continue with decisions that succeed at `rate`.

    Returns:
        None if the pattern is not found.
    """
    thresholds = PatternThresholds()
    found = identify_patterns(planted_record(seed)).patterns
    pattern = next((one for one in found if one.features == (PLANTED,)), None)
    if pattern is None:
        return None
    log_odds = claimed_log_odds(pattern, thresholds)
    success = np.random.default_rng([seed, 1]).random(decisions) < rate
    sums = cumulative_sums(log_likelihood_ratios(success, np.full(decisions, _BASE_RATE), log_odds))
    above = np.flatnonzero(sums >= log(thresholds.false_alarm_decisions))
    return MonitoredPattern(
        decisions_to_alarm=float(above[0]) if len(above) else inf,
        delay_bound=max_mean_delay(_BASE_RATE, log_odds, thresholds.false_alarm_decisions),
        claimed_rate=rate_at(_BASE_RATE, log_odds),
    )
