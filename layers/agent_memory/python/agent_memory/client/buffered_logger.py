"""`BufferedDecisionLogger`: logs decisions without waiting for the store."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from typing import Any, Literal, TypeVar

from agent_memory.buffering.buffer import BufferFull, DecisionBuffer
from agent_memory.buffering.metrics import BufferMetrics
from agent_memory.buffering.sinks import AsyncSink, AwaitableSink, Sink
from agent_memory.client.backends import DecisionBackend
from agent_memory.client.decisions import AsyncDecisions, SyncDecisions
from agent_memory.client.executor import in_thread
from agent_memory.core.clock import Clock
from agent_memory.core.errors import InvalidInput, Unavailable
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.model.decisions import DecisionDict

_DEFAULT_BATCH = 100
_DEFAULT_PENDING_BYTES = 256 << 20
_CLOSING_SECONDS = 30.0
_logger = logging.getLogger(__name__)

Added = TypeVar("Added")


class BufferedDecisions:
    """`DecisionBackend` that writes single decisions and outcomes into a buffer; all else goes to the sink at once."""

    def __init__(self, sink: DecisionBackend, buffer: DecisionBuffer) -> None:
        self.sink = sink
        self.buffer = buffer
        self.agent_id = buffer.agent_id
        self.write_shards: int = getattr(sink, "write_shards", 1)
        self.max_batch: int = getattr(sink, "max_batch", _DEFAULT_BATCH)
        self._is_closed = False

    def log_decision(self, data: Mapping[str, Any]) -> str:
        """See `DecisionBackend`."""
        return self._when_there_is_space(self.buffer.add_decision, data)

    def log_outcome(self, data: Mapping[str, Any]) -> None:
        """See `DecisionBackend`."""
        self._when_there_is_space(self.buffer.add_outcome, data)

    def flush(self, timeout_seconds: float | None) -> None:
        """See `BufferedDecisionLogger.flush`."""
        try:
            self.buffer.sent().result(timeout_seconds)
        except FutureTimeoutError as error:
            raise self.buffer.not_sent() from error
        self.buffer.check_rejected()

    def close(self, timeout_seconds: float | None = _CLOSING_SECONDS) -> None:
        """See `BufferedDecisionLogger.aclose`."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            self.flush(timeout_seconds)
        except Unavailable as error:
            _logger.warning("closed before all was sent: %s", error)
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
        self, wanted: DecisionFilter, *, limit: int, newest_first: bool, cursor: str | None
    ) -> dict[str, Any]:
        """See `DecisionBackend`."""
        return self._open_sink().page_decisions(wanted, limit=limit, newest_first=newest_first, cursor=cursor)

    def get_decision_chain(self, decision_id: str, depth: int) -> list[dict[str, Any]]:
        """See `DecisionBackend`."""
        return self._open_sink().get_decision_chain(decision_id, depth)

    def analyze_decision_patterns(self, wanted: DecisionFilter, group_by: str) -> dict[str, Any]:
        """See `DecisionBackend`."""
        return self._open_sink().analyze_decision_patterns(wanted, group_by)

    def _when_there_is_space(self, add: Callable[[Mapping[str, Any]], Added], data: Mapping[str, Any]) -> Added:
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
    """A decision logger for agents that may not wait: logging is a write into a local file.

    A decision is checked, gets its id, and is in a write-ahead log on disk when `log_decision` returns. A thread sends
    the log to the sink in order, in batches, and tries again with backoff for as long as it takes. What was logged
    outlives the end of the process, a kill included: the next logger on the same directory sends the rest, with the
    same ids, so that a decision which had arrived already is recognised and not stored twice. What the sink refuses for
    good is kept in `rejected.jsonl` beside the log, and `flush` and `aclose` raise `Rejected`.

    Methods that read, and `log_decisions` and `log_outcomes`, call the sink at once: it does not know what is still in
    the buffer.

    A loss of power may cost the last `sync_seconds`. A Lambda function is frozen between invocations and its `/tmp` may
    vanish with it: there, `await flush()` before the function returns.

    A directory serves one agent and one logger at a time, and an object one process: none survives a fork.

    Args:
        sink: a `DecisionLogger`, an `AgentMemoryClient`, or any object with their methods; it is closed with the
            buffer.
        directory: where the log is, on a local disk; made where it does not exist.
        on_full: whether a full buffer lets callers wait, or refuses them with `Unavailable`.
        max_pending_bytes: what may wait on disk for the sink.
        batch_size: records a request at most; left out, what the sink sends at once.
        sync_seconds: how often the log is synced to the disk; 0 is before every return, None leaves it to the system.
        clock: the system's by default.

    Raises:
        InvalidInput: the directory belongs to another agent, or a setting is unusable.
        Conflict: another logger holds the directory. Unavailable: the disk refused.
    """

    _decisions: BufferedDecisions

    def __init__(
        self,
        sink: Sink | AwaitableSink,
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
        )
        self._decisions = self._backend = BufferedDecisions(backend, buffer)
        self._buffer = buffer

    @property
    def directory(self) -> Path:
        """Where the log is."""
        return self._buffer.directory

    @property
    def sync(self) -> "SyncBufferedDecisionLogger":
        """The same logger for code without asyncio; closing either closes both."""
        return SyncBufferedDecisionLogger(self._decisions)

    async def flush(self, timeout_seconds: float | None = None) -> None:
        """Wait until everything logged before is stored or rejected.

        Raises:
            Unavailable: that took longer than `timeout_seconds`; what is left stays in the buffer.
            Rejected: some of what was sent since the last flush was refused for good.
        """
        try:
            await asyncio.wait_for(asyncio.wrap_future(self._buffer.sent()), timeout_seconds)
        except TimeoutError as error:
            raise self._buffer.not_sent() from error
        self._buffer.check_rejected()

    async def aclose(self, timeout_seconds: float | None = _CLOSING_SECONDS) -> None:
        """Flush, stop the thread and close the files. What cannot be sent in time stays for the next logger here.

        Raises:
            Rejected: some of what was sent since the last flush was refused for good.
        """
        await in_thread(self._decisions.close, timeout_seconds)

    def metrics(self) -> BufferMetrics:
        """How much waits, and what became of the rest."""
        return self._buffer.metrics()

    async def _log_decision(self, data: dict[str, Any]) -> str:
        return await self._when_there_is_space(self._buffer.add_decision, data)

    async def _log_outcome(self, data: dict[str, Any]) -> None:
        await self._when_there_is_space(self._buffer.add_outcome, data)

    async def _when_there_is_space(self, add: Callable[[dict[str, Any]], Added], data: dict[str, Any]) -> Added:
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
    """`BufferedDecisionLogger(…).sync`: the same methods, which block where the buffer is full."""

    _decisions: BufferedDecisions

    def __init__(self, backend: BufferedDecisions) -> None:
        self._decisions = self._backend = backend

    def flush(self, timeout_seconds: float | None = None) -> None:
        """Wait until everything logged before is stored or rejected; see `BufferedDecisionLogger.flush`."""
        self._decisions.flush(timeout_seconds)

    def close(self, timeout_seconds: float | None = _CLOSING_SECONDS) -> None:
        """Flush, stop the thread and close the files; see `BufferedDecisionLogger.aclose`."""
        self._decisions.close(timeout_seconds)

    def metrics(self) -> BufferMetrics:
        """How much waits, and what became of the rest."""
        return self._decisions.buffer.metrics()


def _backend_of(sink: Any) -> Any:
    """The blocking methods of a sink; a subclass that overrides what is sent by is used as it is."""
    names = ("log_decisions", "log_outcomes")
    for name in names:
        if not callable(getattr(sink, name, None)):
            raise InvalidInput("sink", f"has no method {name}; give a DecisionLogger, an AgentMemoryClient or the like")
    for kind in (AsyncDecisions, SyncDecisions):
        if all(getattr(getattr(sink, name), "__func__", None) is getattr(kind, name) for name in names):
            return sink._decisions  # noqa: SLF001  of this package
    return AsyncSink(sink) if asyncio.iscoroutinefunction(sink.log_decisions) else sink
