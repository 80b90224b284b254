"""Bars of several symbols for tests: random walks, and the demo's real sample."""

import asyncio
from datetime import UTC, datetime
from functools import cache

import numpy as np

from trading_agents import Bars
from trading_agents.demo.bars import sample_bars
from trading_agents.demo.cycles import Cycles

START = datetime(2026, 7, 1, tzinfo=UTC)


def random_bars(count=200, symbols=("A", "B", "C"), seed=1):
    """Random walks with ranges and volumes, shape (count, symbols)."""
    chance = np.random.default_rng(seed)
    shape = (count, len(symbols))
    close = 100 * np.exp(np.cumsum(chance.normal(0, 0.02, shape), axis=0))
    opened = close * np.exp(chance.normal(0, 0.005, shape))
    high = np.maximum(opened, close) * np.exp(np.abs(chance.normal(0, 0.01, shape)))
    low = np.minimum(opened, close) * np.exp(-np.abs(chance.normal(0, 0.01, shape)))
    volume = chance.lognormal(10, 0.5, shape)
    return Bars(symbols, tuple(str(n) for n in range(count)), opened, high, low, close, volume)


def changed_from(bars, index, factor=1.37):
    """The same bars with other prices and volumes from `index` on."""
    wave = np.ones((len(bars), 1))
    wave[index:] = factor ** np.arange(1, len(bars) - index + 1)[:, None]
    values = {name: getattr(bars, name) * wave for name in ("open", "high", "low", "close", "volume")}
    values["high"][index:] *= 1.5
    return Bars(bars.symbols, bars.labels, **values)


def simulate(bars, cycles):
    """Decisions and outcomes of each cycle of the demo's hunter, as lists of lists; the last has no outcomes yet."""
    hunter = asyncio.run(Cycles.simulated(bars, START, cycles))
    return [hunter.decisions([n]) for n in range(cycles)], [hunter.outcomes([n]) for n in range(cycles - 1)]


@cache
def real_decisions():
    """Pairs of decision and outcome on the real sample; the outcome is None in the last cycle."""
    decisions, outcomes = simulate(sample_bars(), 121 * 24)
    known = {outcome["decision_id"]: outcome for cycle in outcomes for outcome in cycle}
    return [(decision, known.get(decision["decision_id"])) for cycle in decisions for decision in cycle]
