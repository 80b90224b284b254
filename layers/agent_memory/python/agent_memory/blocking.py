"""`Blocking`: the async classes for agents that do not use asyncio."""

import asyncio
import inspect
import threading
from collections.abc import Callable
from functools import wraps
from types import TracebackType
from typing import Any, Self


class Blocking:
    """Gives every async method of an object as one that blocks until it has its result.

        with Blocking(AgentMemoryClient(url, "market-hunter")) as client:
            decision_id = client.log_decision("QUERY", {"market": {"trend": "up"}}, {"priority": "high"})

    For `DecisionLogger`, `AgentMemoryClient`, `MemoryManager`, `MemoryAnalytics` and the like. All calls run on one
    event loop in a thread of its own, so that connections are shared; any number of threads may call at once. Leaving
    the block, or `close`, closes the object where it can be closed.

    Calls from code that runs in an event loop block that loop: there, await the object itself. That is refused.
    """

    def __init__(self, wrapped: Any) -> None:
        self._wrapped = wrapped
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="agent-memory-blocking", daemon=True)
        self._thread.start()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._wrapped, name)
        return self._blocking(found) if inspect.iscoroutinefunction(found) else found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the object, if it can be closed, and end the thread. Doing it again does nothing."""
        if not self._thread.is_alive():
            return
        try:
            if hasattr(self._wrapped, "aclose"):
                self._blocking(self._wrapped.aclose)()
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def _blocking(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def call(*args: Any, **settings: Any) -> Any:
            if not self._thread.is_alive():
                raise RuntimeError("this object was closed")
            if _in_a_loop():
                raise RuntimeError(f"an event loop runs here: await {method.__name__} of the object itself")
            return asyncio.run_coroutine_threadsafe(method(*args, **settings), self._loop).result()

        return call


def _in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
