"""A circuit breaker: after repeated failures of a service, calls fail at once instead of waiting for a timeout.

    closed ──(consecutive failures)──> open ──(after each pause: one probe)──> closed if a call succeeds

Libraries for this hold a lock during the call, so that concurrent callers would wait for each other.
"""

import time
from collections.abc import Callable

from agent_memory.core.forks import fork_safe_lock

FAILURES_TO_OPEN = 3
PAUSE_SECONDS = 2.0


class CircuitBreaker:
    """Counts consecutive failures. It is thread-safe, and no method blocks.

    Args:
        failures_to_open: the number of consecutive failures that opens the circuit.
        pause_seconds: the time between probes while it is open.
        seconds: a monotonic clock.
    """

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
        self._lock = fork_safe_lock()

    def allow_request(self) -> bool:
        """Whether a call may be made now. While the circuit is open, that is the first one after each pause."""
        with self._lock:
            if self._failures < self._failures_to_open:
                return True
            now = self._seconds()
            if now < self._next_probe:
                return False
            self._next_probe = now + self._pause_seconds
            return True

    def record_success(self) -> None:
        """Record that the service responded, which closes the circuit."""
        with self._lock:
            self._failures = 0

    def record_failure(self) -> None:
        """Record that the service did not respond, which opens the circuit after enough consecutive failures."""
        with self._lock:
            self._failures += 1
            if self._failures == self._failures_to_open:
                self._next_probe = self._seconds() + self._pause_seconds
