"""`BufferedDecisionLogger`: logs decisions without waiting for the store."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from agent_memory.buffering.delivery import Sink
from agent_memory.buffering.drainer import Drainer
from agent_memory.buffering.frames import DECISION, OUTCOME
from agent_memory.buffering.metrics import BufferMetrics
from agent_memory.buffering.payloads import decision_payload, outcome_payload
from agent_memory.buffering.write_ahead_log import WriteAheadLog
from agent_memory.core.clock import Clock, Instant, SystemClock
from agent_memory.core.errors import InvalidInput, Rejected, Unavailable
from agent_memory.core.json_values import Document
from agent_memory.core.names import check_agent_id
from agent_memory.decisions.inputs import decision_input, outcome_item

DEFAULT_BATCH = 100
_DEFAULT_PENDING_BYTES = 256 << 20
_CLOSING_SECONDS = 30.0
_logger = logging.getLogger(__name__)


def _passed_on(name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
    async def method(self: "BufferedDecisionLogger", *args: Any, **settings: Any) -> Any:
        return await self._drainer.call(getattr(self._sink, name), *args, **settings)

    method.__name__ = name
    method.__doc__ = f"The sink's own `{name}`, at once: it does not know what is still in the buffer."
    return method


class BufferedDecisionLogger:
    """A decision logger for agents that may not wait: logging is a write into a local file.

    A decision is checked, gets its id, and lies in a write-ahead log on disk when `log_decision` returns. A thread
    sends the log to the sink in order, in batches, and tries again with backoff for as long as it takes. What was
    logged outlives the end of the process, a kill included: the next logger on the same directory sends the rest,
    with the same ids, so that a decision which had arrived already is recognised and not stored twice. What the
    sink refuses for good is kept in `rejected.jsonl` beside the log, and `flush` and `aclose` raise `Rejected`.

    A loss of power may cost the last `sync_seconds`. A Lambda function is frozen between invocations and its `/tmp`
    may vanish with it: there, `await flush()` before the function returns.

    A directory serves one agent and one logger at a time, and an object one process: none survives a fork.

    Args:
        sink: a `DecisionLogger`, an `AgentMemoryClient`, or anything with their methods. From now on it is used on
            the buffer's own event loop only, and is closed with the buffer.
        directory: where the log lies, on a local disk; made where it does not exist.
        on_full: whether a full buffer lets callers wait, or refuses them with `Unavailable`.
        max_pending_bytes: what may wait on disk for the sink.
        batch_size: records a request at most; left out, the sink's `max_batch`, or 100.
        sync_seconds: how often the log is synced to the disk; 0 is before every return, None leaves it to the system.
        clock: tells the time, the system's by default.

    Raises:
        InvalidInput: the directory belongs to another agent, or a setting is unusable.
        Conflict: another logger holds the directory. Unavailable: the disk refused.
    """

    def __init__(
        self,
        sink: Sink,
        directory: Path | str,
        *,
        on_full: Literal["block", "refuse"] = "block",
        max_pending_bytes: int = _DEFAULT_PENDING_BYTES,
        batch_size: int | None = None,
        sync_seconds: float | None = 1.0,
        clock: Clock | None = None,
    ) -> None:
        batch_size = getattr(sink, "max_batch", DEFAULT_BATCH) if batch_size is None else batch_size
        _check_settings(on_full, max_pending_bytes, batch_size, sync_seconds)
        self.agent_id = check_agent_id(sink.agent_id)
        self.directory = Path(directory)
        self._sink = sink
        self._write_shards = getattr(sink, "write_shards", 1)
        self._rejected_file = self.directory / "rejected.jsonl"
        self._refuses = on_full == "refuse"
        self._syncs_each = sync_seconds == 0
        self._clock = clock or SystemClock()
        self._told_rejected = 0
        self._is_closed = False
        self._log = WriteAheadLog(self.directory, self.agent_id, max_pending_bytes=max_pending_bytes)
        self._drainer = Drainer(
            self._log,
            sink,
            self._rejected_file,
            self._clock,
            batch_size=batch_size,
            sync_seconds=sync_seconds,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def log_decision(
        self,
        decision_type: str,
        context: Document,
        reasoning: Document,
        metadata: Document | None = None,
        *,
        decision_id: str | None = None,
        timestamp: Instant | None = None,
        parent_ids: Sequence[str] = (),
        memory_ids: Sequence[str] = (),
    ) -> str:
        """Log one decision and return its id, a UUID; it is on disk then, and on its way.

        An id that holds another decision already is found out later: see `Rejected`.

        Raises:
            InvalidInput: names the field. Unavailable: the disk refused, the buffer is full and refuses, or closed.
        """
        draft = decision_input(
            decision_type,
            context,
            reasoning,
            metadata=metadata,
            decision_id=decision_id,
            timestamp=timestamp,
            parent_ids=parent_ids,
            memory_ids=memory_ids,
        )
        now_ms = self._clock.now_ms()
        given_id, payload = decision_payload(
            draft, agent_id=self.agent_id, now_ms=now_ms, write_shards=self._write_shards
        )
        await self._append(DECISION, payload, now_ms)
        return given_id

    async def log_outcome(
        self,
        decision_id: str,
        outcome: Document,
        success: bool,
        metrics: Document | None = None,
        *,
        horizon: str | None = None,
        amend: bool = False,
        headline: bool = False,
        timestamp: Instant | None = None,
    ) -> None:
        """Add what came of a decision, behind everything logged before.

        A decision that the store does not have, or whose outcome is another, is found out later: see `Rejected`.

        Raises:
            InvalidInput: names the field. Unavailable: the disk refused, the buffer is full and refuses, or closed.
        """
        report = outcome_item(
            decision_id,
            outcome,
            success,
            metrics=metrics,
            horizon=horizon,
            amend=amend,
            headline=headline,
            timestamp=timestamp,
        )
        now_ms = self._clock.now_ms()
        await self._append(OUTCOME, outcome_payload(report, now_ms=now_ms), now_ms)

    async def flush(self, timeout_seconds: float | None = None) -> None:
        """Wait until everything logged before is stored or rejected.

        Raises:
            Unavailable: that took longer than `timeout_seconds`; what is left stays in the buffer.
            Rejected: some of what was sent since the last flush was refused for good.
        """
        try:
            async with asyncio.timeout(timeout_seconds):
                await asyncio.wrap_future(self._log.reached(self._log.next_sequence))
        except TimeoutError as error:
            state = self.metrics()
            raise Unavailable(
                f"{state.pending_records} records wait in {self.directory}; last error: {state.last_error}"
            ) from error
        self._tell_rejected()

    async def aclose(self, timeout_seconds: float | None = _CLOSING_SECONDS) -> None:
        """Flush, stop the thread and close the files. What cannot be sent in time stays for the next logger here.

        Raises:
            Rejected: some of what was sent since the last flush was refused for good.
        """
        if self._is_closed:
            return
        self._is_closed = True
        try:
            await self.flush(timeout_seconds)
        except Unavailable as error:
            _logger.warning("closed before all was sent: %s", error)
        finally:
            await self._drainer.stop()
            await asyncio.to_thread(self._log.close)

    def metrics(self) -> BufferMetrics:
        """How much waits, and what became of the rest."""
        count, size, oldest_ms = self._log.pending()
        age_ms = 0 if oldest_ms is None else max(0, self._clock.now_ms() - oldest_ms)
        drainer = self._drainer
        return BufferMetrics(
            pending_records=count,
            pending_bytes=size,
            oldest_pending_seconds=age_ms / 1000,
            acknowledged=drainer.accepted,
            unchanged=drainer.unchanged,
            rejected=drainer.rejected,
            retries=drainer.retries,
            last_error=drainer.last_error,
        )

    log_decisions = _passed_on("log_decisions")
    log_outcomes = _passed_on("log_outcomes")
    get_decision = _passed_on("get_decision")
    query_decisions = _passed_on("query_decisions")
    page_decisions = _passed_on("page_decisions")
    get_decision_chain = _passed_on("get_decision_chain")
    analyze_decision_patterns = _passed_on("analyze_decision_patterns")

    # --- inside ----------------------------------------------------------------------------------

    async def _append(self, kind: bytes, payload: bytes, now_ms: int) -> None:
        seen = self._log.acknowledged
        while not self._log.append(kind, payload, now_ms):
            if self._refuses:
                raise Unavailable(f"the buffer in {self.directory} is full; log this again later")
            await asyncio.wrap_future(self._log.reached(seen + 1))
            seen = self._log.acknowledged
        if self._syncs_each:
            await asyncio.to_thread(self._log.sync)
        self._drainer.wake()

    def _tell_rejected(self) -> None:
        count = self._drainer.rejected - self._told_rejected
        self._told_rejected += count
        if count:
            raise Rejected(count, self._rejected_file)


def _check_settings(on_full: str, max_pending_bytes: int, batch_size: int, sync_seconds: float | None) -> None:
    if on_full not in {"block", "refuse"}:
        raise InvalidInput("on_full", f"{on_full!r:.40} is neither 'block' nor 'refuse'")
    if max_pending_bytes < 1:
        raise InvalidInput("max_pending_bytes", f"{max_pending_bytes} is less than 1")
    if batch_size < 1:
        raise InvalidInput("batch_size", f"{batch_size} is less than 1")
    if sync_seconds is not None and sync_seconds < 0:
        raise InvalidInput("sync_seconds", f"{sync_seconds} is negative")
