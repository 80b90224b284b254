"""Time of a query over all four levels against one level at a time, and the round trips of a cycle to the cache."""

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from statistics import median
from typing import Any

from fakeredis import TcpFakeServer
from redis import ConnectionPool, Redis
from redis.connection import Connection

from agent_memory import DecisionLogger, MemoryManager
from agent_memory.core.clock import DAY_MS, HOUR_MS, SystemClock, date_of, to_iso
from agent_memory.core.ids import parse_decision_id
from agent_memory.memory.hierarchy import LEVELS
from agent_memory.model.decisions import DecisionKey
from agent_memory.ports.stores import Stores
from agent_memory.storage.factory import in_memory_stores
from agent_memory.storage.redis.short_term import RedisShortTerm
from benchmarks.tables import Row

_AGENT_ID = "leveled"
_DECISIONS_PER_LEVEL = 50
_ROUNDS = 9
_AGES_MS = {"immediate": HOUR_MS // 2, "recent": 5 * HOUR_MS, "historical": 9 * DAY_MS, "archive": 100 * DAY_MS}
# Simulated latencies in seconds.
_TABLE, _CACHE, _OBJECT = 0.02, 0.005, 0.06


class _WithLatency:
    """A store with latency added to some of its methods, as over a network."""

    def __init__(self, store: Any, **seconds: float) -> None:
        self._store = store
        self._seconds = seconds

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name not in self._seconds:
            return method

        def delayed(*args: Any, **kwargs: Any) -> Any:
            time.sleep(self._seconds[name])
            return method(*args, **kwargs)

        return delayed


def rows() -> Iterator[Row]:
    """The same query on each level alone and on all of them; medians of nine."""
    memory = asyncio.run(_populated_memory())
    alone = {name: _seconds(memory, name) for name, _ in LEVELS}
    together = _seconds(memory, None)
    for name, seconds in alone.items():
        yield f"get_context_memory, {name} alone", f"{seconds * 1e3:,.0f} ms", ""
    slowest, total = max(alone.values()), sum(alone.values())
    yield "  all four levels", f"{together * 1e3:,.0f} ms: {together / slowest:.2f} × the slowest", "about 1 ×"
    yield "  their sum", f"{total * 1e3:,.0f} ms: {total / together:.1f} × all four together", ""
    yield from _cycle_rows()


async def _populated_memory() -> MemoryManager:
    """An agent with decisions on every level; those in the archive have expired from the table."""
    stores = in_memory_stores()
    now_ms = SystemClock().now_ms()
    logger = DecisionLogger(_AGENT_ID, stores=stores)
    for age_ms in _AGES_MS.values():
        for n in range(_DECISIONS_PER_LEVEL):
            await logger.log_decision("QUERY", {"market": {"trend": "up"}}, {}, timestamp=to_iso(now_ms - age_ms - n))
    old = await logger.query_decisions(time_range=(None, to_iso(now_ms - 50 * DAY_MS)))
    _archive(stores, [one["decision_id"] for one in old])
    with_latency = replace(
        stores,
        decisions=_WithLatency(stores.decisions, scan=_TABLE),
        archive=_WithLatency(stores.archive, days=_OBJECT, read_day=_OBJECT),
        short_term=_WithLatency(stores.short_term, run=_CACHE),
    )
    return MemoryManager(_AGENT_ID, stores=with_latency)


def _archive(stores: Stores, ids: list[str]) -> None:
    keys = [DecisionKey(_AGENT_ID, "QUERY", parse_decision_id(one).timestamp_ms, one) for one in ids]
    found = [decision for decision in stores.decisions.get(keys) if decision is not None]
    if stores.archive is not None:
        for day in {date_of(decision.timestamp_ms) for decision in found}:
            of_day = [decision for decision in found if date_of(decision.timestamp_ms) == day]
            stores.archive.write_file(_AGENT_ID, day, stores.archive.pack(of_day), replaced=None)
    stores.decisions.expire(found, [0] * len(found))


def _seconds(memory: MemoryManager, level: str | None) -> float:
    def once() -> float:
        started = time.perf_counter()
        found = memory.direct.hierarchy.contexts(None, {"trend": "up"}, limit=1_000, level=level)
        seconds = time.perf_counter() - started
        expected = _DECISIONS_PER_LEVEL * (1 if level else len(LEVELS))
        if len(found["entries"]) != expected or not found["complete"]:
            raise RuntimeError(f"{level}: {len(found['entries'])} entries, not {expected}")
        return seconds

    once()
    return median(once() for _ in range(_ROUNDS))


class _CountingConnection(Connection):
    """A connection that counts what it sends, which is once per round trip."""

    sent = 0

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        _CountingConnection.sent += 1
        super().send_packed_command(command, check_health)  # type: ignore[no-untyped-call]


def _cycle_rows() -> Iterator[Row]:
    """Round trips to the cache of a cycle with six sources and six signals."""
    with TcpFakeServer(("127.0.0.1", 0), server_type="valkey") as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        pool = ConnectionPool(connection_class=_CountingConnection, host="127.0.0.1", port=server.server_address[1])
        short_term = RedisShortTerm(Redis(connection_pool=pool))
        memory = MemoryManager(_AGENT_ID, stores=replace(in_memory_stores(), short_term=short_term))
        names = [f"source-{n}" for n in range(6)]
        asyncio.run(memory.retrieve_stm("connected"))
        before = _CountingConnection.sent
        is_stored = asyncio.run(
            memory.write_cycle(
                context={"trend": "up"},
                queries=[{"source": name, "reading": 0.5} for name in names],
                signals=[{"signal": name} for name in names],
                performance={name: {"up": {"rate": 0.5}} for name in names},
                decision_ids=names,
            )
        )
        written = _CountingConnection.sent - before
        found = asyncio.run(memory.read_cycle(performance={name: ["up"] for name in names}))
        read = _CountingConnection.sent - before - written
        pool.disconnect()
        server.shutdown()
    if not is_stored or found["missing"] or len(found["performance"]) != len(names):
        raise RuntimeError(f"a cycle was not stored completely: {found}")
    yield "a cycle's writes to short-term memory, 21 entries", _trips(written), "1 round trip"
    yield "  its reads", _trips(read), "1 round trip"


def _trips(count: int) -> str:
    return f"{count} round trip{'' if count == 1 else 's'}"
