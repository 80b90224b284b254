"""The background threads of a buffer: one sends the records of the log, one syncs the log to disk."""

import logging
import threading
import time
from contextlib import suppress
from pathlib import Path

from tenacity import (
    RetryCallState,
    RetryError,
    Retrying,
    retry_if_exception_type,
    stop_when_event_set,
    wait_random_exponential,
)
from tenacity.nap import sleep_using_event

from agent_memory.buffering.delivery import deliver
from agent_memory.buffering.rejected import append_rejected
from agent_memory.buffering.sinks import Sink
from agent_memory.buffering.verdicts import reason_of
from agent_memory.buffering.write_ahead_log import WriteAheadLog
from agent_memory.core.clock import Clock
from agent_memory.core.errors import Unavailable

# Full jitter: each pause is random between zero and a bound that doubles.
_FIRST_BACKOFF_SECONDS = 0.05
_LONGEST_BACKOFF_SECONDS = 30.0
# The time to wait for more records after an idle period, so that a burst is sent in few requests.
_LINGER_SECONDS = 0.01
# While callers append, this thread pauses after each window for so many times as long as it has used the processor for
# that, but not for longer than a moment.
_PAUSE = 3
_LONGEST_PAUSE_SECONDS = 0.1
# Closing waits this long for a request in progress.
_STOP_TIMEOUT_SECONDS = 5.0
_logger = logging.getLogger(__name__)


class Drainer:
    """Sends the records of the log, in order and in windows, until it is stopped; failed requests are retried."""

    def __init__(
        self,
        log: WriteAheadLog,
        sink: Sink,
        rejected_file: Path,
        clock: Clock,
        *,
        batch_size: int,
        sync_seconds: float | None,
    ) -> None:
        self._log = log
        self._sink = sink
        self._rejected_file = rejected_file
        self._clock = clock
        self._batch_size = batch_size
        self._window_size = batch_size
        self._is_idle = False
        self._work = threading.Event()
        self._stopping = threading.Event()
        self.accepted = self.unchanged = self.rejected = self.retries = 0
        self.failed_attempts = 0
        self.last_error: str | None = None
        self._failing_since_ms: int | None = None
        self._first_reason: str | None = None
        # Daemon threads, so that a program that does not close the buffer can exit.
        self._thread = threading.Thread(target=self._drain, name="agent-memory-buffer", daemon=True)
        self._thread.start()
        if sync_seconds:
            threading.Thread(
                target=self._sync_regularly, args=(sync_seconds,), name="agent-memory-sync", daemon=True
            ).start()

    def wake(self) -> None:
        """Signal that the log has more records. This is cheap while the drainer is busy."""
        if self._is_idle:
            self._is_idle = False
            self._work.set()

    def stop(self) -> None:
        """Stop the threads. A request in progress may still take effect; its records are recognised when sent again."""
        self._stopping.set()
        self._work.set()
        self._thread.join(_STOP_TIMEOUT_SECONDS)

    def failing_since_ms(self) -> int | None:
        """When the first of the failed attempts since the last success was made (ms); None without any."""
        return self._failing_since_ms

    def take_rejection_reason(self) -> str:
        """The error of the first record that was rejected since the last call."""
        reason, self._first_reason = self._first_reason, None
        return reason or "see the file"

    # --- threads ---------------------------------------------------------------------------------

    def _drain(self) -> None:
        retrying = Retrying(
            # An error of any class, as also a cancellation, is no reason to stop sending; `deliver` returns verdicts.
            retry=retry_if_exception_type(BaseException),
            wait=wait_random_exponential(multiplier=_FIRST_BACKOFF_SECONDS, max=_LONGEST_BACKOFF_SECONDS),
            stop=stop_when_event_set(self._stopping),
            sleep=sleep_using_event(self._stopping),
            before_sleep=self._record_failure,
        )
        with suppress(RetryError):  # stopped while sending failed
            while not self._stopping.is_set():
                if not retrying(self._send_window):
                    self._wait_for_work()

    def _send_window(self) -> bool:
        """Send the next window and acknowledge it; returns False if there are no records."""
        started = time.thread_time()
        window, appended = self._log.read(self._window_size), self._log.next_sequence
        if not window.items:
            return False
        delivery = deliver(self._sink, window.items)
        if self._stopping.is_set():
            raise Unavailable("the buffer was closed")
        if delivery.rejected:
            append_rejected(self._rejected_file, delivery.rejected, self._clock.now_ms())
            reason = reason_of(delivery.rejected[0][1])
            self._first_reason = self._first_reason or reason
            _logger.warning(
                "%d records were rejected, the first for: %s; see %s",
                len(delivery.rejected),
                reason,
                self._rejected_file,
            )
        self.accepted += delivery.accepted
        self.unchanged += delivery.unchanged
        self.rejected += len(delivery.rejected)
        self.last_error, self.failed_attempts, self._failing_since_ms = None, 0, None
        self._log.acknowledge(window)
        self._window_size = min(self._batch_size, 2 * self._window_size)
        if self._log.next_sequence > appended and not self._log.is_urgent:
            self._pause(time.thread_time() - started)
        return True

    def _pause(self, seconds: float) -> None:
        """Leave the interpreter to the callers for a while: they wait for it whenever this thread has it."""
        self._stopping.wait(min(_PAUSE * seconds, _LONGEST_PAUSE_SECONDS))

    def _wait_for_work(self) -> None:
        self._work.clear()
        self._is_idle = True
        # A record that was appended before this line may not have woken the drainer, which still looked busy.
        if self._log.pending()[0] or self._stopping.is_set():
            self._is_idle = False
        else:
            self._work.wait()
        self._stopping.wait(_LINGER_SECONDS)

    def _record_failure(self, attempt: RetryCallState) -> None:
        error = attempt.outcome.exception() if attempt.outcome else None
        if attempt.attempt_number == 1:
            self._failing_since_ms = self._clock.now_ms()
        self.retries += 1
        self.failed_attempts = attempt.attempt_number
        # A window is acknowledged only as a whole: if requests fail often, a smaller one is more likely to succeed.
        self._window_size = max(1, self._window_size // 2)
        before, self.last_error = self.last_error, f"{type(error).__name__}: {error}"
        if self.last_error != before:
            _logger.warning("sending failed; retrying until it succeeds: %s", self.last_error)

    def _sync_regularly(self, seconds: float) -> None:
        while not self._stopping.wait(seconds):
            try:
                self._log.sync()
            except OSError as error:
                self.last_error = f"{type(error).__name__}: {error}"
                _logger.warning("the log could not be synced to disk: %s", error)
