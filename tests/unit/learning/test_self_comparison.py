"""An agent's last week against its own past."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.learning.self_comparison import MIN_DAYS, changed_average, changed_count, changed_share
from benchmarks.self_comparison import STATIONARY, delay, episodes


@pytest.mark.parametrize("rate", [3, 144, 100_000])
def test_an_agent_that_stops_halves_or_doubles_is_far_from_its_past(rate):
    usual = [float(rate)] * 60
    assert changed_count(usual) is None
    for factor in (0, 0.5, 2):
        change = changed_count([*usual, *[rate * factor] * 7])
        if rate > 3 or not factor:  # three a day may be one or six by chance
            assert (change.usual, change.recent) == (rate, rate * factor)


def test_weekends_and_small_or_short_changes_are_not_reported():
    week = [144.0] * 5 + [0.0] * 2
    for start in range(7):
        assert changed_count((week * 12)[start:]) is None
    assert changed_count([144.0] * 60 + [130.0] * 7) is None
    assert changed_count([144.0] * 66 + [120.0]) is None


@given(st.lists(st.integers(0, 500), max_size=MIN_DAYS - 1))
def test_with_too_few_days_nothing_is_reported(counts):
    assert changed_count([float(one) for one in counts]) is None
    assert changed_share([(one, 500) for one in counts]) is None
    assert changed_average([(one / 2, one) for one in counts]) is None


@given(st.lists(st.integers(0, 500), max_size=90), st.integers(0, 30))
def test_days_without_anything_are_no_error(counts, empty):
    changed_share([(one // 2, one) for one in counts] + [(0, 0)] * empty)
    changed_average([(one / 2, one) for one in counts] + [(0.0, 0)] * empty)
    changed_count([float(one) for one in counts] + [0.0] * empty)


@pytest.mark.parametrize("after", [0.05, 0.95])
def test_success_and_confidence_that_jump_are_reported(after):
    chance = random.Random(3)
    days = [0.55] * 60 + [after] * 7
    shares = [(sum(chance.random() < rate for _ in range(40)), 40) for rate in days]
    change = changed_share(shares)
    assert change.recent == pytest.approx(after, abs=0.05)
    assert change.usual == pytest.approx(0.55, abs=0.05)
    assert changed_share(shares[:60]) is None
    confidences = [(40 * rate + chance.uniform(-1, 1), 40) for rate in days]
    assert changed_average(confidences).recent == pytest.approx(after, abs=0.05)
    assert changed_average(confidences[:60]) is None


def test_a_share_of_nearly_everything_may_vary_by_chance():
    chance = random.Random(5)
    assert changed_share([(sum(chance.random() < 0.98 for _ in range(6)), 6) for _ in range(80)]) is None


@pytest.mark.slow
def test_false_alarms_are_rare_and_changes_are_found_within_days():
    """The decision record has the full tables."""
    numbers = np.random.default_rng(1)
    for agent in STATIONARY:
        found = [episodes(agent.counts(numbers, np.ones(365)), changed_count) for _ in range(10)]
        assert sum(began for began, _ in found) <= 4, agent.name  # in nine years
    factors = np.where(np.arange(365) < 200, 1.0, 0.0)
    for agent in STATIONARY[:3]:
        assert delay(agent.counts(numbers, factors), changed_count) <= 7
