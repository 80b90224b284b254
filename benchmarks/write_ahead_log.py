"""`python -m benchmarks.write_ahead_log`: appending a record to the write-ahead log, beside a transaction of SQLite.

Both write the same record on the same disk, one at a time. The rows with equal durability are compared: neither waits
for the disk, or both sync before they return.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from agent_memory.buffering.frames import DECISION
from agent_memory.buffering.write_ahead_log import WriteAheadLog
from benchmarks.buffered import times_of
from benchmarks.example_decision import EXAMPLE
from benchmarks.tables import Row, print_table

Synchronous = Literal["OFF", "NORMAL", "FULL"]

_RECORD = json.dumps(EXAMPLE, separators=(",", ":")).encode()
_APPENDS = 20_000
_SYNCED_APPENDS = 500
_ROUNDS = 3
_MAX_PENDING_BYTES = 1 << 30


def print_appends() -> None:
    """Print the comparison."""
    print_table(f"Appending a record of {len(_RECORD)} bytes, SQLite {sqlite3.sqlite_version}", _rows())


def beside_sqlite() -> tuple[float, float]:
    """Median microseconds of an append and of an insert, neither of which waits for the disk, over all rounds."""
    own, inserts = list[float](), list[float]()
    for _ in range(_ROUNDS):
        own += _log_times(_APPENDS)
        inserts += _sqlite_times(_APPENDS, "NORMAL")
    return times_of(own).median, times_of(inserts).median


def _rows() -> Iterator[Row]:
    """Times over three rounds that alternate between the two."""
    fast: dict[str, list[float]] = {}
    synced: dict[str, list[float]] = {}
    for _ in range(_ROUNDS):
        _add(fast, "append to the write-ahead log", _log_times(_APPENDS))
        _add(fast, "  SQLite, synchronous=OFF", _sqlite_times(_APPENDS, "OFF"))
        _add(fast, "  SQLite, synchronous=NORMAL", _sqlite_times(_APPENDS, "NORMAL"))
        _add(synced, "append and sync, as with sync_seconds=0", _log_times(_SYNCED_APPENDS, syncs=True))
        _add(synced, "  SQLite, synchronous=FULL", _sqlite_times(_SYNCED_APPENDS, "FULL"))
    for results in (fast, synced):
        measured = {name: times_of(microseconds) for name, microseconds in results.items()}
        own = next(iter(measured.values()))
        for name, times in measured.items():
            ratio = "" if times is own else f"; median {times.median / own.median:.1f} ×"
            yield name, f"{times}{ratio}", ""


def _log_times(appends: int, *, syncs: bool = False) -> list[float]:
    """Microseconds of each append to a write-ahead log."""
    with TemporaryDirectory() as folder:
        log = WriteAheadLog(Path(folder), "market-hunter", max_pending_bytes=_MAX_PENDING_BYTES)
        with closing(log):

            def append() -> None:
                log.append(DECISION, _RECORD, time.time_ns() // 1_000_000)
                if syncs:
                    log.sync()

            return _timed(append, appends)


def _sqlite_times(appends: int, synchronous: Synchronous) -> list[float]:
    """Microseconds of each insert, a transaction of its own, into SQLite with `journal_mode=WAL`."""
    with TemporaryDirectory() as folder, closing(sqlite3.connect(Path(folder, "log.db"), isolation_level=None)) as base:
        base.execute("PRAGMA journal_mode=WAL")
        base.execute(f"PRAGMA synchronous={synchronous}")
        base.execute("CREATE TABLE log (sequence INTEGER PRIMARY KEY, kind TEXT, logged_ms INTEGER, payload BLOB)")
        insert = "INSERT INTO log (kind, logged_ms, payload) VALUES ('D', ?, ?)"
        return _timed(lambda: base.execute(insert, (time.time_ns() // 1_000_000, _RECORD)), appends)


def _timed(call: Callable[[], Any], calls: int) -> list[float]:
    times = []
    for _ in range(calls):
        started = time.perf_counter_ns()
        call()
        times.append((time.perf_counter_ns() - started) / 1000)
    return times


def _add(results: dict[str, list[float]], name: str, times: list[float]) -> None:
    results.setdefault(name, []).extend(times)


if __name__ == "__main__":
    print_appends()
