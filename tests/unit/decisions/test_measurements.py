"""Figures of measurements: those of all values in order, however they are cut into runs."""

import statistics
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.decisions import measurements
from agent_memory.decisions.measurements import Measurements, value_at

values = st.integers(0, 9).map(float) | st.floats(-1e9, 1e9)
runs = st.lists(st.lists(values, min_size=1, max_size=8).map(sorted), min_size=1, max_size=5)


@given(runs=runs)
def test_the_value_at_a_rank_is_that_of_the_sorted_values(runs):
    ordered = sorted(value for run in runs for value in run)
    assert [value_at(runs, rank) for rank in range(len(ordered))] == ordered


@given(runs=runs)
@pytest.mark.parametrize("kept", [1, 3, 1_000])
def test_figures_are_those_of_all_values(runs, kept):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measurements, "_RUN", kept)
        found = Measurements()
        for run in runs:
            found.add(array("d", run))
        ordered = sorted(value for run in runs for value in run)
        assert found.as_dict() == {
            "count": len(ordered),
            "mean": statistics.fmean(ordered),
            "median": statistics.median(ordered),
            "p95": next(one for n, one in enumerate(ordered, start=1) if 100 * n >= 95 * len(ordered)),
            "min": ordered[0],
            "max": ordered[-1],
        }


def test_no_values_have_no_figures():
    found = Measurements()
    found.add(array("d"))
    assert found.as_dict() is None
