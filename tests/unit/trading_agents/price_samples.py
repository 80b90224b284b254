"""Bars of one instrument for tests: random walks, and real files if they are available."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from trading_agents.bars import PriceBars, read_price_bars

# Real market data is kept beside the project, if at all; it is not part of the repository.
DATA = Path(__file__).parents[4] / "shared" / "data"
SPY, BTC, EURUSD = "spy_1h_1998_2021.csv.gz", "btcusd_1h_2019_2023.csv.gz", "eurusd_1h_bidask_2007_2018.csv.gz"


def walk(count=3000, seed=1, volatility=0.005, bars_per_day=24, spread=None):
    """A random walk of hourly bars with gaps between close and open; volatility wanders, so that states differ."""
    chance = np.random.default_rng(seed)
    level = volatility * np.exp(0.5 * np.sin(np.arange(count) / 150))
    steps = chance.normal(0, 1, count) * level
    close = 100 * np.exp(np.cumsum(steps))
    opened = np.concatenate([[100], close[:-1]]) * np.exp(chance.normal(0, 0.1, count) * level)
    high = np.maximum(opened, close) * np.exp(np.abs(chance.normal(0, 0.4, count)) * level)
    low = np.minimum(opened, close) * np.exp(-np.abs(chance.normal(0, 0.4, count)) * level)
    hours = np.arange(count) // bars_per_day * 24 + np.arange(count) % bars_per_day
    time = np.datetime64("2020-01-01", "s") + hours * np.timedelta64(3600, "s")
    quotes = {}
    if spread is not None:
        quotes = {name: spread * close * chance.lognormal(0, 0.5, count) for name in ("spread_open", "spread_close")}
    return PriceBars("walk", time, opened, high, low, close, chance.lognormal(10, 0.5, count), **quotes)


def changed_from(bars, index, factor=1.01):
    """The same bars with other prices, volumes and spreads from `index` on."""
    wave = np.ones(len(bars))
    wave[index:] = factor ** ((np.arange(len(bars) - index) % 40) + 1)
    columns = {name: getattr(bars, name) * wave for name in ("open", "high", "low", "close")}
    columns["high"][index:] *= 1.01
    for name in ("volume", "spread_open", "spread_close"):
        column = getattr(bars, name)
        columns[name] = None if column is None else column * np.where(np.arange(len(bars)) >= index, 3.0, 1.0)
    return PriceBars(bars.name, bars.time, **columns)


def daily_closes(bars):
    """Last close of each day."""
    return bars.close[np.flatnonzero(np.diff(bars.days, append=bars.days[-1] + 1))]


@cache
def real_bars(name):
    """The bars of a real file; skips the test if the file is missing."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{path} is not on this machine")
    return read_price_bars(path)
