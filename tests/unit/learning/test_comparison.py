"""Matching decisions compared with the rest."""

import numpy as np
import pytest

from agent_memory.learning.comparison import Comparison, Sample, compare
from agent_memory.learning.design_effect import TimeBlocks


def test_both_groups_are_counted():
    matching = np.array([True, True, False, False, False])
    success = np.array([True, False, True, True, False])
    comparison = compare(matching, success, [TimeBlocks(np.arange(5), 0.0)])
    assert comparison == Comparison(Sample(2, 1, 0.5, 2.0), Sample(3, 2, 2 / 3, 3.0))
    assert comparison.effect == pytest.approx(1 / 2 - 2 / 3)


def test_an_effect_in_the_opposite_direction_confirms_nothing():
    comparison = Comparison(Sample(100, 80, 0.8, 100.0), Sample(100, 50, 0.5, 100.0))
    assert comparison.one_sided_p_value(higher=True) < 0.001
    assert comparison.one_sided_p_value(higher=False) == 1.0
    assert comparison.p_value() == pytest.approx(2 * comparison.one_sided_p_value(higher=True))


def test_an_empty_group_proves_nothing():
    comparison = Comparison(Sample(0, 0, 0.0, 0.0), Sample(10, 5, 0.5, 10.0))
    assert comparison.p_value() == 1.0
    assert comparison.one_sided_p_value(higher=False) == 1.0
