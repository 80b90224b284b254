"""Sizing by volatility follows its formula."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory import InvalidInput
from trading_agents import VolatilityMemory
from trading_agents.demo.bars import sample_bars


def weighted_mean(values, half_life):
    weights = 0.5 ** (np.arange(len(values))[::-1] / half_life)
    return float((weights * values).sum() / weights.sum())


def multiplier_by_the_formula(returns, bars_per_day):
    sigmas = [math.sqrt(weighted_mean(returns[: n + 1] ** 2, bars_per_day)) for n in range(len(returns))]
    reference = math.exp(weighted_mean(np.log(sigmas), 252 * bars_per_day))
    return float(np.clip(reference / sigmas[-1], 0.5, 1.5))


@given(returns=st.lists(st.floats(0.0001, 0.1) | st.floats(-0.1, -0.0001), min_size=1, max_size=40))
def test_the_multiplier_follows_the_formula(returns):
    memory = VolatilityMemory(bars_per_day=7)
    for one in returns:
        memory.observe(one)
    assert memory.multiplier == pytest.approx(multiplier_by_the_formula(np.array(returns), 7), rel=1e-9)


def test_on_real_bars_positions_are_smaller_in_volatile_markets():
    returns = np.diff(np.log(sample_bars().close[:, 0]))
    memory, sizes = VolatilityMemory(bars_per_day=1), []
    for one in returns:
        sizes.append(memory.multiplier)
        memory.observe(one)
    moves, known = np.abs(returns[50:]), np.array(sizes[50:])
    volatile = moves[known < 0.8].mean()
    calm = moves[known > 1.2].mean()
    assert volatile > 1.2 * calm
    sized = returns[50:] * known / known.mean()

    def worst(values):
        return np.sort(values)[: len(values) // 100].mean()

    assert worst(sized) > worst(returns[50:])


def test_without_movement_positions_are_unchanged():
    memory = VolatilityMemory(24)
    assert (memory.multiplier, memory.sigma) == (1.0, None)
    memory.observe(0.0)
    assert (memory.multiplier, memory.sigma) == (1.0, 0.0)
    memory.observe(0.01)
    assert memory.multiplier == pytest.approx(1.0)
    for _ in range(200):
        memory.observe(0.0)
    assert memory.multiplier == 1.5


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: VolatilityMemory(0), "bars_per_day"),
        (lambda: VolatilityMemory(1, lowest=1.2), "lowest"),
        (lambda: VolatilityMemory(1).observe(math.nan), "bar_return"),
    ],
)
def test_invalid_arguments_are_named(make, field):
    with pytest.raises(InvalidInput) as caught:
        make()
    assert caught.value.field == field
