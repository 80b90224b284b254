"""Counts reads of memories in the cache, so that a read costs no write; a nightly step adds them to the memories.

stm:accesses:{agent}:2026-11-24    type/id -> count, time of the last read    hash    7 days
"""

import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from agent_memory.core import keys
from agent_memory.core.clock import Clock, date_of
from agent_memory.core.errors import Unavailable, Unreadable
from agent_memory.core.retention import ACCESSES_SECONDS
from agent_memory.memory.short_term import ShortTermMemory
from agent_memory.model.memories import Memory
from agent_memory.ports.memories import Access
from agent_memory.ports.short_term import IncrementCounters, ReadCounters
from agent_memory.ports.stores import Stores

_logger = logging.getLogger(__name__)
_DAYS_KEPT = ACCESSES_SECONDS // 86_400


class AccessCounts:
    """Counts reads of memories in the cache of `short_term`. Every method blocks."""

    def __init__(self, short_term: ShortTermMemory, clock: Clock) -> None:
        self._short_term = short_term
        self._clock = clock

    def record(self, memories: Iterable[Memory]) -> None:
        """Count a read of each of these memories. The reads are not counted if the cache does not respond."""
        if not self._short_term.is_configured:
            return
        now_ms = self._clock.now_ms()
        names: dict[str, list[str]] = defaultdict(list)
        for memory in memories:
            names[memory.agent_id].append(f"{memory.memory_type}/{memory.pattern_id}")
        for agent_id, read_names in names.items():
            command = IncrementCounters(_key(agent_id, date_of(now_ms)), tuple(read_names), now_ms, ACCESSES_SECONDS)
            try:
                self._short_term.run([command])
            except Unavailable as error:
                _logger.info("%d reads of memories were not counted: %s", len(read_names), error)


def flush_access_counts(agent_id: str, day: date, stores: Stores) -> dict[str, Any]:
    """Add the reads counted up to the end of a UTC day to the memories. Repeating it changes nothing.

    Returns:
        `memories`: the number of memories that were updated; `missing`: why the cache, or a day in it, could not be
        read, or None.

    Raises:
        Unavailable: the table did not respond; the counts remain in the cache for the next nightly job.
    """
    days = [day - timedelta(days=ago) for ago in reversed(range(_DAYS_KEPT + 1))]
    try:
        short_term = ShortTermMemory(agent_id, stores.short_term)
        counters = short_term.run_each([ReadCounters(_key(agent_id, one)) for one in days])
    except Unavailable as error:
        return {"memories": 0, "missing": str(error)}
    updated, missing = 0, None
    for one, counts in zip(days, counters, strict=True):
        if isinstance(counts, Unreadable):
            missing = str(counts)
            continue
        accesses = [_access(name, count, last_ms) for name, (count, last_ms) in sorted(counts.items())]
        updated += stores.memories.add_accesses(agent_id, accesses, one)
    return {"memories": updated, "missing": missing}


def _key(agent_id: str, day: date) -> str:
    return f"{keys.accesses_prefix(agent_id)}{day.isoformat()}"


def _access(name: str, count: int, last_ms: int) -> Access:
    memory_type, _, pattern_id = name.partition("/")
    return Access(memory_type, pattern_id, count, last_ms)
