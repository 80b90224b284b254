"""Intervals against published examples and against SciPy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from agent_memory.learning.intervals import Z_95, newcombe_interval, wilson_interval


def test_wilson_interval_of_newcombes_example():
    # Newcombe, Statistics in Medicine 17 (1998) 857-872, table I: 81 of 263.
    assert wilson_interval(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_wilson_interval_without_decisions_is_everything():
    assert wilson_interval(0.0, 0) == (0.0, 1.0)


def test_newcombe_interval_of_newcombes_example():
    # Statistics in Medicine 17 (1998) 873-890, table II, method 10: 56/70 against 48/80.
    assert newcombe_interval(56 / 70, 70, 48 / 80, 80) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@given(st.integers(0, 80), st.integers(1, 80))
def test_wilson_interval_is_scipys(successes, n):
    successes = min(successes, n)
    expected = stats.binomtest(successes, n).proportion_ci(method="wilson")
    assert wilson_interval(successes / n, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_the_quantile_is_that_of_95_percent():
    assert pytest.approx(stats.norm.ppf(0.975), rel=1e-15) == Z_95
