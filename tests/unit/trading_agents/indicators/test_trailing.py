import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from trading_agents.indicators.trailing import trailing_mean, trailing_median, trailing_rank, trailing_std

SERIES = arrays(np.float64, st.tuples(st.integers(4, 30), st.integers(1, 3)), elements=st.integers(-5, 5).map(float))


@pytest.mark.parametrize(
    ("trailing", "plain"), [(trailing_mean, np.mean), (trailing_std, np.std), (trailing_median, np.median)]
)
@given(values=SERIES)
def test_is_the_statistic_of_the_last_values(trailing, plain, values):
    result = trailing(values, 4)
    assert result.shape == values.shape
    assert np.isnan(result[:3]).all()
    for t in range(3, len(values)):
        np.testing.assert_allclose(result[t], plain(values[t - 3 : t + 1], axis=0), atol=1e-12)


@given(values=SERIES)
def test_rank_counts_the_values_below(values):
    result = trailing_rank(values, 4)
    for t in range(3, len(values)):
        earlier, newest = values[t - 3 : t], values[t]
        expected = ((earlier < newest).sum(axis=0) + (earlier == newest).sum(axis=0) / 2) / 3
        np.testing.assert_allclose(result[t], expected)


def test_rank_of_a_constant_is_the_middle_and_of_extremes_the_ends():
    assert trailing_rank(np.ones((5, 1)), 5)[-1, 0] == 0.5
    assert trailing_rank(np.arange(5.0)[:, None], 5)[-1, 0] == 1.0
    assert trailing_rank(-np.arange(5.0)[:, None], 5)[-1, 0] == 0.0


def test_rank_is_unknown_while_the_window_holds_an_unknown_value():
    values = np.array([[np.nan], [1.0], [2.0], [3.0]])
    assert np.isnan(trailing_rank(values, 3)[:3]).all()
    assert trailing_rank(values, 3)[3, 0] == 1.0
