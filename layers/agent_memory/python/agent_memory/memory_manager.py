"""`MemoryManager`: the async face of an agent's short-term and long-term memory."""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from agent_memory import keys
from agent_memory.agent_data import AgentData
from agent_memory.agent_state import AgentStates
from agent_memory.clock import Clock, Instant, SystemClock
from agent_memory.cycle_memory import CycleMemory, Performance
from agent_memory.decision_log import DecisionLog
from agent_memory.decision_queries import TimeRange
from agent_memory.errors import Unavailable
from agent_memory.hierarchy import Hierarchy
from agent_memory.memories import LongTermMemory, consolidate_value
from agent_memory.models import Document, MemoryType
from agent_memory.retention import CONTEXT_SECONDS, RATE_LIMIT_SECONDS, RECENT_CYCLES
from agent_memory.short_term import ShortTermMemory, ShortTermMetrics
from agent_memory.stores.connections import Stores, open_stores, with_short_term

_logger = logging.getLogger(__name__)


class MemoryManager:
    """An agent's hierarchical memory: short term in Redis or Valkey, long term in DynamoDB.

    Give clients (`redis_client`, `dynamodb_client`), or names to open them by (`redis_endpoint` as
    `host:port`, `dynamodb_table_prefix`, `archive_bucket`), or ready `stores`. What is not given is
    opened as the environment says: see `stores.connections.open_stores`. Without any Redis, short-term memory is kept
    in this process.
    """

    def __init__(
        self,
        agent_id: str,
        redis_client: Any = None,
        dynamodb_client: Any = None,
        *,
        redis_endpoint: str | None = None,
        dynamodb_table_prefix: str | None = None,
        archive_bucket: str | None = None,
        stores: Stores | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.agent_id = keys.check_agent_id(agent_id)
        self.stores = stores or with_short_term(
            open_stores(
                table_prefix=dynamodb_table_prefix,
                archive_bucket=archive_bucket,
                redis_endpoint=redis_endpoint,
                dynamodb_client=dynamodb_client,
                redis_client=redis_client,
                clock=clock,
            ),
            clock,
        )
        self._clock = clock = clock or SystemClock()
        self.long_term = LongTermMemory(agent_id, self.stores.memories, clock)
        self.short_term = ShortTermMemory(agent_id, self.stores.short_term)
        self.cycles = CycleMemory(self.short_term, clock)
        self.states = AgentStates(agent_id, self.stores.states, clock)
        self._log = DecisionLog(agent_id, self.stores, clock)
        self.hierarchy = Hierarchy(self._log, self.short_term, clock)

    # --- short term ----------------------------------------------------------------------------

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
    ) -> bool:
        """Keep what a cycle brought, in one round trip to the cache; whether it was kept.

        Args:
            context: the market now, for an hour.
            queries: the results of this cycle's queries; those of the last ten cycles are kept, for a day.
            signals: that are active from now on, for four hours.
            performance: how sources do, by source and market, for a quarter of an hour.
            decision_ids: of this cycle's decisions, in order, for two hours.

        Raises:
            InvalidInput: names what is unusable.
        """
        write = partial(self.cycles.write, context=context, queries=queries, signals=signals)
        try:
            await asyncio.to_thread(write, performance=performance, decision_ids=decision_ids)
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

    # --- long term -----------------------------------------------------------------------------

    async def store_ltm(
        self,
        memory_type: str,
        pattern_id: str,
        data: Document,
        *,
        reason: str | None = None,
        expected_version: int | None = None,
    ) -> dict[str, Any]:
        """Store a memory, or its next version where it has changed; returns it as stored.

        `data["confidence"]`, 0 to 1, orders memories of a type; without one it is 0. `reason` is kept with the version.
        With `expected_version` (0: none yet) the change is made to that version or not at all.

        Raises:
            InvalidInput: names the field. Conflict: the memory is at another version than was expected.
            Unavailable: the table did not answer.
        """
        put = self.long_term.put
        stored = await asyncio.to_thread(
            put, memory_type, pattern_id, data, reason=reason, expected_version=expected_version
        )
        return stored.as_dict()

    async def retrieve_ltm(
        self, memory_type: str, filters: Document | None = None, *, as_of: Instant | None = None
    ) -> list[dict[str, Any]]:
        """Memories of a type that meet every filter, most confident first; with `as_of`, as they were known then.

        `filters` holds fields of the data with their values, and `min_confidence` where wanted.

        Raises:
            InvalidInput: names the argument. Unavailable: the table did not answer.
        """
        found = await asyncio.to_thread(self.long_term.find, memory_type, filters, as_of=as_of)
        return [memory.as_dict() for memory in found]

    async def get_pattern_memory(
        self, pattern_type: str = MemoryType.PATTERN, min_confidence: float = 0.7, *, as_of: Instant | None = None
    ) -> list[dict[str, Any]]:
        """Memories of a type from a confidence (0 to 1) on, most confident first; see `retrieve_ltm`."""
        return await self.retrieve_ltm(pattern_type, {"min_confidence": min_confidence}, as_of=as_of)

    async def update_ltm_confidence(
        self,
        pattern_id: str,
        new_confidence: float,
        *,
        memory_type: str = MemoryType.PATTERN,
        reason: str | None = None,
    ) -> dict[str, Any]:
        """Store the next version of a memory with another confidence (0 to 1); returns it as stored.

        Raises:
            InvalidInput: names the argument. NotFound: no such memory. Unavailable: the table did not answer.
        """
        change = self.long_term.set_confidence
        return (await asyncio.to_thread(change, memory_type, pattern_id, new_confidence, reason=reason)).as_dict()

    async def get_ltm_history(self, memory_type: str, pattern_id: str) -> list[dict[str, Any]]:
        """Every change of a memory, oldest first: `version`, `at`, `changed_by`, `reason`, `removed` and `changes`.

        `changes` tells each field `before` and `after`. A memory that never was has no history.

        Raises:
            InvalidInput: names the argument. Unavailable: the table did not answer.
        """
        return await asyncio.to_thread(self.long_term.changes, memory_type, pattern_id)

    async def consolidate_to_ltm(self, stm_key: str, pattern_type: str = MemoryType.PATTERN) -> dict[str, Any]:
        """Keep what lies under a key of short-term memory as a long-term memory; returns it as stored.

        Its id is its own `pattern_id`, or the key. Doing it again changes nothing while the value is the same.

        Raises:
            InvalidInput: an unusable key or type, or the value is no JSON object. NotFound: it has vanished.
            Unavailable: cache or table did not answer.
        """
        return (
            await asyncio.to_thread(consolidate_value, self.short_term, self.long_term, stm_key, pattern_type)
        ).as_dict()

    # --- state ---------------------------------------------------------------------------------

    async def save_state(self, state: Document, *, expected_version: int | None = None) -> dict[str, Any]:
        """Make this the agent's current state; returns `data`, `version` and `updated_at`.

        With `expected_version` (0: none yet) only in place of that version. A change of `state["configuration"]` is
        kept in the history of configurations.

        Raises:
            InvalidInput: names the field. Conflict: another version is the current one.
            Unavailable: the table did not answer.
        """
        return (await asyncio.to_thread(self.states.save, state, expected_version=expected_version)).as_dict()

    async def load_state(self) -> dict[str, Any] | None:
        """The agent's current state: `data`, `version` and `updated_at`; None where none was saved."""
        state = await asyncio.to_thread(self.states.current)
        return state.as_dict() if state else None

    async def create_checkpoint(self, name: str) -> dict[str, Any]:
        """Keep the current state under a name, in place of an earlier checkpoint of that name.

        Raises:
            InvalidInput: an unusable name. NotFound: there is no current state. Conflict: another writer came first.
        """
        return (await asyncio.to_thread(self.states.checkpoint, name)).as_dict()

    async def list_checkpoints(self) -> list[dict[str, Any]]:
        """`name`, `version` and `saved_at` of every checkpoint, in order of their names."""
        return await asyncio.to_thread(self.states.checkpoints)

    async def restore_checkpoint(self, name: str, *, expected_version: int | None = None) -> dict[str, Any]:
        """Make a checkpoint the current state again, as its next version.

        Raises:
            InvalidInput: an unusable name. NotFound: no such checkpoint. Conflict: another version is the current one.
        """
        return (await asyncio.to_thread(self.states.restore, name, expected_version=expected_version)).as_dict()

    async def list_configurations(self) -> list[dict[str, Any]]:
        """Every configuration the agent had, oldest first: `configuration`, `state_version` and `since`."""
        return await asyncio.to_thread(self.states.configurations)

    # --- all levels ----------------------------------------------------------------------------

    async def get_context_memory(
        self,
        time_range: TimeRange | None = None,
        context_filter: Document | None = None,
        *,
        limit: int = 100,
        level: str | None = None,
    ) -> dict[str, Any]:
        """What the agent met in a time and context, newest first, from all levels asked side by side.

        Args:
            time_range: (from, up to and not including), either None for open.
            context_filter: a part of the context; names that it lacks are looked for in its `market`.
            limit: how many entries at most (1 to 1,000).
            level: ask `immediate` (< 1 h), `recent` (1-24 h), `historical` (1-30 days) or `archive` only.

        Returns:
            `entries`, each a decision with its `level`, or the current context of short-term memory; `complete`, false
            where a level did not answer; `missing`, which and why; `levels`, those that were asked.

        Raises:
            InvalidInput: names the argument. Unavailable: no level answered.
        """
        return await asyncio.to_thread(self.hierarchy.contexts, time_range, context_filter, limit=limit, level=level)

    async def recall(
        self,
        query: str = "",
        kind: str | None = None,
        symbol: str | None = None,
        top_k: int = 5,
        explain: bool = False,
        *,
        half_lives: Mapping[str, float] | None = None,
    ) -> list[dict[str, Any]]:
        """What the agent knows about something: long-term memories and the decisions of the last 24 hours, ranked.

        The score is importance × 0.5^(age / half-life) + similarity. A memory's importance is its confidence, a
        decision's its outcome's `quality` (0.5 where that was not measured); similarity is BM25 over their words.

        Args:
            query: in words; without it what is important and fresh comes first.
            kind: a type of memory or of decision.
            symbol: of what names one (`symbol` in a memory's data, or in a decision's context or reasoning).
            top_k: how many at most (1 to 1,000).
            explain: add `why`, the parts of each score.
            half_lives: seconds by kind; left out, 30 days for memories and one for decisions.

        Returns:
            Each with `kind`, `score`, and `memory` or `decision`.

        Raises:
            InvalidInput: names the argument. Unavailable: the table did not answer.
        """
        from agent_memory.memory_recall import MemoryRecall  # noqa: PLC0415  numpy, which few callers need

        ranking = MemoryRecall(self.long_term, self._log, self._clock).recall
        rank = partial(ranking, query, kind=kind, symbol=symbol, top_k=top_k, explain=explain, half_lives=half_lives)
        return await asyncio.to_thread(rank)

    # --- the whole -----------------------------------------------------------------------------

    async def export(self, path: Path | str, *, memory_types: Iterable[str] = tuple(MemoryType)) -> dict[str, Any]:
        """Write everything that is kept of the agent into a zip file and return a receipt; see `AgentData.export`."""
        data = AgentData(self.agent_id, self.stores, self._clock)
        return await asyncio.to_thread(data.export, Path(path), memory_types)

    async def forget(self, *, dry_run: bool = True) -> dict[str, Any]:
        """Erase everything that is kept of the agent, or only count it, and return a receipt; see `AgentData.forget`.

        Needs permissions on whole tables and all object versions, which no deployed function has.
        """
        data = AgentData(self.agent_id, self.stores, self._clock)
        return await asyncio.to_thread(data.forget, dry_run=dry_run)
