"""Matching decisions compared with the rest."""

import numpy as np
import pytest

from agent_memory.learning.comparison import Comparison, Sample, compare
from agent_memory.learning.design_effect import CorrelatedClusters


def test_both_groups_are_counted():
    matching = np.array([True, True, False, False, False])
    success = np.array([True, False, True, True, False])
    comparison = compare(matching, success, [CorrelatedClusters(np.arange(5), 0.0)])
    assert comparison == Comparison(Sample(2, 1, 0.5, 2.0), Sample(3, 2, 2 / 3, 3.0))
    assert comparison.effect == pytest.approx(1 / 2 - 2 / 3)
