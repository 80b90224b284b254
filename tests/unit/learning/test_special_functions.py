"""The special functions of learning, compared with SciPy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from agent_memory.learning.special_functions import (
    expit,
    log_beta,
    log_gamma,
    logit,
    normal_cdf,
    student_t_cdf,
    student_t_quantile,
)

VALUES = st.floats(-60, 60, allow_subnormal=False)
DEGREES = st.floats(0.5, 1e6)
POSITIVE = st.floats(1e-3, 1e6)


@given(st.lists(st.floats(-37, 37), min_size=1, max_size=5))
def test_the_normal_distribution(values):
    assert normal_cdf(np.array(values)) == pytest.approx(special.ndtr(values), rel=1e-12)


@given(VALUES, DEGREES)
def test_students_t(value, degrees):
    expected = special.stdtr(degrees, value)
    assert student_t_cdf(value, degrees) == pytest.approx(expected, rel=1e-7, abs=1e-290)


@given(st.floats(0.51, 0.9999), DEGREES)
def test_quantiles_of_students_t(probability, degrees):
    value = student_t_quantile(probability, degrees)
    assert value == pytest.approx(special.stdtrit(degrees, probability), rel=1e-7)


@given(POSITIVE, POSITIVE)
def test_gamma_and_beta(a, b):
    assert log_gamma(np.array([a, b])) == pytest.approx(special.gammaln([a, b]), rel=1e-12, abs=1e-12)
    assert log_beta(np.array([a]), np.array([b])) == pytest.approx([special.betaln(a, b)], rel=1e-6, abs=1e-6)


@given(st.floats(-700, 700))
def test_log_odds(log_odds):
    assert expit(log_odds) == pytest.approx(special.expit(log_odds), rel=1e-12)
    rate = special.expit(log_odds)
    if 0 < rate < 1:
        assert logit(rate) == pytest.approx(special.logit(rate), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("value", "expected"), [(-np.inf, 0.0), (np.inf, 1.0), (0.0, 0.5)])
def test_the_ends_of_students_t(value, expected):
    assert student_t_cdf(value, 3.0) == expected
