"""Correlation within blocks of time, and the effective sample sizes that follow from it."""

import numpy as np
import pytest

from agent_memory.learning.design_effect import (
    CorrelatedClusters,
    design_effect,
    effective_sample_sizes,
    intraclass_correlation,
)


def correlation_of(labels, values):
    sums, sizes = np.bincount(labels, weights=values), np.bincount(labels).astype(float)
    return intraclass_correlation(sums, float(values @ values), sizes)


def test_shared_outcomes_are_fully_correlated():
    labels = np.repeat(np.arange(40), 3)
    shared = np.repeat(np.arange(40) % 2 == 0, 3)
    assert correlation_of(labels, shared.astype(float)) == pytest.approx(1.0)


def test_correlation_of_an_example():
    # Two blocks, {1, 1, 0} and {0, 0, 1}: MSB = 1/6, MSW = 1/3, so ρ < 0 and counts as 0.
    # Two blocks, {1, 1, 1} and {0, 0, 1}: MSB = 2/3, MSW = 1/6, m0 = 3, ρ = (1/2)/(2/3 + 2/6) = 1/2.
    labels = np.array([0, 0, 0, 1, 1, 1])
    assert correlation_of(labels, np.array([1.0, 1, 0, 0, 0, 1])) == 0.0
    assert correlation_of(labels, np.array([1.0, 1, 1, 0, 0, 1])) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("labels", "success"), [([0, 0], [True, False]), ([0, 1, 2], [True, False, True]), ([0, 0, 1], [True] * 3)]
)
def test_a_correlation_that_cannot_be_estimated_is_zero(labels, success):
    assert correlation_of(np.array(labels), np.array(success, dtype=float)) == 0.0


def test_design_effect_of_equal_and_unequal_blocks():
    assert design_effect(np.array([3, 3, 3]), 1.0) == pytest.approx(3.0)
    assert design_effect(np.array([1, 1, 1]), 1.0) == 1.0
    assert design_effect(np.array([1, 3]), 0.5) == pytest.approx(1 + (10 / 4 - 1) * 0.5)
    assert design_effect(np.array([0]), 0.5) == 1.0


def test_the_effective_size_predicts_the_variance_of_a_rate():
    # 300 blocks of 4 decisions with a correlation of one half.
    generator = np.random.default_rng(3)
    rates, correlations = [], []
    labels = np.repeat(np.arange(300), 4)
    for _ in range(400):
        shared = np.repeat(generator.random(300) < 0.5, 4)
        own = generator.random(1200) < 0.5
        won = np.where(generator.random(1200) < np.sqrt(0.5), shared, own)
        rates.append(won.mean())
        correlations.append(correlation_of(labels, won.astype(float)))
    effective = 1200 / design_effect(np.full(300, 4), float(np.mean(correlations)))
    assert np.mean(correlations) == pytest.approx(0.5, abs=0.02)
    assert np.var(rates) == pytest.approx(0.25 / effective, rel=0.2)


def test_the_window_with_the_largest_design_effect_counts():
    minutes, days = (
        CorrelatedClusters(np.repeat(np.arange(4), 2), 0.5),
        CorrelatedClusters(np.repeat(np.arange(2), 4), 0.5),
    )
    matching = np.array([True] * 4 + [False] * 4)
    assert effective_sample_sizes(matching, [minutes]) == pytest.approx((4 / 1.5, 4 / 1.5))
    assert effective_sample_sizes(matching, [minutes, days]) == pytest.approx((4 / 2.5, 4 / 2.5))
