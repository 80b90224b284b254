"""P-values against another implementation."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from agent_memory.learning.significance import exact_p_value


@given(st.integers(0, 60), st.integers(1, 60), st.integers(0, 60), st.integers(1, 60))
@settings(max_examples=200, deadline=None)
def test_the_exact_p_value_is_fishers(won, n, other_won, other_n):
    won, other_won = min(won, n), min(other_won, other_n)
    table = [[won, n - won], [other_won, other_n - other_won]]
    direction = "greater" if won * other_n >= other_won * n else "less"
    expected = stats.fisher_exact(table, alternative=direction).pvalue
    assert exact_p_value(won, n, other_won, other_n, sided=1) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert exact_p_value(won, n, other_won, other_n) == pytest.approx(min(1, 2 * expected), rel=1e-9, abs=1e-12)
