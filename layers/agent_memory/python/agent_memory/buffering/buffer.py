"""`DecisionBuffer`: appends decisions and outcomes to a write-ahead log, which a thread sends to the sink."""

from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Literal

from agent_memory.buffering.drainer import Drainer
from agent_memory.buffering.frames import DECISION, OUTCOME
from agent_memory.buffering.metrics import BufferMetrics
from agent_memory.buffering.payloads import decision_payload, outcome_payload
from agent_memory.buffering.sinks import Sink, SizeLimits
from agent_memory.buffering.write_ahead_log import WriteAheadLog
from agent_memory.core.clock import Clock, SystemClock
from agent_memory.core.errors import InvalidInput, Rejected, Unavailable
from agent_memory.core.ids import check_agent_id


class BufferFull(Exception):
    """There is no space for a record. The future `space` completes when a record has been sent."""

    def __init__(self, space: "Future[None]") -> None:
        super().__init__("the buffer is full")
        self.space = space


class DecisionBuffer:
    """The write-ahead log of one agent and the thread that sends it; see `BufferedDecisionLogger` for the arguments.

    `limits` are the checks of the sink's size limits.

    Attributes:
        syncs_each: whether the caller must call `sync` after each record.
    """

    def __init__(
        self,
        sink: Sink,
        directory: Path,
        *,
        on_full: Literal["block", "refuse"],
        max_pending_bytes: int,
        batch_size: int,
        sync_seconds: float | None,
        clock: Clock | None,
        limits: SizeLimits,
    ) -> None:
        _check_settings(on_full, max_pending_bytes, batch_size, sync_seconds)
        self.agent_id = check_agent_id(sink.agent_id)
        self.directory = directory
        self.syncs_each = sync_seconds == 0
        self._write_shards: int = getattr(sink, "write_shards", 1)
        self._limits = limits
        self._rejected_file = directory / "rejected.jsonl"
        self._raises_when_full = on_full == "refuse"
        self._clock = clock or SystemClock()
        self._raised_rejected = 0
        self._log = WriteAheadLog(directory, self.agent_id, max_pending_bytes=max_pending_bytes)
        self._drainer = Drainer(
            self._log, sink, self._rejected_file, self._clock, batch_size=batch_size, sync_seconds=sync_seconds
        )

    def add_decision(self, data: Mapping[str, Any]) -> str:
        """Validate a decision and append it to the log; returns its id.

        Raises:
            InvalidInput, TooLarge: names the field. BufferFull: wait for its `space` and retry.
            Unavailable: the disk cannot be written, the buffer is full and `on_full` is "refuse", or it is closed.
        """
        now_ms = self._clock.now_ms()
        decision, payload = decision_payload(
            data, agent_id=self.agent_id, now_ms=now_ms, write_shards=self._write_shards
        )
        self._limits.check_decision(decision, payload)
        self._append(DECISION, payload, now_ms)
        return decision.decision_id

    def add_outcome(self, data: Mapping[str, Any]) -> None:
        """Validate an outcome and append it to the log; raises the same errors as `add_decision`."""
        now_ms = self._clock.now_ms()
        outcome, payload = outcome_payload(data, now_ms=now_ms)
        self._limits.check_outcome(outcome, payload)
        self._append(OUTCOME, payload, now_ms)

    def sync(self) -> None:
        """Sync all records added so far to disk, so that they survive a power failure."""
        self._log.sync()

    def all_sent(self) -> "Future[None]":
        """A future that completes when all records added so far are stored or rejected."""
        return self._log.when_acknowledged(self._log.next_sequence)

    def flush_timeout(self) -> Unavailable:
        """The error to raise when waiting for `all_sent` has timed out."""
        state = self.metrics()
        return Unavailable(
            f"{state.pending_records} records in {self.directory} are not sent; {state.failed_attempts} attempts "
            f"failed in {state.failing_seconds:.0f} seconds; last error: {state.last_error}"
        )

    def check_rejected(self) -> None:
        """Raise `Rejected` if records were rejected since the last check."""
        count = self._drainer.rejected - self._raised_rejected
        self._raised_rejected += count
        if count:
            raise Rejected(count, self._rejected_file, self._drainer.take_rejection_reason())

    def close(self) -> None:
        """Stop sending and close the files; the next buffer on this directory sends the remaining records."""
        self._drainer.stop()
        self._log.close()

    def metrics(self) -> BufferMetrics:
        """Counts of pending, acknowledged and rejected records."""
        count, size, oldest_ms = self._log.pending()
        age_ms = 0 if oldest_ms is None else max(0, self._clock.now_ms() - oldest_ms)
        drainer = self._drainer
        failing_since_ms = drainer.failing_since_ms()
        failing_ms = 0 if failing_since_ms is None else max(0, self._clock.now_ms() - failing_since_ms)
        return BufferMetrics(
            pending_records=count,
            pending_bytes=size,
            oldest_pending_seconds=age_ms / 1000,
            acknowledged=drainer.accepted,
            unchanged=drainer.unchanged,
            rejected=drainer.rejected,
            retries=drainer.retries,
            last_error=drainer.last_error,
            failed_attempts=drainer.failed_attempts,
            failing_seconds=failing_ms / 1000,
        )

    def _append(self, kind: bytes, payload: bytes, now_ms: int) -> None:
        acknowledged = self._log.acknowledged
        if not self._log.append(kind, payload, now_ms):
            if self._raises_when_full:
                raise Unavailable(f"the buffer in {self.directory} is full; retry later")
            raise BufferFull(self._log.when_acknowledged(acknowledged + 1))
        self._drainer.wake()


def _check_settings(on_full: str, max_pending_bytes: int, batch_size: int, sync_seconds: float | None) -> None:
    if on_full not in {"block", "refuse"}:
        raise InvalidInput("on_full", f"{on_full!r:.40} is neither 'block' nor 'refuse'")
    if max_pending_bytes < 1:
        raise InvalidInput("max_pending_bytes", f"{max_pending_bytes} is less than 1")
    if batch_size < 1:
        raise InvalidInput("batch_size", f"{batch_size} is less than 1")
    if sync_seconds is not None and sync_seconds < 0:
        raise InvalidInput("sync_seconds", f"{sync_seconds} is negative")
