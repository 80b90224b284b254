"""The background of a buffered logger: a thread with a loop of its own that sends what the log holds."""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from tenacity import AsyncRetrying, RetryCallState, wait_random_exponential

from agent_memory.buffering.delivery import Sink, deliver
from agent_memory.buffering.rejected import keep_rejected
from agent_memory.buffering.write_ahead_log import WriteAheadLog
from agent_memory.core.clock import Clock
from agent_memory.core.errors import Unavailable

Answered = TypeVar("Answered")

# Full jitter: each pause is drawn between nothing and twice the last bound.
_FIRST_BACKOFF_SECONDS = 0.05
_LONGEST_BACKOFF_SECONDS = 30.0
# After a pause in logging, so long is waited for more: a burst goes out in few requests.
_GATHER_SECONDS = 0.01
_logger = logging.getLogger(__name__)


class Drainer:
    """Sends window after window of the log, in order, for ever; whatever fails is tried again.

    All calls of the sink run on this thread's loop, since HTTP clients must stay on one loop.
    """

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
        self._sync_seconds = sync_seconds
        self._is_idle = False
        self._work = asyncio.Event()
        self.accepted = self.unchanged = self.rejected = self.retries = 0
        self.last_error: str | None = None
        started: Future[asyncio.AbstractEventLoop] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._run(started)), name="agent-memory-buffer", daemon=True
        )
        self._thread.start()
        self._loop = started.result()

    def wake(self) -> None:
        """Say that the log has more. Costs nothing while the drainer is busy."""
        if self._is_idle:
            self._is_idle = False
            self._loop.call_soon_threadsafe(self._work.set)

    async def call(self, call: Callable[..., Coroutine[Any, Any, Answered]], *args: Any, **settings: Any) -> Answered:
        """Await a method of the sink on this thread's loop, from any other loop.

        Raises:
            Unavailable: the drainer was stopped.
        """
        if not self._thread.is_alive():
            raise Unavailable("this logger is closed")
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(call(*args, **settings), self._loop))

    async def stop(self) -> None:
        """End the thread; a request that is under way may still take effect, and is recognised when sent again."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._task.cancel)
        await asyncio.to_thread(self._thread.join)

    # --- on the thread ---------------------------------------------------------------------------

    async def _run(self, started: "Future[asyncio.AbstractEventLoop]") -> None:
        self._task = asyncio.create_task(self._drain())
        syncing = asyncio.create_task(self._sync_regularly())
        started.set_result(asyncio.get_running_loop())
        with suppress(asyncio.CancelledError):
            await self._task
        syncing.cancel()
        if hasattr(self._sink, "aclose"):  # its connections live on this loop and end with it
            await self._sink.aclose()

    async def _drain(self) -> None:
        retrying = AsyncRetrying(
            wait=wait_random_exponential(multiplier=_FIRST_BACKOFF_SECONDS, max=_LONGEST_BACKOFF_SECONDS),
            before_sleep=self._note_failure,
        )
        while True:
            if not await retrying(self._send_window):
                await self._wait_for_work()

    async def _send_window(self) -> bool:
        """Send the next window and acknowledge it; False where there is none."""
        window = self._log.read(self._window_size)
        if not window.items:
            return False
        delivery = await deliver(self._sink, window.items)
        if delivery.rejected:
            keep_rejected(self._rejected_file, delivery.rejected, self._clock.now_ms())
            _logger.warning("%d records were rejected; see %s", len(delivery.rejected), self._rejected_file)
        self.accepted += delivery.accepted
        self.unchanged += delivery.unchanged
        self.rejected += len(delivery.rejected)
        self.last_error = None
        self._log.acknowledge(window)
        self._window_size = min(self._batch_size, 2 * self._window_size)
        return True

    async def _wait_for_work(self) -> None:
        self._work.clear()
        self._is_idle = True
        # Whoever appended before this line may have seen a busy drainer and not have woken it.
        if self._log.pending()[0]:
            self._is_idle = False
        else:
            await self._work.wait()
        await asyncio.sleep(_GATHER_SECONDS)

    def _note_failure(self, attempt: RetryCallState) -> None:
        error = attempt.outcome.exception() if attempt.outcome else None
        self.retries += 1
        # A window counts only once it arrives as a whole: where requests fail often, a small one has better chances.
        self._window_size = max(1, self._window_size // 2)
        self.last_error = f"{type(error).__name__}: {error}"
        if attempt.attempt_number == 1:
            _logger.warning("sending failed and is tried again until it succeeds: %s", self.last_error)

    async def _sync_regularly(self) -> None:
        while self._sync_seconds:
            await asyncio.sleep(self._sync_seconds)
            try:
                await asyncio.to_thread(self._log.sync)
            except (OSError, RuntimeError) as error:  # RuntimeError: a process that ends starts no threads
                self.last_error = f"{type(error).__name__}: {error}"
                _logger.warning("the log could not be synced to its disk: %s", error)
