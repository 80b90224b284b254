"""`python -m benchmarks.beside_tradememory`: a warm recall beside TradeMemory's, both in a SQLite file, call by call.

It runs where `tradememory-protocol` is installed, in an environment of its own, with this project's packages on
PYTHONPATH. TradeMemory scores the newest trades of the symbol, five for each result; `recall` ranks all memories for
the words of the question.
"""

import asyncio
import importlib
import os
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from agent_memory import MemoryManager, connect

_TRADES = 2_000
_CALLS = 100
_WORDS = (
    "squeeze",
    "funding",
    "breakout",
    "volume",
    "spread",
    "dealer",
    "gamma",
    "whale",
    "inflow",
    "drift",
    "auction",
)
_REGIMES = ("trending_up", "trending_down", "ranging", "volatile")


def _trade(number: int) -> dict[str, Any]:
    generator = random.Random(number)  # noqa: S311  synthetic trades
    return {
        "context": " ".join(generator.choices(_WORDS, k=6)),
        "reflection": " ".join(generator.choices(_WORDS, k=10)),
        "regime": generator.choice(_REGIMES),
        "result": generator.gauss(0.1, 1.0),
    }


def ours(folder: Path) -> Callable[[str], Any]:
    """`recall` over the trades as memories."""
    memory = MemoryManager("agent", stores=connect(f"sqlite:///{folder}/memory.db")).sync
    for number in range(_TRADES):
        one = _trade(number)
        data = {
            "description": one["reflection"],
            "symbol": "BTC-USD",
            "context": one["context"],
            "regime": one["regime"],
        }
        memory.store_ltm("TRADE", f"t{number}", data)
    return lambda question: memory.recall(question, symbol="BTC-USD", top_k=10)


def theirs(folder: Path) -> Callable[[str], Any]:
    """`recall_memories` over the trades."""
    os.environ["TRADEMEMORY_DB"] = f"{folder}/trades.db"
    server: Any = importlib.import_module("tradememory.mcp_server")
    server._db = importlib.import_module("tradememory.db").Database(f"{folder}/trades.db")  # noqa: SLF001
    loop = asyncio.new_event_loop()
    for number in range(_TRADES):
        one = _trade(number)
        remember = server.remember_trade(
            "BTC-USD", "long", 100.0, 101.0, one["result"], f"s{number % 5}", one["context"], pnl_r=one["result"],
            context_regime=one["regime"], reflection=one["reflection"],
        )  # fmt: skip
        loop.run_until_complete(remember)
    return lambda question: loop.run_until_complete(server.recall_memories("BTC-USD", question, limit=10))


def main() -> None:
    """Print the medians, and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        calls = {"recall": ours(Path(folder)), "recall_memories": theirs(Path(folder))}
        times: dict[str, list[float]] = {name: [] for name in calls}
        for number in range(_CALLS + 1):
            question = _trade(-1 - number)["context"]
            for name, call in calls.items():
                started = time.perf_counter()
                found = call(question)
                times[name].append(time.perf_counter() - started)
                if number == 0:
                    print(name, len(found if name == "recall" else found["memories"]), "results")  # noqa: T201
        first, second = (median(one[1:]) * 1e3 for one in times.values())
    print(f"recall {first:.2f} ms, recall_memories {second:.2f} ms: {first / second:.2f} times")  # noqa: T201


if __name__ == "__main__":
    main()
