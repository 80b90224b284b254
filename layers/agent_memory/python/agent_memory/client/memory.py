"""The methods of an agent's memory and state, asynchronous and blocking, over any `MemoryBackend`."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from agent_memory.client.backends import MemoryBackend
from agent_memory.client.executor import in_thread
from agent_memory.client.facade import AsyncFacade, SyncFacade
from agent_memory.core.clock import Instant
from agent_memory.core.json_values import Document
from agent_memory.core.retention import CONTEXT_SECONDS, RATE_LIMIT_SECONDS, RECENT_CYCLES
from agent_memory.decisions.queries import TimeRange
from agent_memory.memory.cycles import Cycle, Performance
from agent_memory.model.memories import MemoryType


class AsyncMemory(AsyncFacade):
    """An agent's short-term memory, long-term memory and state, to be awaited."""

    _memory: MemoryBackend

    @property
    def pools(self) -> tuple[str, ...]:
        """The pools that are read together with the agent's own long-term memory."""
        return self._memory.pools

    # --- short-term memory ---------------------------------------------------------------------

    async def store_stm(self, key: str, data: Any, ttl_seconds: int = CONTEXT_SECONDS) -> bool:
        """Keep a JSON value under a key for `ttl_seconds` (1 to 86,400); whether it was kept.

        An agent goes on without its cache: where that does not answer, the value is not kept and the failure counted.

        Raises:
            InvalidInput: names the argument. Unavailable: over HTTP, the API or its cache did not respond.
        """
        return await in_thread(self._memory.store_stm, key, data, ttl_seconds)

    async def retrieve_stm(self, key: str) -> Any | None:
        """The value under a key, or None once it has expired, or where the cache does not answer.

        The latter is logged and counted in `stm_metrics().failures`; `get_context_memory` names it in `missing`.

        Raises:
            InvalidInput: an unusable key. Unavailable: over HTTP, the API or its cache did not respond.
        """
        return await in_thread(self._memory.retrieve_stm, key)

    async def clear_stm(self, pattern: str | None = None) -> int:
        """Erase the agent's short-term memory, or the keys that match a glob pattern as `queries:*`; returns how many.

        Raises:
            InvalidInput: an unusable pattern. Unavailable: the cache did not respond, and may hold them still.
        """
        return await in_thread(self._memory.clear_stm, pattern)

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
            cycle_id: by which a cycle that is written again is recognised; generated where there is none.

        Raises:
            InvalidInput: names the argument. Unavailable: over HTTP, the API or its cache did not respond.
        """
        cycle = Cycle(context, queries, signals, performance, decision_ids, cycle_id or str(uuid4()))
        return await in_thread(self._memory.write_cycle, cycle)

    async def read_cycle(
        self,
        *,
        cycles: int = RECENT_CYCLES,
        signals_since: Instant | None = None,
        performance: Mapping[str, Sequence[str]] | None = None,
    ) -> dict[str, Any]:
        """What the last cycles left, in one round trip: `context`, `queries`, `signals`, `decision_ids`, `performance`.

        `missing` names what the cache did not respond.

        Args:
            cycles: of how many cycles (1 to 10) to read the queries.
            signals_since: signals from this moment on; left out, all active ones.
            performance: the markets whose figures to read, by source.

        Raises:
            InvalidInput: names the argument. Unavailable: over HTTP, the API did not respond.
        """
        read = self._memory.read_cycle
        return await in_thread(read, cycles=cycles, signals_since=signals_since, performance=performance)

    async def remove_signal(self, signal: Any) -> bool:
        """Remove a signal from the active ones; whether it was among them.

        Raises:
            Unavailable: the cache did not respond, and may hold it still.
        """
        return await in_thread(self._memory.remove_signal, signal)

    async def check_rate_limit(
        self, source_id: str, limit: int, *, window_seconds: int = RATE_LIMIT_SECONDS
    ) -> dict[str, Any]:
        """Count one query of a source: `allowed`, `remaining`, `resets_in_seconds`, `is_shared`.

        However many callers ask at once, no more than `limit` are allowed in a window. `is_shared` is false while the
        cache is away and each process counts for itself. Over HTTP a request that is repeated because its response was
        lost counts twice: never one too many is allowed.

        Raises:
            InvalidInput: names the argument. Unavailable: over HTTP, the API did not respond.
        """
        return await in_thread(self._memory.check_rate_limit, source_id, limit, window_seconds)

    # --- long-term memory ----------------------------------------------------------------------

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
            Unavailable: the table did not respond.
        """
        store = self._memory.store_ltm
        return await in_thread(store, memory_type, pattern_id, data, reason=reason, expected_version=expected_version)

    async def retrieve_ltm(
        self, memory_type: str, filters: Document | None = None, *, as_of: Instant | None = None
    ) -> list[dict[str, Any]]:
        """Memories of a type that meet every filter, most confident first; with `as_of`, as they were known then.

        Those of the agent's pools are among its own; `agent_id` says whose each is. `filters` holds fields of the data
        with their values, and `min_confidence`.

        Raises:
            InvalidInput: names the argument. Unavailable: the table did not respond.
        """
        return await in_thread(self._memory.retrieve_ltm, memory_type, filters, as_of=as_of)

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
            InvalidInput: names the argument. NotFound: no such memory. Unavailable: the table did not respond.
        """
        return await in_thread(
            self._memory.update_ltm_confidence, memory_type, pattern_id, new_confidence, reason=reason
        )

    async def get_ltm_history(self, memory_type: str, pattern_id: str) -> list[dict[str, Any]]:
        """Every change of a memory, oldest first: `version`, `at`, `changed_by`, `reason`, `removed` and `changes`.

        `changes` has the values of each changed field `before` and `after`. A memory that was never stored has no
        history.

        Raises:
            InvalidInput: names the argument. Unavailable: the table did not respond.
        """
        return await in_thread(self._memory.get_ltm_history, memory_type, pattern_id)

    async def consolidate_to_ltm(self, stm_key: str, pattern_type: str = MemoryType.PATTERN) -> dict[str, Any]:
        """Keep the value of a key of short-term memory as a long-term memory; returns it as stored.

        Its id is its own `pattern_id`, or the key. Doing it again changes nothing while the value is the same.

        Raises:
            InvalidInput: an unusable key or type, or the value is no JSON object. NotFound: it has expired.
            Unavailable: cache or table did not respond.
        """
        return await in_thread(self._memory.consolidate_to_ltm, stm_key, pattern_type)

    # --- all levels ----------------------------------------------------------------------------

    async def get_context_memory(
        self,
        time_range: TimeRange | None = None,
        context_filter: Document | None = None,
        *,
        limit: int = 100,
        level: str | None = None,
    ) -> dict[str, Any]:
        """What the agent met in a time and context, newest first, from all levels read concurrently.

        Args:
            time_range: (from, up to and not including), either None for open.
            context_filter: a part of the context; names that it lacks are looked for in its `market`.
            limit: how many entries at most (1 to 1,000).
            level: read `immediate` (< 1 h), `recent` (1-24 h), `historical` (1-30 days) or `archive` only.

        Returns:
            `entries`, each a decision with its `level`, or the current context of short-term memory; `complete`, false
            if a level did not respond or is being restored from Glacier; `missing`, which levels and why; `levels`,
            those that were read; `off`, `short_term` if there is no cache for the current context.

        Raises:
            InvalidInput: names the argument. Unavailable: a store is down, and the others had nothing.
        """
        return await in_thread(self._memory.get_context_memory, time_range, context_filter, limit=limit, level=level)

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

        Its pools' memories count as its own. The score is importance × 0.5^(age / half-life) + similarity: a memory's
        importance is its confidence, a decision's its outcome's `quality` (0.5 where that was not measured); similarity
        is BM25 over their words. Over HTTP each pool is ranked by itself: how rare a word is counts within the agent's
        memory or one pool's.

        Args:
            query: in words; without it what is important and fresh comes first.
            kind: a type of memory or of decision.
            symbol: entries that name it (`symbol` in a memory's data, or in a decision's context or reasoning).
            top_k: how many at most (1 to 1,000).
            explain: add `why`, the parts of each score.
            half_lives: seconds by kind; left out, 30 days for memories and one for decisions.

        Returns:
            Each with `kind`, `score`, and `memory` or `decision`.

        Raises:
            InvalidInput: names the argument. Unavailable: the table did not respond.
        """
        find = self._memory.recall
        return await in_thread(
            find, query, kind=kind, symbol=symbol, top_k=top_k, explain=explain, half_lives=half_lives
        )

    # --- state ---------------------------------------------------------------------------------

    async def save_state(self, state: Document, *, expected_version: int | None = None) -> dict[str, Any]:
        """Make this the agent's current state; returns `data`, `version` and `updated_at`.

        With `expected_version` (0: none yet) it replaces that version or nothing. A change of `state["configuration"]`
        is kept in the history of configurations.

        Raises:
            InvalidInput: names the field. Conflict: another version is the current one.
            Unavailable: the table did not respond.
        """
        return await in_thread(self._memory.save_state, state, expected_version=expected_version)

    async def load_state(self, *, fresh: bool = False) -> dict[str, Any] | None:
        """The agent's current state: `data`, `version` and `updated_at`; None where none was saved.

        It comes from short-term memory where that has it, which is as new as the table but for one case: a writer that
        lost the cache while saving leaves the version before it there, for five minutes at most. `fresh` reads the
        table; so does every save, whose `expected_version` is compared with nothing else.

        Raises:
            Unavailable: neither of the two answered.
        """
        return await in_thread(self._memory.load_state, fresh=fresh)

    async def create_checkpoint(self, name: str) -> dict[str, Any]:
        """Keep the current state under a name; it replaces an earlier checkpoint of that name.

        Raises:
            InvalidInput: an unusable name. NotFound: there is no current state. Conflict: another writer came first.
        """
        return await in_thread(self._memory.create_checkpoint, name)

    async def list_checkpoints(self) -> list[dict[str, Any]]:
        """`name`, `version` and `saved_at` of every checkpoint, in order of their names."""
        return await in_thread(self._memory.list_checkpoints)

    async def restore_checkpoint(self, name: str, *, expected_version: int | None = None) -> dict[str, Any]:
        """Make a checkpoint the current state again, as its next version.

        Raises:
            InvalidInput: an unusable name. NotFound: no such checkpoint. Conflict: another version is the current one.
        """
        return await in_thread(self._memory.restore_checkpoint, name, expected_version=expected_version)

    async def list_configurations(self) -> list[dict[str, Any]]:
        """Every configuration the agent had, oldest first: `configuration`, `state_version` and `since`."""
        return await in_thread(self._memory.list_configurations)


