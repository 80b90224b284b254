"""Products of sparse matrices of zeros and ones, against those of full ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from agent_memory.learning import indicators
from agent_memory.learning.indicators import Indicators

MATRICES = st.tuples(st.integers(1, 12), st.integers(1, 9)).flatmap(lambda shape: arrays(np.bool_, shape))


@pytest.fixture(params=[1, 1 << 20], ids=["a row at a time", "all rows at once"])
def products(request, monkeypatch):
    monkeypatch.setattr(indicators, "_PRODUCTS", request.param)


@pytest.mark.usefixtures("products")
@given(MATRICES, st.randoms(use_true_random=False))
def test_products_are_those_of_the_full_matrix(full, random):
    rows, columns = np.nonzero(full)
    order = list(range(len(rows)))
    random.shuffle(order)
    sparse = Indicators(rows[order], columns[order], *full.shape)
    weights = np.array([random.uniform(0, 5) for _ in range(full.shape[0])])
    values = np.array([random.uniform(-5, 5) for _ in range(full.shape[1])])
    assert sparse.gram(weights) == pytest.approx(full.T @ (full * weights[:, None]))
    assert sparse.times(values) == pytest.approx(full @ values)
    assert sparse.transposed_times(weights) == pytest.approx(full.T @ weights)
