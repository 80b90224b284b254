"""`python -m benchmarks.backtest`: how long a backtest takes on one core."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

# One core: numpy's libraries read these when they are loaded.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

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


def real_or_random() -> PriceBars:
    """The first 36,000 hours of Bitcoin's file where there is one beside the project, else a random walk."""
    return read_price_bars(BITCOIN).first(BARS) if BITCOIN.exists() else random_walk(BARS)


if __name__ == "__main__":
    bars = real_or_random()
    title = f"Backtest of {len(bars):,} hours: {bars.name}"
    table = Table("measured", "seconds of processor time", "goal", title=title)
    trading, trades = timed(lambda: simulate_trades(bars))
    table.add_row(f"seven signal agents, {len(trades):,} trades", f"{trading:.2f}", "")
    plain = timed(lambda: run_study(bars, COSTS_BP))[0]
    table.add_row("their study: memories, intervals, nulls, controls", f"{plain:.2f}", "at most 60")
    voting, portfolio = timed(lambda: voting_portfolio(bars))
    table.add_row("five agents with memory, bar by bar, and without", f"{voting:.2f}", "")
    arms = timed(lambda: run_study(bars, COSTS_BP, portfolio))[0]
    table.add_row("their study, all arms", f"{arms:.2f}", "")
    table.add_row("five agents, both together", f"{voting + arms:.2f}", "at most 60")
    Console(width=120).print(table)
