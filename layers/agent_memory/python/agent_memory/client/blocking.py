"""`Blocking`: the async classes for agents that do not use asyncio."""

import asyncio
import inspect
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from functools import wraps
from types import TracebackType
from typing import Any, Self


class Blocking:
    """Gives every async method of an object as one that blocks until it has its result.

        with Blocking(AgentMemoryClient(url, "market-hunter")) as client:
            decision_id = client.log_decision("QUERY", {"market": {"trend": "up"}}, {"priority": "high"})

    For `DecisionLogger`, `AgentMemoryClient`, `MemoryManager`, `MemoryAnalytics` and the like. All calls run on one
    event loop in a thread of its own, so that connections are shared; any number of threads may call at once. Leaving
    the block, or `close`, closes the object where it can be closed; calls that are still under way are cancelled.

    Calls from code that runs in an event loop block that loop: there, await the object itself. That is refused.
    """

    def __init__(self, wrapped: Any) -> None:
        self._wrapped = wrapped
        self._lock = threading.Lock()
        self._is_closed = False
        self._stop = asyncio.Event()
        running: Future[asyncio.AbstractEventLoop] = Future()
        # A daemon, so that a program that never closes it ends all the same.
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._run(running)), name="agent-memory-blocking", daemon=True
        )
        self._thread.start()
        self._loop = running.result()

    def __repr__(self) -> str:
        return f"Blocking({self._wrapped!r})"

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._wrapped, name)
        if not inspect.iscoroutinefunction(found):
            return found

        @wraps(found)
        def call(*args: Any, **settings: Any) -> Any:
            return self._result(lambda: found(*args, **settings), name)

        return call

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the object, if it can be closed, and end the thread. Doing it again does nothing."""
        try:
            if hasattr(self._wrapped, "aclose") and not self._is_closed:
                self._result(self._wrapped.aclose, "aclose")
        finally:
            with self._lock:
                if not self._is_closed:
                    self._loop.call_soon_threadsafe(self._stop.set)
                self._is_closed = True
            self._thread.join()

    async def _run(self, running: "Future[asyncio.AbstractEventLoop]") -> None:
        running.set_result(asyncio.get_running_loop())
        await self._stop.wait()

    def _result(self, call: Callable[[], Coroutine[Any, Any, Any]], name: str) -> Any:
        """What a call returns or raises once it has ended; where the wait is interrupted, so is the call."""
        if _in_a_loop():
            raise RuntimeError(f"an event loop runs here: await {name} of the object itself")
        # What is submitted under the lock comes before the loop's end, which cancels it at the latest.
        with self._lock:
            if self._is_closed:
                raise RuntimeError("this object was closed")
            future = asyncio.run_coroutine_threadsafe(call(), self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise


def _in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
