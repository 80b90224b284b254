"""P-values and q-values against other implementations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from agent_memory.learning.significance import (
    exact_p_values,
    false_discovery_q_values,
    family_weights,
    rejection_limits,
    z_test_p_values,
)


@given(st.integers(0, 60), st.integers(1, 60), st.integers(0, 60), st.integers(1, 60))
@settings(max_examples=200, deadline=None)
def test_exact_p_values_are_fishers(won, n, other_won, other_n):
    won, other_won = min(won, n), min(other_won, other_n)
    table = [[won, n - won], [other_won, other_n - other_won]]
    direction = "greater" if won * other_n >= other_won * n else "less"
    expected = stats.fisher_exact(table, alternative=direction).pvalue
    assert exact_p_values(won, n, other_won, other_n, sided=1)[0] == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert exact_p_values(won, n, other_won, other_n)[0] == pytest.approx(min(1, 2 * expected), rel=1e-9, abs=1e-12)


def test_the_approximate_p_value_is_close_to_the_exact_one():
    approximate = z_test_p_values([330, 100], [500, 200], [2000, 2000], [4000, 4000])
    exact = exact_p_values([330, 100], [500, 200], [2000, 2000], [4000, 4000])
    assert approximate[0] == pytest.approx(exact[0], rel=0.5)
    assert exact[0] < 1e-9
    assert approximate[1] == pytest.approx(1.0)


def test_the_approximate_p_value_of_constant_outcomes_is_one():
    assert z_test_p_values([5], [5], [9], [9]).tolist() == [1.0]


def test_one_family_gives_unweighted_benjamini_yekutieli():
    p_values = np.array([0.001, 0.02, 0.5, 0.04])
    # p(i)·m·c(m)/i with c(4) = 25/12, made monotone from the largest down.
    expected = [0.001 * 4 * 25 / 12, 0.02 * 2 * 25 / 12, 1.0, 0.04 * 4 / 3 * 25 / 12]
    assert false_discovery_q_values(p_values, np.ones(4, dtype=int)) == pytest.approx(expected)


def test_families_share_the_budget_equally():
    families = np.array([1, 1, 2, 2, 2, 2, 2, 2])
    weights = family_weights(families)
    assert weights.mean() == pytest.approx(1)
    assert weights[families == 1].sum() == pytest.approx(weights[families == 2].sum())


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 3)), min_size=1, max_size=60), st.floats(0.01, 0.3))
def test_no_p_value_above_its_limit_is_ever_rejected(candidates, rate):
    p_values = np.array([p_value for p_value, _ in candidates])
    families = np.array([family for _, family in candidates])
    rejected = false_discovery_q_values(p_values, families) <= rate
    assert np.all(p_values[rejected] <= rejection_limits(families, rate)[rejected] * (1 + 1e-9))


def test_without_candidates_there_are_no_q_values():
    empty = np.empty(0)
    assert len(false_discovery_q_values(empty, np.empty(0, dtype=int))) == 0
    assert len(rejection_limits(np.empty(0, dtype=int), 0.05)) == 0
