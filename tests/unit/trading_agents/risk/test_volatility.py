"""Volatility sizing and the cost gate follow their formulas, and look at the past alone."""

import math
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.core.errors import InvalidInput
from demo.bars import sample_bars
from trading_agents import CostGate, VolatilityMemory

DAY = 86_400


def weighted_mean(values, half_life):
    weights = 0.5 ** (np.arange(len(values))[::-1] / half_life)
    return float((weights * values).sum() / weights.sum())


def multiplier_by_the_formula(returns, bars_per_day):
    sigmas = [math.sqrt(weighted_mean(returns[: n + 1] ** 2, bars_per_day)) for n in range(len(returns))]
    reference = math.exp(weighted_mean(np.log(sigmas), 252 * bars_per_day))
    return float(np.clip(reference / sigmas[-1], 0.5, 1.5))


@given(returns=st.lists(st.floats(0.0001, 0.1) | st.floats(-0.1, -0.0001), min_size=1, max_size=40))
def test_the_multiplier_is_that_of_the_formula(returns):
    memory = VolatilityMemory(bars_per_day=7)
    for one in returns:
        memory.observe(one)
    assert memory.multiplier == pytest.approx(multiplier_by_the_formula(np.array(returns), 7), rel=1e-9)


def test_real_positions_shrink_when_the_market_is_wild_and_grow_when_it_is_calm():
    returns = np.diff(np.log(sample_bars().close[:, 0]))
    memory, sizes = VolatilityMemory(bars_per_day=1), []
    for one in returns:
        sizes.append(memory.multiplier)
        memory.observe(one)
    moves, known = np.abs(returns[50:]), np.array(sizes[50:])
    wild = moves[known < 0.8].mean()
    calm = moves[known > 1.2].mean()
    assert wild > 1.2 * calm
    sized = returns[50:] * known / known.mean()

    def worst(values):
        return np.sort(values)[: len(values) // 100].mean()

    assert worst(sized) > worst(returns[50:])


def test_before_anything_moves_positions_stay():
    memory = VolatilityMemory(24)
    assert (memory.multiplier, memory.sigma) == (1.0, None)
    memory.observe(0.0)
    assert (memory.multiplier, memory.sigma) == (1.0, 0.0)
    memory.observe(0.01)
    assert memory.multiplier == pytest.approx(1.0)
    for _ in range(200):
        memory.observe(0.0)
    assert memory.multiplier == 1.5


@given(
    quotes=st.lists(st.tuples(st.floats(0, 5 * DAY), st.sampled_from([0.5, 1.0, 1.2, 2.0, 9.0])), max_size=60),
    quoted=st.sampled_from([0.5, 1.5, 1.81, 3.0]),
)
def test_the_gate_is_shut_beyond_one_and_a_half_times_the_median_of_sixty_days(quotes, quoted):
    gate, at, seen = CostGate(least_quotes=3), 0.0, []
    for waited, spread in quotes:
        at += waited
        gate.observe(spread, at)
        seen.append((at, spread))
    recent = [spread for time, spread in seen if time > at - 60 * DAY]
    usual = median(recent) if len(recent) >= 3 else None
    assert gate.median == usual
    assert gate.allows(quoted) == (usual is None or quoted <= 1.5 * usual)


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: VolatilityMemory(0), "bars_per_day"),
        (lambda: VolatilityMemory(1, lowest=1.2), "lowest"),
        (lambda: VolatilityMemory(1).observe(math.nan), "bar_return"),
        (lambda: CostGate(ratio=0), "ratio"),
        (lambda: CostGate().observe(-1, 0), "spread"),
        (lambda: CostGate().allows(math.nan), "spread"),
        (lambda: CostGate().observe(1, math.nan), "at"),
    ],
)
def test_what_cannot_be_used_is_named(make, field):
    with pytest.raises(InvalidInput) as caught:
        make()
    assert caught.value.field == field


def test_quotes_come_in_the_order_of_time():
    gate = CostGate()
    gate.observe(1.0, 10.0)
    with pytest.raises(InvalidInput, match="at"):
        gate.observe(1.0, 9.0)
