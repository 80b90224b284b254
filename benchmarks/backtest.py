"""`python -m benchmarks.backtest`: how long a backtest takes on one core."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

# Restricts numpy's libraries to one core; they read these variables when they are loaded.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np  # noqa: E402

from benchmarks.tables import Row, print_table  # noqa: E402
from trading_agents.backtest.engine.portfolios import voting_portfolio  # noqa: E402
from trading_agents.backtest.engine.trades import simulate_trades  # noqa: E402
from trading_agents.backtest.study.run import run_study  # noqa: E402
from trading_agents.bars import PriceBars, read_price_bars  # noqa: E402

BARS = 36_000
COSTS_BP = 5.0
BITCOIN = Path(__file__).parents[2] / "shared" / "data" / "btcusd_1h_2019_2023.csv.gz"
Result = TypeVar("Result")


def random_walk(count: int) -> PriceBars:
    """Hourly bars of a random walk, around the clock."""
    generator = np.random.default_rng(7)
    close = 100 * np.exp(np.cumsum(generator.normal(0, 0.005, count)))
    opened = np.concatenate([[100.0], close[:-1]])
    high = np.maximum(opened, close) * np.exp(np.abs(generator.normal(0, 0.002, count)))
    low = np.minimum(opened, close) * np.exp(-np.abs(generator.normal(0, 0.002, count)))
    hours = np.datetime64("2020-01-01", "s") + np.arange(count) * np.timedelta64(3600, "s")
    return PriceBars("random walk", hours, opened, high, low, close, generator.lognormal(8, 0.5, count))


def timed(work: Callable[[], Result]) -> tuple[float, Result]:
    """Return the seconds of processor time and the result."""
    begun = time.process_time()
    result = work()
    return time.process_time() - begun, result


def real_or_random() -> PriceBars:
    """The first 36,000 hours of Bitcoin if the file is beside the project, otherwise a random walk."""
    return read_price_bars(BITCOIN).first(BARS) if BITCOIN.exists() else random_walk(BARS)


def rows(bars: PriceBars) -> Iterator[Row]:
    """Time of the trades and of the study, for agents with and without memory."""
    trading, trades = timed(lambda: simulate_trades(bars))
    yield f"seven signal agents, {len(trades):,} trades", f"{trading:.2f}", ""
    plain = timed(lambda: run_study(bars, COSTS_BP))[0]
    yield "their study: memories, intervals, nulls, controls", f"{plain:.2f}", "at most 60"
    voting, portfolio = timed(lambda: voting_portfolio(bars))
    yield "five agents with memory, bar by bar, and without", f"{voting:.2f}", ""
    arms = timed(lambda: run_study(bars, COSTS_BP, portfolio))[0]
    yield "their study, all arms", f"{arms:.2f}", ""
    yield "five agents, both together", f"{voting + arms:.2f}", "at most 60"


if __name__ == "__main__":
    bars = real_or_random()
    columns = ("measured", "seconds of processor time", "goal")
    print_table(f"Backtest of {len(bars):,} hours: {bars.name}", rows(bars), columns=columns)
