"""The watch on a pattern's outcomes: its formula, and the bounds that it declares."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.learning.change import (
    BASE_RATE_DAYS,
    local_base_rates,
    log_odds_ratio,
    mean_delay,
    running_sums,
    shifted,
    steps_towards_change,
)

DAY_MS = 86_400_000
BASE, HELD = 0.55, 0.65
THETA = log_odds_ratio(HELD, BASE)


def first_alarms(rate: float, *, decisions: int = 6_000, runs: int = 200, a: float = 2_000.0) -> np.ndarray:
    """After how many decisions each run alarms; infinity where it never does."""
    generator = np.random.default_rng(3)
    alarms = []
    for _ in range(runs):
        won = generator.random(decisions) < rate
        sums = running_sums(steps_towards_change(won, np.full(decisions, BASE), THETA))
        over = np.flatnonzero(sums >= math.log(a))
        alarms.append(over[0] if len(over) else math.inf)
    return np.array(alarms)


def test_odds_and_rates_are_each_other_s_inverse():
    assert shifted(BASE, THETA) == pytest.approx(HELD)
    assert math.exp(log_odds_ratio(0.5, 0.2)) == pytest.approx(4.0)


def test_a_step_is_the_log_likelihood_ratio():
    won, lost = steps_towards_change(np.array([True, False]), np.array([BASE, BASE]), THETA)
    assert won == pytest.approx(math.log(BASE / HELD))
    assert lost == pytest.approx(math.log((1 - BASE) / (1 - HELD)))
    # While the pattern holds, e to the step has an expectation of one: what the bound on false alarms rests on.
    assert HELD * math.exp(won) + (1 - HELD) * math.exp(lost) == pytest.approx(1.0)


@given(st.lists(st.floats(-1, 1), max_size=50), st.floats(0, 5), st.integers(0, 50))
def test_the_sum_is_page_s_and_may_be_stopped_and_taken_up_again(steps, start, stop):
    expected = [start]
    for step in steps:
        expected.append(max(0.0, expected[-1] + step))
    sums = running_sums(np.array(steps), start)
    assert sums == pytest.approx(np.array(expected), abs=1e-9)
    halfway = min(stop, len(steps))
    assert running_sums(np.array(steps[halfway:]), float(sums[halfway])) == pytest.approx(sums[halfway:], abs=1e-9)


def test_false_alarms_are_rarer_than_declared():
    # At the very odds ratio that it is held to, where alarms are most frequent: one in 2,000 decisions at most would be
    # 600 in these 200 runs of 6,000.
    assert np.count_nonzero(np.isfinite(first_alarms(HELD))) <= 20
    assert not np.any(np.isfinite(first_alarms(HELD + 0.05)))


def test_what_is_gone_is_found_within_the_declared_delay():
    declared = mean_delay(BASE, THETA, 2_000.0)
    assert declared == pytest.approx(370, abs=1)
    delays = first_alarms(BASE)
    assert delays.mean() <= declared
    assert np.quantile(delays, 0.9) <= 2 * declared


def test_what_turns_around_is_found_sooner():
    delays = first_alarms(2 * BASE - 0.7)
    assert delays.max() <= mean_delay(BASE, THETA, 2_000.0)
    assert delays.mean() <= 100


def test_base_rates_are_those_of_the_rest_shortly_before():
    # One decision of the rest a day, won in the first half only, and a matching one beside the last of each half.
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


def test_base_rates_without_any_rest_are_even():
    rates = local_base_rates(np.array([0, 1]), np.array([True, True]), np.array([True, True]), prior_decisions=10)
    assert rates.tolist() == [0.5, 0.5]
