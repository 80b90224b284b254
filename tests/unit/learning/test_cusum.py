"""The CUSUM on a pattern's outcomes: its formula, and the bounds that it guarantees."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.learning.cusum import (
    BASE_RATE_DAYS,
    cumulative_sums,
    local_base_rates,
    log_likelihood_ratios,
    log_odds_ratio,
    max_mean_delay,
    rate_at,
)

DAY_MS = 86_400_000
BASE, CLAIMED = 0.55, 0.65
THETA = log_odds_ratio(CLAIMED, BASE)


def first_alarms(rate: float, *, decisions: int = 6_000, runs: int = 200, a: float = 2_000.0) -> np.ndarray:
    """The number of decisions before each run's alarm; infinity without one."""
    generator = np.random.default_rng(3)
    alarms = []
    for _ in range(runs):
        won = generator.random(decisions) < rate
        sums = cumulative_sums(log_likelihood_ratios(won, np.full(decisions, BASE), THETA))
        above = np.flatnonzero(sums >= math.log(a))
        alarms.append(above[0] if len(above) else math.inf)
    return np.array(alarms)


def test_log_odds_and_rates_are_inverse():
    assert rate_at(BASE, THETA) == pytest.approx(CLAIMED)
    assert math.exp(log_odds_ratio(0.5, 0.2)) == pytest.approx(4.0)


def test_a_step_is_the_log_likelihood_ratio():
    won, lost = log_likelihood_ratios(np.array([True, False]), np.array([BASE, BASE]), THETA)
    assert won == pytest.approx(math.log(BASE / CLAIMED))
    assert lost == pytest.approx(math.log((1 - BASE) / (1 - CLAIMED)))
    # While the pattern holds, the expectation of e^step is one, which the bound on false alarms rests on.
    assert CLAIMED * math.exp(won) + (1 - CLAIMED) * math.exp(lost) == pytest.approx(1.0)


@given(st.lists(st.floats(-1, 1), max_size=50), st.floats(0, 5), st.integers(0, 50))
def test_the_sum_is_pages_and_can_be_stopped_and_continued(steps, start, stop):
    expected = [start]
    for step in steps:
        expected.append(max(0.0, expected[-1] + step))
    sums = cumulative_sums(np.array(steps), start)
    assert sums == pytest.approx(np.array(expected), abs=1e-9)
    halfway = min(stop, len(steps))
    continued = cumulative_sums(np.array(steps[halfway:]), float(sums[halfway]))
    assert continued == pytest.approx(sums[halfway:], abs=1e-9)


def test_false_alarms_are_rarer_than_guaranteed():
    # At exactly the claimed odds ratio, where alarms are most frequent: the bound of one in 2,000 decisions would be
    # 600 in these 200 runs of 6,000.
    assert np.count_nonzero(np.isfinite(first_alarms(CLAIMED))) <= 20
    assert not np.any(np.isfinite(first_alarms(CLAIMED + 0.05)))


def test_an_end_is_detected_within_the_guaranteed_mean_delay():
    bound = max_mean_delay(BASE, THETA, 2_000.0)
    assert bound == pytest.approx(370, abs=1)
    delays = first_alarms(BASE)
    assert delays.mean() <= bound
    assert np.quantile(delays, 0.9) <= 2 * bound


def test_a_reversal_is_detected_sooner():
    delays = first_alarms(2 * BASE - 0.7)
    assert delays.max() <= max_mean_delay(BASE, THETA, 2_000.0)
    assert delays.mean() <= 100


def test_base_rates_are_those_of_the_rest_shortly_before():
    # The rest: one decision per day, successful in the first half only. A matching one at the end of each half.
    days = np.arange(60)
    times = np.sort(np.concatenate([days, [29, 59]])) * DAY_MS
    matching = np.zeros(62, dtype=bool)
    matching[[30, 61]] = True
    success = times < 30 * DAY_MS
    rates = local_base_rates(times, success, matching, prior_decisions=2.0)
    overall = 30 / 60
    assert rates == pytest.approx(
        [(BASE_RATE_DAYS + 2 * overall) / (BASE_RATE_DAYS + 2), 2 * overall / (BASE_RATE_DAYS + 2)]
    )


def test_base_rates_without_a_rest_are_one_half():
    rates = local_base_rates(np.array([0, 1]), np.array([True, True]), np.array([True, True]), prior_decisions=10)
    assert rates.tolist() == [0.5, 0.5]
