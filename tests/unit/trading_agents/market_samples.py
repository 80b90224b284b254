"""Bars for tests: random walks, quick to make, and the real sample."""

from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np

from demo.bars import sample_bars
from trading_agents import WARM_UP_BARS, Bars, MarketHunter, features_of

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
    """The same bars, but from `index` on every price and volume is another."""
    wave = np.ones((len(bars), 1))
    wave[index:] = factor ** np.arange(1, len(bars) - index + 1)[:, None]
    values = {name: getattr(bars, name) * wave for name in ("open", "high", "low", "close", "volume")}
    values["high"][index:] *= 1.5
    return Bars(bars.symbols, bars.labels, **values)


def live(bars, cycles, **settings):
    """Decisions and outcomes of a hunter's first cycles: two lists with one entry a cycle; the last has no outcome."""
    features = features_of(bars)
    hunter = MarketHunter(bars.symbols, **settings)
    rows = [features.row(WARM_UP_BARS + n) for n in range(cycles)]
    decisions = [hunter.decide(row, START + timedelta(hours=n)) for n, row in enumerate(rows)]
    outcomes = [hunter.resolve(decisions[n], rows[n], rows[n + 1]) for n in range(cycles - 1)]
    return decisions, outcomes


@cache
def real_life():
    """Every decision of 121 days on the real bars with its outcome, as pairs."""
    decisions, outcomes = live(sample_bars(), 121 * 24)
    known = {outcome["decision_id"]: outcome for cycle in outcomes for outcome in cycle}
    return [(decision, known.get(decision["decision_id"])) for cycle in decisions for decision in cycle]
