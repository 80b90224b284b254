"""What a buffered logger tells of itself."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BufferMetrics:
    """The state of a buffer at one moment; counts are of this process.

    Attributes:
        pending_records: logged and not yet acknowledged, those that an earlier process left included.
        pending_bytes: what they take on disk.
        oldest_pending_seconds: age of the oldest of them; 0.0 where none waits.
        acknowledged: records that the store accepted.
        unchanged: those of them that the store had already.
        rejected: records that the store refused for good; they lie in `rejected.jsonl`.
        retries: attempts to send that failed and were repeated.
        last_error: what the last failed attempt said, None where none has failed since the last success.
    """

    pending_records: int
    pending_bytes: int
    oldest_pending_seconds: float
    acknowledged: int
    unchanged: int
    rejected: int
    retries: int
    last_error: str | None
