"""Measures the file beside LangGraph's SqliteStore, TradeMemory and mlflow: log, outcome, get, a query, statistics.

    python -m benchmarks.embedded [--json]

The peers are measured where `langgraph-checkpoint-sqlite`, `tradememory-protocol` or `mlflow` is installed, which no
environment of this project needs: `make bench` installs each into one of its own. With `--json`, CPU times only.
All commit each write to disk, on the same disk, one after the other in alternating rounds. CPU time is what other
programs on the machine disturb least; the time that passes includes the disk. The same work is compared: LangGraph's
outcome is a get and a put, since it cannot change a part of an item; its search orders by time and returns the items
with two times each, as a query of decisions does, but says neither what is missing nor whether there is more. The peers
have no statistics: their decisions are read and the successes are counted, where this package also returns groups,
intervals and measurements. mlflow, which takes about 30 ms for a trace, is measured in one round. The last column is
the CPU time of this package by that of the fastest peer.
"""

import importlib
import json
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from agent_memory import DecisionLogger, new_decision_id

_ROUNDS = 3
_LONG_ROUND_SECONDS = 60  # a subject that takes longer is not measured again
_DECISIONS = 1_200
_MEASURED = 300
_QUERIED = 100
_TRACES_PER_PAGE = 500
_CONTEXT = {"market": {"trend": "bullish", "volatility": "high"}, "price": 101.25, "note": "n" * 200}
_REASONING = {"selected": ["whales"], "why": "w" * 200}
_OUTCOME = {"profit": 1.5}

Call = Callable[[int], Any]


class Times(NamedTuple):
    """Milliseconds per call."""

    cpu: float
    passed: float


class Operations(NamedTuple):
    """What is measured, each called with a number from 0."""

    log: Call
    outcome: Call
    get: Call
    query_of_100: Call
    statistics: Call


_REPEATS = {"query_of_100": 20, "statistics": 5}


def agent_memory(folder: Path) -> Operations:
    """`DecisionLogger` on a file."""
    log = DecisionLogger("hunter", stores=f"sqlite:///{folder}/memory.db").sync
    ids = [new_decision_id("QUERY") for _ in range(_DECISIONS)]
    return Operations(
        lambda n: log.log_decision("QUERY", _CONTEXT, _REASONING, decision_id=ids[n]),
        lambda n: log.log_outcome(ids[n], _OUTCOME, success=n % 3 == 0),
        lambda n: log.get_decision(ids[n]),
        lambda _: log.query_decisions("QUERY", limit=_QUERIED),
        lambda _: log.analyze_decision_patterns("QUERY"),
    )


def langgraph(folder: Path) -> Operations:
    """LangGraph's SqliteStore; `ImportError` if it is not installed."""
    module = importlib.import_module("langgraph.store.sqlite")
    connection = sqlite3.connect(f"{folder}/langgraph.db", check_same_thread=False, isolation_level=None)
    store = module.SqliteStore(connection)
    store.setup()
    names = ("hunter", "QUERY")
    decision = {"context": _CONTEXT, "reasoning": _REASONING}

    def add_outcome(n: int) -> None:
        item = store.get(names, str(n))
        store.put(names, str(n), {**item.value, "outcome": _OUTCOME, "success": n % 3 == 0})

    return Operations(
        lambda n: store.put(names, str(n), decision),
        add_outcome,
        lambda n: store.get(names, str(n)),
        lambda _: store.search(names, limit=_QUERIED),
        lambda _: sum(one.value["success"] for one in store.search(names, limit=_DECISIONS)),
    )


def trade_memory(folder: Path) -> Operations:
    """The journal of TradeMemory; `ImportError` if it is not installed."""
    database = importlib.import_module("tradememory.db").Database(f"{folder}/trades.db")
    journal = importlib.import_module("tradememory.journal").TradeJournal(database)
    market = {"price": 101.25, "session": "n" * 200, "regime": "bullish"}
    why = str(_REASONING)
    return Operations(
        lambda n: journal.record_decision(f"T-2026-{n}", "BTC", "long", 1.0, "whales", 0.5, why, market),
        lambda n: journal.record_outcome(f"T-2026-{n}", 102.0, 1.5 if n % 3 == 0 else -1.5, "exit"),
        lambda n: journal.get_trade(f"T-2026-{n}"),
        lambda _: journal.query_history(strategy="whales", limit=_QUERIED),
        lambda _: sum(one.pnl > 0 for one in journal.query_history(strategy="whales", limit=_DECISIONS)),
    )


