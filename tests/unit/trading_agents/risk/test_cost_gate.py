"""The cost gate compares the current quote with the median of the remembered ones."""

import math
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory import InvalidInput
from trading_agents import CostGate

DAY = 86_400


@given(
    quotes=st.lists(st.tuples(st.floats(0, 5 * DAY), st.sampled_from([0.5, 1.0, 1.2, 2.0, 9.0])), max_size=60),
    quoted=st.sampled_from([0.5, 1.5, 1.81, 3.0]),
)
def test_the_gate_closes_above_one_and_a_half_times_the_median_of_sixty_days(quotes, quoted):
    gate, at, seen = CostGate(least_quotes=3), 0.0, []
    for passed, spread in quotes:
        at += passed
        gate.observe(spread, at)
        seen.append((at, spread))
    recent = [spread for time, spread in seen if time > at - 60 * DAY]
    typical = median(recent) if len(recent) >= 3 else None
    assert gate.median == typical
    assert gate.allows(quoted) == (typical is None or quoted <= 1.5 * typical)


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: CostGate(ratio=0), "ratio"),
        (lambda: CostGate().observe(-1, 0), "spread"),
        (lambda: CostGate().allows(math.nan), "spread"),
        (lambda: CostGate().observe(1, math.nan), "at"),
    ],
)
def test_invalid_arguments_are_named(make, field):
    with pytest.raises(InvalidInput) as caught:
        make()
    assert caught.value.field == field


def test_quotes_must_be_in_order_of_time():
    gate = CostGate()
    gate.observe(1.0, 10.0)
    with pytest.raises(InvalidInput, match="at"):
        gate.observe(1.0, 9.0)
