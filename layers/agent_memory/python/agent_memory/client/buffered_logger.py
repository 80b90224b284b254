"""`BufferedDecisionLogger`: logs decisions without waiting for the store."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from typing import Any, Literal, TypeVar

from agent_memory.buffering.buffer import BufferFull, DecisionBuffer
from agent_memory.buffering.metrics import BufferMetrics
from agent_memory.buffering.sinks import AsyncSink, BlockingSink, Sink, size_limits
from agent_memory.client.backends import DecisionBackend
from agent_memory.client.decisions import AsyncDecisions, SyncDecisions
from agent_memory.client.executor import in_thread
from agent_memory.core.clock import Clock
from agent_memory.core.errors import InvalidInput, Unavailable
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.model.decisions import DecisionDict
from agent_memory.model.listings import Listing

_DEFAULT_BATCH = 100
_DEFAULT_PENDING_BYTES = 256 << 20
_CLOSE_TIMEOUT_SECONDS = 30.0
_logger = logging.getLogger(__name__)

T = TypeVar("T")


class BufferedDecisions:
    """`DecisionBackend` that buffers single decisions and outcomes and passes all other calls to the sink."""

    def __init__(self, sink: DecisionBackend, buffer: DecisionBuffer) -> None:
        self.sink = sink
        self.buffer = buffer
        self.agent_id = buffer.agent_id
        self.write_shards: int = getattr(sink, "write_shards", 1)
        self.max_batch: int = getattr(sink, "max_batch", _DEFAULT_BATCH)
        self._is_closed = False

    def log_decision(self, data: Mapping[str, Any]) -> str:
        """See `DecisionBackend`."""
        return self._add_when_not_full(self.buffer.add_decision, data)

    def log_outcome(self, data: Mapping[str, Any]) -> None:
        """See `DecisionBackend`."""
        self._add_when_not_full(self.buffer.add_outcome, data)

    def flush(self, timeout_seconds: float | None) -> None:
        """See `BufferedDecisionLogger.flush`."""
        try:
            self.buffer.all_sent().result(timeout_seconds)
        except FutureTimeoutError as error:
            raise self.buffer.flush_timeout() from error
        self.buffer.check_rejected()

    def close(self, timeout_seconds: float | None = _CLOSE_TIMEOUT_SECONDS) -> None:
        """See `BufferedDecisionLogger.aclose`."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            self.flush(timeout_seconds)
        except Unavailable as error:
            _logger.warning("closed before all records were sent: %s", error)
        finally:
            self.buffer.close()
            if hasattr(self.sink, "close"):
                self.sink.close()

    def log_decisions(self, inputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """See `DecisionBackend`."""
        return self._open_sink().log_decisions(inputs)

    def log_outcomes(self, inputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """See `DecisionBackend`."""
        return self._open_sink().log_outcomes(inputs)

    def get_decision(self, decision_id: str) -> DecisionDict:
        """See `DecisionBackend`."""
        return self._open_sink().get_decision(decision_id)

    def page_decisions(
        self, filters: DecisionFilter, *, limit: int, newest_first: bool, cursor: str | None
    ) -> dict[str, Any]:
        """See `DecisionBackend`."""
        return self._open_sink().page_decisions(filters, limit=limit, newest_first=newest_first, cursor=cursor)

    def get_decision_chain(self, decision_id: str, depth: int, *, limit: int) -> Listing[dict[str, Any]]:
        """See `DecisionBackend`."""
        return self._open_sink().get_decision_chain(decision_id, depth, limit=limit)

    def analyze_decision_patterns(self, filters: DecisionFilter, group_by: str, *, exact: bool) -> dict[str, Any]:
        """See `DecisionBackend`."""
        return self._open_sink().analyze_decision_patterns(filters, group_by, exact=exact)

    def _add_when_not_full(self, add: Callable[[Mapping[str, Any]], T], data: Mapping[str, Any]) -> T:
        while True:
            try:
                added = add(data)
            except BufferFull as full:
                full.space.result()
            else:
                if self.buffer.syncs_each:
                    self.buffer.sync()
                return added

    def _open_sink(self) -> DecisionBackend:
        if self._is_closed:
            raise Unavailable("this logger is closed")
        return self.sink


class BufferedDecisionLogger(AsyncDecisions):
    """A decision logger that does not wait for the store: logging appends to a local file.

    `log_decision` validates the decision, generates its id and appends it to a write-ahead log on disk. A thread sends
    the log to the sink in order, in batches, and retries with backoff until the sink accepts it. Logged records survive
    the end of the process, even a kill: the next logger on the same directory sends the remaining ones with the same
    ids, so that a decision that the sink has already stored is recognised. Records that the sink itself rejects are
    appended to `rejected.jsonl` in the directory, and `flush` and `aclose` raise `Rejected`. Everything else, as an
    outage, says nothing about a record: it is sent again, those behind it wait, and `metrics` shows why. What the sink
    cannot store for its size is refused at the call, if the sink has the methods of `buffering.sinks.SizeLimits`.

    Reads, `log_decisions` and `log_outcomes` call the sink directly and do not see records in the buffer.

    A power failure may lose the records of the last `sync_seconds`. A Lambda function is frozen between invocations and
    may lose its `/tmp`: call `await flush()` before the function returns.

    A directory belongs to one agent and is used by one logger at a time. A logger cannot be used after a fork.

    Args:
        sink: a `DecisionLogger`, an `AgentMemoryClient`, or any object with their methods, which are called on a
            separate thread and event loop; closed with the logger.
        directory: the directory of the log, on a local disk; created if it does not exist.
        on_full: what happens when the buffer is full: "block" waits for space, "refuse" raises `Unavailable`.
        max_pending_bytes: the maximum size on disk of records that have not been sent.
        batch_size: the maximum number of records per request; by default the sink's `max_batch`.
        sync_seconds: the interval of syncs to disk; 0 syncs before each call returns, None leaves it to the system.
        clock: the system clock by default.

    Raises:
        InvalidInput: the directory belongs to another agent, or an argument is invalid.
        Conflict: another logger uses the directory. Unavailable: the disk cannot be read or written.
    """

    _decisions: BufferedDecisions

    def __init__(
        self,
        sink: Sink | AsyncSink,
        directory: Path | str,
        *,
        on_full: Literal["block", "refuse"] = "block",
        max_pending_bytes: int = _DEFAULT_PENDING_BYTES,
        batch_size: int | None = None,
        sync_seconds: float | None = 1.0,
        clock: Clock | None = None,
    ) -> None:
        backend = _backend_of(sink)
        buffer = DecisionBuffer(
            backend,
            Path(directory),
            on_full=on_full,
            max_pending_bytes=max_pending_bytes,
            batch_size=getattr(backend, "max_batch", _DEFAULT_BATCH) if batch_size is None else batch_size,
            sync_seconds=sync_seconds,
            clock=clock,
            # Of a subclass, too, whose own methods are called instead of its backend's.
            limits=size_limits(sink._decisions if isinstance(sink, AsyncDecisions | SyncDecisions) else sink),  # noqa: SLF001
        )
        self._decisions = self._backend = BufferedDecisions(backend, buffer)
        self.sync = SyncBufferedDecisionLogger(self._decisions)
        """The same logger for code without asyncio; they share the buffer, and closing either closes both."""
        self._buffer = buffer

    @property
    def directory(self) -> Path:
        """The directory of the log."""
        return self._buffer.directory

    async def flush(self, timeout_seconds: float | None = None) -> None:
        """Wait until all records logged before are stored or rejected.

        Raises:
            Unavailable: the timeout expired; the remaining records stay in the buffer.
            Rejected: the sink permanently rejected records since the last flush.
        """
        try:
            await asyncio.wait_for(asyncio.wrap_future(self._buffer.all_sent()), timeout_seconds)
        except TimeoutError as error:
            raise self._buffer.flush_timeout() from error
        self._buffer.check_rejected()

    async def aclose(self, timeout_seconds: float | None = _CLOSE_TIMEOUT_SECONDS) -> None:
        """Flush, stop the thread and close the files. Records that are not sent in time remain in the directory.

        Raises:
            Rejected: the sink permanently rejected records since the last flush.
        """
        await in_thread(self._decisions.close, timeout_seconds)

    def metrics(self) -> BufferMetrics:
        """Counts of pending, acknowledged and rejected records."""
        return self._buffer.metrics()

    async def _log_decision(self, data: dict[str, Any]) -> str:
        return await self._add_when_not_full(self._buffer.add_decision, data)

    async def _log_outcome(self, data: dict[str, Any]) -> None:
        await self._add_when_not_full(self._buffer.add_outcome, data)

    async def _add_when_not_full(self, add: Callable[[dict[str, Any]], T], data: dict[str, Any]) -> T:
        while True:
            try:
                added = add(data)
            except BufferFull as full:
                await asyncio.wrap_future(full.space)
            else:
                if self._buffer.syncs_each:
                    await in_thread(self._buffer.sync)
                return added


class SyncBufferedDecisionLogger(SyncDecisions):
    """`BufferedDecisionLogger(…).sync`: the same methods without asyncio."""

    _decisions: BufferedDecisions

    def flush(self, timeout_seconds: float | None = None) -> None:
        """Wait until all records logged before are stored or rejected; see `BufferedDecisionLogger.flush`."""
        self._decisions.flush(timeout_seconds)

    def close(self, timeout_seconds: float | None = _CLOSE_TIMEOUT_SECONDS) -> None:
        """Flush, stop the thread and close the files; see `BufferedDecisionLogger.aclose`."""
        self._decisions.close(timeout_seconds)

    def metrics(self) -> BufferMetrics:
        """Counts of pending, acknowledged and rejected records."""
        return self._decisions.buffer.metrics()


def _backend_of(sink: Any) -> Any:
    """The backend of a sink. A subclass that overrides a method that sends records is called itself."""
    names = ("log_decisions", "log_outcomes")
    for name in names:
        if not callable(getattr(sink, name, None)):
            raise InvalidInput("sink", f"has no method {name}; pass a DecisionLogger or an AgentMemoryClient")
    for kind in (AsyncDecisions, SyncDecisions):
        if all(getattr(getattr(sink, name), "__func__", None) is getattr(kind, name) for name in names):
            return sink._decisions  # noqa: SLF001  classes of this package
    return BlockingSink(sink) if asyncio.iscoroutinefunction(sink.log_decisions) else sink
