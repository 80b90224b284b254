"""The metrics of a buffered logger."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BufferMetrics:
    """The state of a buffer; counts are those of this process.

    Attributes:
        pending_records: records not yet acknowledged, including those of an earlier process.
        pending_bytes: their size on disk.
        oldest_pending_seconds: the age of the oldest pending record; 0.0 if there is none.
        acknowledged: records that the store accepted.
        unchanged: those of them that the store had already.
        rejected: records that the store rejected permanently; they are in `rejected.jsonl`.
        retries: failed attempts to send.
        last_error: the error of the last failed attempt; None after a success.
        failed_attempts: failed attempts since the last success. The records behind the one that cannot be sent wait.
        failing_seconds: the time since the first of them; 0.0 without any.
    """

    pending_records: int
    pending_bytes: int
    oldest_pending_seconds: float
    acknowledged: int
    unchanged: int
    rejected: int
    retries: int
    last_error: str | None
    failed_attempts: int = 0
    failing_seconds: float = 0.0
