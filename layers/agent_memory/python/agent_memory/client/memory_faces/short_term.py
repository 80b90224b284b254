"""Short-term memory: values that vanish by themselves."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import uuid4

from agent_memory.core.clock import Instant
from agent_memory.core.errors import Unavailable
from agent_memory.core.json_values import Document
from agent_memory.core.retention import CONTEXT_SECONDS, RATE_LIMIT_SECONDS, RECENT_CYCLES
from agent_memory.memory.cycle_memory import CycleMemory
from agent_memory.memory.cycles import Cycle, Performance
from agent_memory.memory.short_term import ShortTermMemory, ShortTermMetrics

_logger = logging.getLogger(__name__)


class ShortTermFace:
    """Short-term memory of one agent. A cache that is away is told by the answer, and counted."""

    short_term: ShortTermMemory
    cycles: CycleMemory

    async def store_stm(self, key: str, data: Any, ttl_seconds: int = CONTEXT_SECONDS) -> bool:
        """Keep a JSON value under a key for `ttl_seconds` (1 to 86,400); whether it was kept.

        An agent goes on without its cache: where that does not answer, the value is not kept and the failure counted.

        Raises:
            InvalidInput: names the argument.
        """
        try:
            await asyncio.to_thread(self.short_term.put, key, data, ttl_seconds)
        except Unavailable as error:
            _logger.warning("%s was not kept in short-term memory: %s", key, error)
            return False
        return True

    async def retrieve_stm(self, key: str) -> Any | None:
        """The value under a key, or None once it has vanished, or where the cache does not answer.

        The latter is counted in `stm_metrics().failures` and logged; `get_context_memory` names it in `missing`.

        Raises:
            InvalidInput: an unusable key.
        """
        try:
            return await asyncio.to_thread(self.short_term.get, key)
        except Unavailable as error:
            _logger.warning("%s cannot be read from short-term memory: %s", key, error)
            return None

    async def clear_stm(self, pattern: str | None = None) -> int:
        """Erase the agent's short-term memory, or the keys that match a glob pattern as `queries:*`; returns how many.

        Raises:
            InvalidInput: an unusable pattern. Unavailable: the cache did not answer, and may hold them still.
        """
        return await asyncio.to_thread(self.short_term.clear, pattern)

    async def write_cycle(
        self,
        *,
        context: Document | None = None,
        queries: Sequence[Any] = (),
        signals: Sequence[Any] = (),
        performance: Performance | None = None,
        decision_ids: Sequence[str] = (),
        cycle_id: str | None = None,
    ) -> bool:
        """Keep what a cycle brought, in one round trip to the cache; whether it was kept.

        Args:
            context: the market now, for an hour.
            queries: the results of this cycle's queries; those of the last ten cycles are kept, for a day.
            signals: that are active from now on, for four hours.
            performance: how sources do, by source and market, for a quarter of an hour.
            decision_ids: of this cycle's decisions, in order, for two hours.
            cycle_id: by which a cycle that is written again is recognised; made up where there is none.

        Raises:
            InvalidInput: names what is unusable.
        """
        cycle = Cycle(
            context=context,
            queries=queries,
            signals=signals,
            performance=performance,
            decision_ids=decision_ids,
            cycle_id=cycle_id or str(uuid4()),
        )
        try:
            await asyncio.to_thread(self.cycles.write, cycle)
        except Unavailable as error:
            _logger.warning("a cycle was not kept in short-term memory: %s", error)
            return False
        return True

    async def read_cycle(
        self,
        *,
        cycles: int = RECENT_CYCLES,
        signals_since: Instant | None = None,
        performance: Mapping[str, Sequence[str]] | None = None,
    ) -> dict[str, Any]:
        """What the last cycles left, in one round trip: `context`, `queries`, `signals`, `decision_ids`, `performance`.

        `missing` names what the cache did not answer; see `CycleMemory.read` for the arguments.

        Raises:
            InvalidInput: names what is unusable.
        """
        read = partial(self.cycles.read, cycles=cycles, signals_since=signals_since, performance=performance)
        return (await asyncio.to_thread(read)).as_dict()

    async def remove_signal(self, signal: Any) -> bool:
        """Take a signal out of the active ones; whether it was among them.

        Raises:
            Unavailable: the cache did not answer, and may hold it still.
        """
        return await asyncio.to_thread(self.cycles.remove_signal, signal)

    async def check_rate_limit(
        self, source_id: str, limit: int, *, window_seconds: int = RATE_LIMIT_SECONDS
    ) -> dict[str, Any]:
        """Count one query of a source: `allowed`, `remaining`, `resets_in_seconds`; see `CycleMemory.take`.

        However many callers ask at once, no more than `limit` are allowed in a window. `is_shared` is false while the
        cache is away and this process counts for itself.

        Raises:
            InvalidInput: names what is unusable.
        """
        return (await asyncio.to_thread(self.cycles.take, source_id, limit, window_seconds)).as_dict()

    def stm_metrics(self) -> ShortTermMetrics:
        """Hits, misses and failures of short-term memory in this process."""
        return self.short_term.metrics