class SyncMemory(SyncFacade):
    """The same methods for code without asyncio: each returns what `AsyncMemory`'s of its name does."""

    _memory: MemoryBackend

    @property
    def pools(self) -> tuple[str, ...]:
        """The pools that are read together with the agent's own long-term memory."""
        return self._memory.pools

    def store_stm(self, key: str, data: Any, ttl_seconds: int = CONTEXT_SECONDS) -> bool:
        """Keep a JSON value under a key; see `AsyncMemory.store_stm`."""
        return self._memory.store_stm(key, data, ttl_seconds)

    def retrieve_stm(self, key: str) -> Any | None:
        """The value under a key, or None; see `AsyncMemory.retrieve_stm`."""
        return self._memory.retrieve_stm(key)

    def clear_stm(self, pattern: str | None = None) -> int:
        """Erase short-term memory, or keys that match a pattern; see `AsyncMemory.clear_stm`."""
        return self._memory.clear_stm(pattern)

    def write_cycle(
        self,
        *,
        context: Document | None = None,
        queries: Sequence[Any] = (),
        signals: Sequence[Any] = (),
        performance: Performance | None = None,
        decision_ids: Sequence[str] = (),
        cycle_id: str | None = None,
    ) -> bool:
        """Keep what a cycle brought; see `AsyncMemory.write_cycle`."""
        cycle = Cycle(context, queries, signals, performance, decision_ids, cycle_id or str(uuid4()))
        return self._memory.write_cycle(cycle)

    def read_cycle(
        self,
        *,
        cycles: int = RECENT_CYCLES,
        signals_since: Instant | None = None,
        performance: Mapping[str, Sequence[str]] | None = None,
    ) -> dict[str, Any]:
        """What the last cycles left; see `AsyncMemory.read_cycle`."""
        return self._memory.read_cycle(cycles=cycles, signals_since=signals_since, performance=performance)

    def remove_signal(self, signal: Any) -> bool:
        """Remove a signal from the active ones; see `AsyncMemory.remove_signal`."""
        return self._memory.remove_signal(signal)

    def check_rate_limit(
        self, source_id: str, limit: int, *, window_seconds: int = RATE_LIMIT_SECONDS
    ) -> dict[str, Any]:
        """Count one query of a source; see `AsyncMemory.check_rate_limit`."""
        return self._memory.check_rate_limit(source_id, limit, window_seconds)

    def store_ltm(
        self,
        memory_type: str,
        pattern_id: str,
        data: Document,
        *,
        reason: str | None = None,
        expected_version: int | None = None,
    ) -> dict[str, Any]:
        """Store a memory, or its next version; see `AsyncMemory.store_ltm`."""
        return self._memory.store_ltm(memory_type, pattern_id, data, reason=reason, expected_version=expected_version)

    def retrieve_ltm(
        self, memory_type: str, filters: Document | None = None, *, as_of: Instant | None = None
    ) -> list[dict[str, Any]]:
        """Memories of a type that meet every filter; see `AsyncMemory.retrieve_ltm`."""
        return self._memory.retrieve_ltm(memory_type, filters, as_of=as_of)

    def get_pattern_memory(
        self, pattern_type: str = MemoryType.PATTERN, min_confidence: float = 0.7, *, as_of: Instant | None = None
    ) -> list[dict[str, Any]]:
        """Memories of a type from a confidence on; see `AsyncMemory.get_pattern_memory`."""
        return self.retrieve_ltm(pattern_type, {"min_confidence": min_confidence}, as_of=as_of)

    def update_ltm_confidence(
        self,
        pattern_id: str,
        new_confidence: float,
        *,
        memory_type: str = MemoryType.PATTERN,
        reason: str | None = None,
    ) -> dict[str, Any]:
        """Store a memory with another confidence; see `AsyncMemory.update_ltm_confidence`."""
        return self._memory.update_ltm_confidence(memory_type, pattern_id, new_confidence, reason=reason)

    def get_ltm_history(self, memory_type: str, pattern_id: str) -> list[dict[str, Any]]:
        """Every change of a memory, oldest first; see `AsyncMemory.get_ltm_history`."""
        return self._memory.get_ltm_history(memory_type, pattern_id)

    def consolidate_to_ltm(self, stm_key: str, pattern_type: str = MemoryType.PATTERN) -> dict[str, Any]:
        """Keep a short-term value as a long-term memory; see `AsyncMemory.consolidate_to_ltm`."""
        return self._memory.consolidate_to_ltm(stm_key, pattern_type)

    def get_context_memory(
        self,
        time_range: TimeRange | None = None,
        context_filter: Document | None = None,
        *,
        limit: int = 100,
        level: str | None = None,
    ) -> dict[str, Any]:
        """What the agent met in a time and context; see `AsyncMemory.get_context_memory`."""
        return self._memory.get_context_memory(time_range, context_filter, limit=limit, level=level)

    def recall(
        self,
        query: str = "",
        kind: str | None = None,
        symbol: str | None = None,
        top_k: int = 5,
        explain: bool = False,
        *,
        half_lives: Mapping[str, float] | None = None,
    ) -> list[dict[str, Any]]:
        """What the agent knows about something, ranked; see `AsyncMemory.recall`."""
        find = self._memory.recall
        return find(query, kind=kind, symbol=symbol, top_k=top_k, explain=explain, half_lives=half_lives)

    def save_state(self, state: Document, *, expected_version: int | None = None) -> dict[str, Any]:
        """Make this the agent's current state; see `AsyncMemory.save_state`."""
        return self._memory.save_state(state, expected_version=expected_version)

    def load_state(self, *, fresh: bool = False) -> dict[str, Any] | None:
        """The agent's current state, None where none was saved; see `AsyncMemory.load_state`."""
        return self._memory.load_state(fresh=fresh)

    def create_checkpoint(self, name: str) -> dict[str, Any]:
        """Keep the current state under a name; see `AsyncMemory.create_checkpoint`."""
        return self._memory.create_checkpoint(name)

    def list_checkpoints(self) -> list[dict[str, Any]]:
        """Every checkpoint, in order of their names; see `AsyncMemory.list_checkpoints`."""
        return self._memory.list_checkpoints()

    def restore_checkpoint(self, name: str, *, expected_version: int | None = None) -> dict[str, Any]:
        """Make a checkpoint the current state again; see `AsyncMemory.restore_checkpoint`."""
        return self._memory.restore_checkpoint(name, expected_version=expected_version)

    def list_configurations(self) -> list[dict[str, Any]]:
        """Every configuration the agent had, oldest first; see `AsyncMemory.list_configurations`."""
        return self._memory.list_configurations()
