"""`MemoryManager`: the memory and state of an agent, directly on the stores."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from agent_memory.admin.agent_data import AgentData
from agent_memory.client.backends import MemoryBackend
from agent_memory.client.connect import Connection, HttpApi, connected, over_http
from agent_memory.client.emitted_metrics import EmittedMetrics
from agent_memory.client.executor import in_thread
from agent_memory.client.memory import AsyncMemory, SyncMemory
from agent_memory.core.checks import check_text
from agent_memory.core.clock import Clock, Instant, parse_date
from agent_memory.core.errors import Unavailable
from agent_memory.core.json_values import Document
from agent_memory.decisions.queries import DecisionFilter, TimeRange
from agent_memory.memory.advice import AdviceQuery
from agent_memory.memory.agent_memory import AgentMemory
from agent_memory.memory.cycles import Cycle
from agent_memory.memory.long_term import consolidate_value
from agent_memory.memory.quarantines import released_somewhere
from agent_memory.memory.recall_query import RecallQuery
from agent_memory.memory.short_term import NEEDS_ATTENTION, ShortTermMetrics
from agent_memory.memory.similar import SimilarQuery
from agent_memory.model.listings import Listing
from agent_memory.model.memories import MAX_REASON, Memory, MemoryType
from agent_memory.ports.stores import Stores
from agent_memory.storage.factory import open_stores, with_short_term

_logger = logging.getLogger(__name__)


class DirectMemory:
    """`MemoryBackend` directly on the stores.

    Failures of the cache are logged and counted, and the value is left out, so that an agent keeps working without it.
    Wrong settings and unreadable values are errors.
    """

    def __init__(self, memory: AgentMemory) -> None:
        self.memory = memory
        self.agent_id = memory.agent_id
        self.pools = memory.pools
        self._metrics = EmittedMetrics(memory.clock)

    def write_metrics(self, stream: TextIO | None) -> bool:
        """See `MemoryManager.write_metrics`."""
        return self._metrics.write(self.memory.short_term.metrics, stream)

    def close(self) -> None:
        """Does nothing: stores have no connections that must be closed."""

    def pool(self, name: str) -> "DirectMemory":
        """See `MemoryBackend`."""
        return DirectMemory(self.memory.pool(name))

    def store_stm(self, key: str, data: Any, ttl_seconds: int) -> bool:
        """See `MemoryBackend`."""
        try:
            self.memory.short_term.put(key, data, ttl_seconds)
        except NEEDS_ATTENTION:
            raise
        except Unavailable as error:
            _logger.warning("%s was not stored in short-term memory: %s", key, error)
            return False
        return True

    def retrieve_stm(self, key: str, *, strict: bool) -> Any | None:
        """See `MemoryBackend`."""
        try:
            return self.memory.short_term.get(key)
        except NEEDS_ATTENTION:
            raise
        except Unavailable as error:
            if strict:
                raise
            _logger.warning("%s cannot be read from short-term memory: %s", key, error)
            return None

    def clear_stm(self, pattern: str | None) -> int:
        """See `MemoryBackend`."""
        return self.memory.short_term.clear(pattern)

    def write_cycle(self, cycle: Cycle) -> bool:
        """See `MemoryBackend`."""
        try:
            self.memory.cycles.write(cycle)
        except NEEDS_ATTENTION:
            raise
        except Unavailable as error:
            _logger.warning("a cycle was not stored in short-term memory: %s", error)
            return False
        return True

    def read_cycle(
        self, *, cycles: int, signals_since: Instant | None, performance: Mapping[str, Sequence[str]] | None
    ) -> dict[str, Any]:
        """See `MemoryBackend`."""
        read = self.memory.cycles.read
        return read(cycles=cycles, signals_since=signals_since, performance=performance).as_dict()

    def remove_signal(self, signal: Any) -> bool:
        """See `MemoryBackend`."""
        return self.memory.cycles.remove_signal(signal)

    def check_rate_limit(self, source_id: str, limit: int, window_seconds: int) -> dict[str, Any]:
        """See `MemoryBackend`."""
        return self.memory.cycles.check_rate_limit(source_id, limit, window_seconds).as_dict()

    def store_ltm(
        self, memory_type: str, pattern_id: str, data: Document, *, reason: str | None, expected_version: int | None
    ) -> dict[str, Any]:
        """See `MemoryBackend`."""
        put = self.memory.long_term.put
        return put(memory_type, pattern_id, data, reason=reason, expected_version=expected_version).as_dict()

    def get_ltm(self, memory_type: str, pattern_id: str) -> dict[str, Any]:
        """See `MemoryBackend`."""
        return self.memory.reader.get(memory_type, pattern_id).as_dict()

    def delete_ltm(
        self, memory_type: str, pattern_id: str, *, reason: str, expected_version: int | None
    ) -> dict[str, Any]:
        """See `MemoryBackend`."""
        delete = self.memory.long_term.delete
        return delete(memory_type, pattern_id, reason=reason, expected_version=expected_version).removal_as_dict()

    def list_memory_types(self) -> list[str]:
        """See `MemoryManager.list_memory_types`."""
        return self.memory.stores.memories.types(self.agent_id)

    def retrieve_ltm(
        self, memory_type: str, filters: Document | None, *, as_of: Instant | None, matches: Document | None
    ) -> Listing[dict[str, Any]]:
        """See `MemoryBackend`."""
        return self.memory.reader.find(memory_type, filters, as_of=as_of, matches=matches).map(Memory.as_dict)

    def advise(self, query: AdviceQuery) -> dict[str, Any]:
        """See `MemoryBackend`."""
        return self.memory.advice.advise(query)

    def update_ltm_confidence(
        self, memory_type: str, pattern_id: str, new_confidence: float, *, reason: str | None
    ) -> dict[str, Any]:
        """See `MemoryBackend`."""
        change = self.memory.long_term.set_confidence
        return change(memory_type, pattern_id, new_confidence, reason=reason).as_dict()

    def get_ltm_history(self, memory_type: str, pattern_id: str) -> Listing[dict[str, Any]]:
        """See `MemoryBackend`."""
        return self.memory.changes(memory_type, pattern_id)

    def influence(self, memory_id: str, time_range: TimeRange | None) -> dict[str, Any]:
        """See `MemoryBackend`."""
        return self.memory.influence(memory_id, time_range).as_dict()

    def crowding(self, day: str) -> list[dict[str, Any]]:
        """See `MemoryBackend`."""
        date = parse_date(day, "day").isoformat()
        return [{"agent_id": name, **one.crowding(date)} for name, one in self._namespaces.items()]

    def quarantine(self, memory_id: str, reason: str, memory_type: str | None) -> list[dict[str, Any]]:
        """See `MemoryBackend`."""
        return [one.quarantines.put(memory_id, reason, memory_type) for one in self._namespaces.values()]

    def release(self, memory_id: str, reason: str, memory_type: str | None) -> list[dict[str, Any]]:
        """See `MemoryBackend`."""
        namespaces, reason = self._namespaces, check_text("reason", reason, MAX_REASON)
        return released_somewhere(
            lambda name: namespaces[name].quarantines.release(memory_id, reason, memory_type), tuple(namespaces)
        )

    def list_quarantines(self) -> list[dict[str, Any]]:
        """See `MemoryBackend`."""
        return self.memory.quarantines.current()

    @property
    def _namespaces(self) -> dict[str, AgentMemory]:
        return {self.agent_id: self.memory, **{name: self.memory.pool(name) for name in self.memory.pools}}

    def consolidate_to_ltm(self, stm_key: str, pattern_type: str) -> dict[str, Any]:
        """See `MemoryBackend`."""
        return consolidate_value(self.memory.short_term, self.memory.long_term, stm_key, pattern_type).as_dict()

    def get_context_memory(
        self, filters: DecisionFilter, *, limit: int, level: str | None, cursor: str | None
    ) -> dict[str, Any]:
        """See `MemoryBackend`."""
        read = self.memory.hierarchy.contexts
        return read(filters.time_range, filters.context, limit=limit, level=level, cursor=cursor)

    def recall(self, query: RecallQuery) -> Listing[dict[str, Any]]:
        """See `MemoryBackend`."""
        return self.memory.recall.recall(query)

    def similar(self, query: SimilarQuery) -> dict[str, Any]:
        """See `MemoryBackend`."""
        return self.memory.similar.find(query)

    def save_state(self, state: Document, *, expected_version: int | None) -> dict[str, Any]:
        """See `MemoryBackend`."""
        return self.memory.states.save(state, expected_version=expected_version).as_dict()

    def load_state(self, *, fresh: bool) -> dict[str, Any] | None:
        """See `MemoryBackend`."""
        state = self.memory.states.current(fresh=fresh)
        return state.as_dict() if state else None

    def create_checkpoint(self, name: str) -> dict[str, Any]:
        """See `MemoryBackend`."""
        return self.memory.states.checkpoint(name).as_dict()

    def list_checkpoints(self) -> Listing[dict[str, Any]]:
        """See `MemoryBackend`."""
        return self.memory.states.checkpoints()

    def restore_checkpoint(self, name: str, *, expected_version: int | None) -> dict[str, Any]:
        """See `MemoryBackend`."""
        return self.memory.states.restore(name, expected_version=expected_version).as_dict()

    def list_configurations(self) -> Listing[dict[str, Any]]:
        """See `MemoryBackend`."""
        return self.memory.states.configurations()

    def export(self, path: Path, memory_types: Iterable[str]) -> dict[str, Any]:
        """See `AgentData.export`."""
        return self._data().export(path, memory_types)

    def forget(self, *, dry_run: bool) -> dict[str, Any]:
        """See `AgentData.forget`."""
        return self._data().forget(dry_run=dry_run)

    def _data(self) -> AgentData:
        return AgentData(self.agent_id, self.memory.stores, self.memory.clock)


class MemoryManager(AsyncMemory):
    """The hierarchical memory of an agent: short-term and long-term memory, states, and what decisions tell.

    It is kept where `stores` says; without it, and without the clients and names below, where `connect()` finds it.

    Args:
        agent_id: the agent.
        redis_client: a `redis.Redis` or `redis.RedisCluster`; by default one is opened for `redis_endpoint`.
        dynamodb_client: a boto3 client; by default a new one.
        redis_endpoint: the cache, as `host:port` or `rediss://user:password@host:port`; by default from the
            environment. Without a cache, short-term memory is kept in this process.
        dynamodb_table_prefix: by default from the environment, see `storage.factory.open_stores`.
        archive_bucket: by default from the environment.
        pools: agent ids for knowledge that several agents share, as `shared`. Long-term memory is read from the agent
            and its pools together, and written to a pool with `pool("shared")`.
        writer: the agent id recorded as the author of changes; by default the agent itself.
        principal: the IAM principal that is recorded with changes.
        stores: a URL, or what `connect` or `open_stores` returned, instead of the clients and names above.
        clock: the system clock by default.

    Raises:
        InvalidInput: an argument cannot be used, or nothing says where the memory is kept.
    """

    _memory: MemoryBackend

    def __init__(
        self,
        agent_id: str,
        redis_client: Any = None,
        dynamodb_client: Any = None,
        *,
        redis_endpoint: str | None = None,
        dynamodb_table_prefix: str | None = None,
        archive_bucket: str | None = None,
        pools: Sequence[str] = (),
        writer: str | None = None,
        principal: str | None = None,
        stores: Connection | str | None = None,
        clock: Clock | None = None,
    ) -> None:
        own = (redis_client, dynamodb_client, redis_endpoint, dynamodb_table_prefix, archive_bucket)
        if stores is None and any(one is not None for one in own):
            opened = open_stores(
                table_prefix=dynamodb_table_prefix,
                archive_bucket=archive_bucket,
                redis_endpoint=redis_endpoint,
                dynamodb_client=dynamodb_client,
                redis_client=redis_client,
                clock=clock,
            )
            stores = with_short_term(opened, clock)
        self._connection = connected(stores, clock)
        if isinstance(self._connection, HttpApi):
            self._memory = self._connection.backend(agent_id, pools=pools, writer=writer)
        else:
            memory = AgentMemory(agent_id, self._connection, clock, pools=pools, writer=writer, principal=principal)
            self._memory = DirectMemory(memory)
        self._backend = self._memory
        self.sync = SyncMemoryManager(self._memory)
        """The same memory for code without asyncio."""

    @property
    def connection(self) -> Connection:
        """The stores, or the HTTP API, to share with a `DecisionLogger`."""
        return self._connection

    @property
    def stores(self) -> Stores:
        """The stores; `InvalidInput` if they are reached over the HTTP API."""
        return self.direct.stores

    @property
    def direct(self) -> AgentMemory:
        """The underlying `AgentMemory`, whose methods block and return domain objects.

        Raises:
            InvalidInput: the memory is reached over the HTTP API.
        """
        return _direct(self._memory).memory

    def pool(self, name: str) -> "MemoryManager":
        """The memory of one of the agent's pools, with this agent as the author of changes.

        Raises:
            InvalidInput: `name` is not one of the agent's pools.
        """
        if isinstance(self._connection, HttpApi):
            self._memory.pool(name)  # checks the name
            return MemoryManager(name, stores=self._connection, writer=self.agent_id)
        pool = self.direct.pool(name)
        return MemoryManager(name, stores=pool.stores, clock=pool.clock, writer=self.agent_id)

    def stm_metrics(self) -> ShortTermMetrics:
        """Hits, misses and failures of reads of short-term memory in this process."""
        return self.direct.short_term.metrics

    def write_metrics(self, stream: TextIO | None = None) -> bool:
        """Write the metrics of short-term memory since the last call, for CloudWatch, as one line.

        `STMHitRate` and `STMFailures`, with the dimension `service=direct`. Call it once per cycle: on Lambda and ECS
        stdout, the default, is a log group; elsewhere pass the stream of a log that CloudWatch's agent sends.

        Returns:
            Whether a line was written: none is if nothing was read.
        """
        return _direct(self._memory).write_metrics(stream)

    async def list_memory_types(self) -> list[str]:
        """The types of which the agent has or had memories, sorted; on AWS the table is scanned for them.

        Raises:
            InvalidInput: the stores are reached over the HTTP API. Unavailable: the table did not respond.
        """
        return await in_thread(_direct(self._memory).list_memory_types)

    async def export(self, path: Path | str, *, memory_types: Iterable[str] = tuple(MemoryType)) -> dict[str, Any]:
        """Write all data of the agent to a zip file and return a receipt; see `AgentData.export`."""
        return await in_thread(_direct(self._memory).export, Path(path), memory_types)

    async def forget(self, *, dry_run: bool = True) -> dict[str, Any]:
        """Erase all data of the agent, or with `dry_run` only count it, and return a receipt; see `AgentData.forget`.

        It needs permissions on entire tables and all object versions, which no deployed function has.
        """
        return await in_thread(_direct(self._memory).forget, dry_run=dry_run)


class SyncMemoryManager(SyncMemory):
    """`MemoryManager(…).sync`: the same methods without asyncio."""

    def pool(self, name: str) -> "SyncMemoryManager":
        """The memory of one of the agent's pools; see `MemoryManager.pool`."""
        return SyncMemoryManager(self._memory.pool(name))

    def stm_metrics(self) -> ShortTermMetrics:
        """Hits, misses and failures of reads of short-term memory in this process."""
        return _direct(self._memory).memory.short_term.metrics

    def write_metrics(self, stream: TextIO | None = None) -> bool:
        """Write the metrics of short-term memory since the last call; see `MemoryManager.write_metrics`."""
        return _direct(self._memory).write_metrics(stream)

    def list_memory_types(self) -> list[str]:
        """The types of which the agent has or had memories; see `MemoryManager.list_memory_types`."""
        return _direct(self._memory).list_memory_types()

    def export(self, path: Path | str, *, memory_types: Iterable[str] = tuple(MemoryType)) -> dict[str, Any]:
        """Write all data of the agent to a zip file; see `MemoryManager.export`."""
        return _direct(self._memory).export(Path(path), memory_types)

    def forget(self, *, dry_run: bool = True) -> dict[str, Any]:
        """Erase all data of the agent, or only count it; see `MemoryManager.forget`."""
        return _direct(self._memory).forget(dry_run=dry_run)


def _direct(backend: MemoryBackend) -> DirectMemory:
    if not isinstance(backend, DirectMemory):
        raise over_http("the stores, nor to what is read from all of them")
    return backend
