"""Keeps callers away from a service that does not answer, and lets one of them see now and then whether it does again.

    closed ──(failures in a row)──> open ──(pause over: one probe)──> closed, or open for another pause

The libraries for this hold a lock during the call itself, which would let callers wait for each other.
"""

import time
from collections.abc import Callable
from threading import Lock

FAILURES_TO_OPEN = 3
PAUSE_SECONDS = 2.0


class CircuitBreaker:
    """Counts failures in a row. Every method is quick and may be called from any thread."""

    def __init__(
        self,
        failures_to_open: int = FAILURES_TO_OPEN,
        pause_seconds: float = PAUSE_SECONDS,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._failures_to_open = failures_to_open
        self._pause_seconds = pause_seconds
        self._seconds = seconds
        self._failures = 0
        self._next_probe = 0.0
        self._lock = Lock()

    def allow_request(self) -> bool:
        """Whether a call may be tried now. While open, the first caller after each pause is the probe."""
        with self._lock:
            if self._failures < self._failures_to_open:
                return True
            now = self._seconds()
            if now < self._next_probe:
                return False
            self._next_probe = now + self._pause_seconds
            return True

    def record_success(self) -> None:
        """Say that a call was answered."""
        with self._lock:
            self._failures = 0

    def record_failure(self) -> None:
        """Say that a call was not answered."""
        with self._lock:
            self._failures += 1
            if self._failures == self._failures_to_open:
                self._next_probe = self._seconds() + self._pause_seconds