def mlflow(folder: Path) -> Operations:
    """Traces of mlflow, in a SQLite file of its own; `ImportError` if it is not installed."""
    os.environ["MLFLOW_ENABLE_ASYNC_TRACE_LOGGING"] = "false"  # the others have written when they return
    module = importlib.import_module("mlflow")
    module.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    experiment = module.create_experiment("hunter", artifact_location=str(folder))
    client = module.MlflowClient()
    ids: list[str] = []

    def log(_: int) -> None:
        attributes = {"reasoning": _REASONING}
        span = client.start_trace("QUERY", inputs=_CONTEXT, attributes=attributes, experiment_id=experiment)
        client.end_trace(span.trace_id)
        ids.append(span.trace_id)

    def outcome(n: int) -> None:
        client.set_trace_tag(ids[n], "success", str(n % 3 == 0))
        client.set_trace_tag(ids[n], "profit", str(_OUTCOME["profit"]))

    def read(limit: int, *, with_content: bool) -> list[Any]:
        size = min(limit, _TRACES_PER_PAGE)
        search = partial(client.search_traces, [experiment], max_results=size, include_spans=with_content)
        page = search()
        found = list(page)
        while page.token and len(found) < limit:
            page = search(page_token=page.token)
            found += page
        return found[:limit]

    return Operations(
        log,
        outcome,
        lambda n: client.get_trace(ids[n]),
        lambda _: read(_QUERIED, with_content=True),
        lambda _: sum(one.info.tags["success"] == "True" for one in read(_DECISIONS, with_content=False)),
    )


SUBJECTS: Mapping[str, Callable[[Path], Operations]] = {
    "agent-memory": agent_memory,
    "langgraph": langgraph,
    "tradememory": trade_memory,
    "mlflow": mlflow,
}


def measured(operations: Operations) -> dict[str, Times]:
    """The times of each operation, on all decisions: the last ones of a write are measured, reads are repeated."""
    found: dict[str, Times] = {}
    for name, call in zip(operations._fields, operations, strict=True):
        is_write = name in {"log", "outcome"}
        for number in range(_DECISIONS - _MEASURED if is_write else 0):
            call(number)
        first = _DECISIONS - _MEASURED if is_write else 0
        found[name] = _times(call, range(first, first + _REPEATS.get(name, _MEASURED)))
    return found


def _times(call: Call, numbers: range) -> Times:
    cpu, passed = time.process_time(), time.perf_counter()
    for number in numbers:
        call(number)
    size = len(numbers) / 1000
    return Times((time.process_time() - cpu) / size, (time.perf_counter() - passed) / size)


def all_rounds() -> dict[str, list[dict[str, Times]]]:
    """The rounds of each subject that is installed; one round if it takes long."""
    rounds: dict[str, list[dict[str, Times]]] = {}
    remaining = dict(SUBJECTS)
    for _ in range(_ROUNDS):
        for name, start in tuple(remaining.items()):
            began = time.perf_counter()
            with tempfile.TemporaryDirectory() as folder:
                try:
                    rounds.setdefault(name, []).append(measured(start(Path(folder))))
                except ImportError:
                    rounds.pop(name, None)
                    del remaining[name]
            if time.perf_counter() - began > _LONG_ROUND_SECONDS:
                remaining.pop(name, None)
    return rounds


def cpu_medians() -> dict[str, dict[str, float]]:
    """Milliseconds of CPU time by subject and operation."""
    return {
        name: {operation: statistics.median([one[operation].cpu for one in found]) for operation in Operations._fields}
        for name, found in all_rounds().items()
    }


def main() -> None:
    """Print for each operation the median of the rounds, in milliseconds of CPU time and of time that passed."""
    rounds = all_rounds()
    for operation in Operations._fields:
        columns, times = [], {}
        for name, found in rounds.items():
            cpu = statistics.median(one[operation].cpu for one in found)
            passed = statistics.median(one[operation].passed for one in found)
            times[name] = cpu
            columns.append(f"{name} {cpu:8.3f} {passed:8.3f}")
        own, peers = times.pop("agent-memory"), times.values()
        columns += [f"{own / min(peers):5.2f}"] if peers else []
        sys.stdout.write(f"{operation.replace('_', ' '):<14} {'   '.join(columns)}\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["--json"]:
        sys.stdout.write(json.dumps(cpu_medians()))
    else:
        main()
