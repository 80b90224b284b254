"""How often memories are read: counted in short-term memory, so that no read costs a write, and flushed nightly.

stm:accesses:{agent}:2026-11-24    type/id -> how often, and when last    hash    7 days
"""

import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from agent_memory.core import keys
from agent_memory.core.clock import Clock, date_of
from agent_memory.core.errors import Unavailable
from agent_memory.core.retention import ACCESSES_SECONDS
from agent_memory.memory.short_term import ShortTermMemory
from agent_memory.model.memories import Memory
from agent_memory.ports.memories import Access
from agent_memory.ports.short_term import IncrementCounters, ReadCounters
from agent_memory.ports.stores import Stores

_logger = logging.getLogger(__name__)
_DAYS_KEPT = ACCESSES_SECONDS // 86_400


class AccessCounts:
    """Counts reads of memories in the cache that `short_term` uses. Every method blocks."""

    def __init__(self, short_term: ShortTermMemory, clock: Clock) -> None:
        self._short_term = short_term
        self._clock = clock

    def record(self, memories: Iterable[Memory]) -> None:
        """Count that these memories were read; where the cache does not answer, they are not counted."""
        if not self._short_term.is_configured:
            return
        now_ms = self._clock.now_ms()
        names: dict[str, list[str]] = defaultdict(list)
        for memory in memories:
            names[memory.agent_id].append(f"{memory.memory_type}/{memory.pattern_id}")
        for agent_id, read in names.items():
            counted = IncrementCounters(_key(agent_id, date_of(now_ms)), tuple(read), now_ms, ACCESSES_SECONDS)
            try:
                self._short_term.run([counted])
            except Unavailable as error:
                _logger.info("%d reads of memories were not counted: %s", len(read), error)


def flush_access_counts(agent_id: str, day: date, stores: Stores) -> dict[str, Any]:
    """Add what was counted up to the end of a UTC day to the memories themselves; once more changes nothing.

    Returns:
        `memories`: how many were counted for; `missing`: why the cache could not be asked, else None.

    Raises:
        Unavailable: the table did not respond; counts stay in the cache for the next night.
    """
    days = [day - timedelta(days=ago) for ago in reversed(range(_DAYS_KEPT + 1))]
    try:
        counted = ShortTermMemory(agent_id, stores.short_term).run([ReadCounters(_key(agent_id, one)) for one in days])
    except Unavailable as error:
        return {"memories": 0, "missing": str(error)}
    flushed = 0
    for one, names in zip(days, counted, strict=True):
        accesses = [_access(name, count, last_ms) for name, (count, last_ms) in sorted(names.items())]
        flushed += stores.memories.add_accesses(agent_id, accesses, one)
    return {"memories": flushed, "missing": None}


def _key(agent_id: str, day: date) -> str:
    return f"{keys.accesses_prefix(agent_id)}{day.isoformat()}"


def _access(name: str, count: int, last_ms: int) -> Access:
    memory_type, _, pattern_id = name.partition("/")
    return Access(memory_type, pattern_id, count, last_ms)
