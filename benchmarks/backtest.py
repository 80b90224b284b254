"""`python -m benchmarks.backtest`: how long a backtest takes on one core."""

import os
import time
from collections.abc import Callable
from typing import TypeVar

# One core: numpy's libraries read these when they are loaded.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from trading_agents.backtest.study import study  # noqa: E402
from trading_agents.backtest.trades import trade  # noqa: E402
from trading_agents.indicators import FeatureTable  # noqa: E402
from trading_agents.price_bars import PriceBars  # noqa: E402

BARS = 36_000
Result = TypeVar("Result")


def random_walk(count: int) -> PriceBars:
    """Hourly bars of a random walk, around the clock."""
    chance = np.random.default_rng(7)
    close = 100 * np.exp(np.cumsum(chance.normal(0, 0.005, count)))
    opened = np.concatenate([[100.0], close[:-1]])
    high = np.maximum(opened, close) * np.exp(np.abs(chance.normal(0, 0.002, count)))
    low = np.minimum(opened, close) * np.exp(-np.abs(chance.normal(0, 0.002, count)))
    hours = np.datetime64("2020-01-01", "s") + np.arange(count) * np.timedelta64(3600, "s")
    return PriceBars("random walk", hours, opened, high, low, close, chance.lognormal(8, 0.5, count))


def timed(work: Callable[[], Result]) -> tuple[float, Result]:
    """Seconds of processor time, and what came of it."""
    begun = time.process_time()
    result = work()
    return time.process_time() - begun, result


if __name__ == "__main__":
    bars = random_walk(BARS)
    table = Table("measured", "seconds of processor time", "goal", title=f"Backtest of {BARS:,} hourly bars")
    trading, trades = timed(lambda: trade(bars))
    table.add_row(f"seven signal agents, {len(trades):,} trades", f"{trading:.2f}", "at most 60")
    features = timed(lambda: FeatureTable(bars).features_at(BARS - 1))[0]
    table.add_row("all features, regimes fitted yearly", f"{features:.2f}", "")
    whole = timed(lambda: study(bars, 1.0))[0]
    table.add_row("whole study: memories, intervals, nulls, controls", f"{whole:.2f}", "at most 60")
    Console(width=120).print(table)
