"""The formulas against published examples, other implementations and simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from agent_memory.learning.clustering import Blocks, blocks_of, design_effect, effective_sizes, intra_class_correlation
from agent_memory.learning.comparison import Comparison, Sample, compare
from agent_memory.learning.intervals import newcombe_interval, wilson_interval
from agent_memory.learning.statistics import (
    difference_p_values,
    exact_p_values,
    false_discovery_q_values,
    family_weights,
    rejection_limits,
)


def test_wilson_interval_of_newcombes_example():
    # Newcombe, Statistics in Medicine 17 (1998) 857-872, table I: 81 of 263.
    assert wilson_interval(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_wilson_interval_without_decisions_knows_nothing():
    assert wilson_interval(0.0, 0) == (0.0, 1.0)


def test_newcombe_interval_of_his_example():
    # Statistics in Medicine 17 (1998) 873-890, table II, method 10: 56/70 against 48/80.
    assert newcombe_interval(56 / 70, 70, 48 / 80, 80) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@given(st.integers(0, 60), st.integers(1, 60), st.integers(0, 60), st.integers(1, 60))
@settings(max_examples=200, deadline=None)
def test_exact_p_values_are_fishers(won, n, other_won, other_n):
    won, other_won = min(won, n), min(other_won, other_n)
    table = [[won, n - won], [other_won, other_n - other_won]]
    direction = "greater" if won * other_n >= other_won * n else "less"
    expected = stats.fisher_exact(table, alternative=direction).pvalue
    assert exact_p_values(won, n, other_won, other_n, sided=1)[0] == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert exact_p_values(won, n, other_won, other_n)[0] == pytest.approx(min(1, 2 * expected), rel=1e-9, abs=1e-12)


def test_the_quick_p_value_is_close_to_the_exact_one():
    quick = difference_p_values([330, 100], [500, 200], [2000, 2000], [4000, 4000])
    exact = exact_p_values([330, 100], [500, 200], [2000, 2000], [4000, 4000])
    assert quick[0] == pytest.approx(exact[0], rel=0.5)
    assert exact[0] < 1e-9
    assert quick[1] == pytest.approx(1.0)


def test_the_quick_p_value_of_certain_outcomes_is_one():
    assert difference_p_values([5], [5], [9], [9]).tolist() == [1.0]


def test_one_family_gives_plain_benjamini_yekutieli():
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
def test_nothing_above_its_limit_is_ever_rejected(candidates, rate):
    p_values = np.array([p_value for p_value, _ in candidates])
    families = np.array([family for _, family in candidates])
    rejected = false_discovery_q_values(p_values, families) <= rate
    assert np.all(p_values[rejected] <= rejection_limits(families, rate)[rejected] * (1 + 1e-9))


def test_no_candidates_no_q_values():
    empty = np.empty(0)
    assert len(false_discovery_q_values(empty, np.empty(0, dtype=int))) == 0
    assert len(rejection_limits(np.empty(0, dtype=int), 0.05)) == 0


def test_outcomes_that_moments_share_correlate_fully():
    moments = np.repeat(np.arange(40), 3)
    shared = np.repeat(np.arange(40) % 2 == 0, 3)
    assert intra_class_correlation(moments, shared) == pytest.approx(1.0)


def test_correlation_of_a_worked_example():
    # Two moments, {1, 1, 0} and {0, 0, 1}: MSB = 1/6, MSW = 1/3, so ρ < 0 and counts as 0.
    # Two moments, {1, 1, 1} and {0, 0, 1}: MSB = 2/3, MSW = 1/6, m0 = 3, ρ = (1/2)/(2/3 + 2/6) = 1/2.
    moments = np.array([0, 0, 0, 1, 1, 1])
    assert intra_class_correlation(moments, np.array([1, 1, 0, 0, 0, 1], dtype=bool)) == 0.0
    assert intra_class_correlation(moments, np.array([1, 1, 1, 0, 0, 1], dtype=bool)) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("moments", "success"), [([0, 0], [True, False]), ([0, 1, 2], [True, False, True]), ([0, 0, 1], [True] * 3)]
)
def test_correlation_that_cannot_be_known_counts_as_none(moments, success):
    assert intra_class_correlation(np.array(moments), np.array(success)) == 0.0


def test_design_effect_of_equal_and_unequal_blocks():
    assert design_effect(np.array([3, 3, 3]), 1.0) == pytest.approx(3.0)
    assert design_effect(np.array([1, 1, 1]), 1.0) == 1.0
    assert design_effect(np.array([1, 3]), 0.5) == pytest.approx(1 + (10 / 4 - 1) * 0.5)
    assert design_effect(np.array([0]), 0.5) == 1.0


def test_the_effective_size_predicts_the_spread_of_a_rate():
    # 300 moments of 4 decisions that share half of their luck.
    generator = np.random.default_rng(3)
    rates, correlations = [], []
    moments = np.repeat(np.arange(300), 4)
    for _ in range(400):
        shared = np.repeat(generator.random(300) < 0.5, 4)
        own = generator.random(1200) < 0.5
        won = np.where(generator.random(1200) < np.sqrt(0.5), shared, own)
        rates.append(won.mean())
        correlations.append(intra_class_correlation(moments, won))
    effective = 1200 / design_effect(np.full(300, 4), float(np.mean(correlations)))
    assert np.mean(correlations) == pytest.approx(0.5, abs=0.02)
    assert np.var(rates) == pytest.approx(0.25 / effective, rel=0.2)


def test_the_scale_that_leaves_the_fewest_counts():
    moments, days = Blocks(np.repeat(np.arange(4), 2), 0.5), Blocks(np.repeat(np.arange(2), 4), 0.5)
    matching = np.array([True] * 4 + [False] * 4)
    assert effective_sizes(matching, [moments]) == pytest.approx((4 / 1.5, 4 / 1.5))
    assert effective_sizes(matching, [moments, days]) == pytest.approx((4 / 2.5, 4 / 2.5))


def test_blocks_group_times():
    blocks = blocks_of(np.array([5, 59_999, 60_000, 600_000]), np.array([True, False, True, True]), 60_000)
    assert blocks.of.tolist() == [0, 0, 1, 2]


def test_comparison_counts_both_sides():
    matching = np.array([True, True, False, False, False])
    success = np.array([True, False, True, True, False])
    comparison = compare(matching, success, [Blocks(np.arange(5), 0.0)])
    assert comparison == Comparison(Sample(2, 1, 0.5, 2.0), Sample(3, 2, 2 / 3, 3.0))
    assert comparison.effect == pytest.approx(1 / 2 - 2 / 3)


def test_an_effect_the_other_way_confirms_nothing():
    comparison = Comparison(Sample(100, 80, 0.8, 100.0), Sample(100, 50, 0.5, 100.0))
    assert comparison.p_value_of(higher=True) < 0.001
    assert comparison.p_value_of(higher=False) == 1.0
    assert comparison.p_value() == pytest.approx(2 * comparison.p_value_of(higher=True))


def test_a_side_without_decisions_proves_nothing():
    comparison = Comparison(Sample(0, 0, 0.0, 0.0), Sample(10, 5, 0.5, 10.0))
    assert comparison.p_value() == 1.0
    assert comparison.p_value_of(higher=False) == 1.0
