"""`DecisionBuffer`: takes decisions and outcomes into a file at once, and sends them on from a thread."""

from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Literal

from agent_memory.buffering.drainer import Drainer
from agent_memory.buffering.frames import DECISION, OUTCOME
from agent_memory.buffering.metrics import BufferMetrics
from agent_memory.buffering.payloads import decision_payload, outcome_payload
from agent_memory.buffering.sinks import Sink
from agent_memory.buffering.write_ahead_log import WriteAheadLog
from agent_memory.core.clock import Clock, SystemClock
from agent_memory.core.errors import InvalidInput, Rejected, Unavailable
from agent_memory.core.ids import check_agent_id


class BufferFull(Exception):
    """There is no space for a record now; `space` is done when something has been sent."""

    def __init__(self, space: "Future[None]") -> None:
        super().__init__("the buffer is full")
        self.space = space


class DecisionBuffer:
    """The write-ahead log of one agent and the thread that drains it; see `BufferedDecisionLogger` for the arguments.

    Attributes:
        syncs_each: whether `sync` is to be called after each record.
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
    ) -> None:
        _check_settings(on_full, max_pending_bytes, batch_size, sync_seconds)
        self.agent_id = check_agent_id(sink.agent_id)
        self.directory = directory
        self.syncs_each = sync_seconds == 0
        self._write_shards: int = getattr(sink, "write_shards", 1)
        self._rejected_file = directory / "rejected.jsonl"
        self._refuses = on_full == "refuse"
        self._clock = clock or SystemClock()
        self._reported_rejected = 0
        self._log = WriteAheadLog(directory, self.agent_id, max_pending_bytes=max_pending_bytes)
        self._drainer = Drainer(
            self._log, sink, self._rejected_file, self._clock, batch_size=batch_size, sync_seconds=sync_seconds
        )

    def add_decision(self, data: Mapping[str, Any]) -> str:
        """Check a decision and write it into the log; returns its id.

        Raises:
            InvalidInput: names the field. BufferFull: wait for its `space` and try again.
            Unavailable: the disk refused, the buffer is full and refuses, or is closed.
        """
        now_ms = self._clock.now_ms()
        decision_id, payload = decision_payload(
            data, agent_id=self.agent_id, now_ms=now_ms, write_shards=self._write_shards
        )
        self._append(DECISION, payload, now_ms)
        return decision_id

    def add_outcome(self, data: Mapping[str, Any]) -> None:
        """Check an outcome and write it into the log; errors as those of `add_decision`."""
        now_ms = self._clock.now_ms()
        self._append(OUTCOME, outcome_payload(data, now_ms=now_ms), now_ms)

    def sync(self) -> None:
        """Make everything added so far survive a loss of power."""
        self._log.sync()

    def sent(self) -> "Future[None]":
        """Done when everything added so far is stored or rejected."""
        return self._log.reached(self._log.next_sequence)

    def not_sent(self) -> Unavailable:
        """The error of a wait for `sent` that has timed out."""
        state = self.metrics()
        return Unavailable(f"{state.pending_records} records wait in {self.directory}; last error: {state.last_error}")

    def check_rejected(self) -> None:
        """Raise `Rejected` where records were rejected since the last check."""
        count = self._drainer.rejected - self._reported_rejected
        self._reported_rejected += count
        if count:
            raise Rejected(count, self._rejected_file)

    def close(self) -> None:
        """Stop sending and close the files; what was not sent stays for the next buffer on this directory."""
        self._drainer.stop()
        self._log.close()

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

    def _append(self, kind: bytes, payload: bytes, now_ms: int) -> None:
        seen = self._log.acknowledged
        if not self._log.append(kind, payload, now_ms):
            if self._refuses:
                raise Unavailable(f"the buffer in {self.directory} is full; log this again later")
            raise BufferFull(self._log.reached(seen + 1))
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
