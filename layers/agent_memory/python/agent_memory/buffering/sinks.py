"""What a buffer sends to."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol

Result = Mapping[str, Any]


class Sink(Protocol):
    """One agent's decision log. Calls come from one thread at a time."""

    @property
    def agent_id(self) -> str:
        """Whose decisions these are."""
        ...

    def log_decisions(self, inputs: Sequence[Mapping[str, Any]], /) -> Sequence[Result]:
        """Log decisions; each has its own result, in order, with a `status` and maybe an `error`."""
        ...

    def log_outcomes(self, inputs: Sequence[Mapping[str, Any]], /) -> Sequence[Result]:
        """Add outcomes; each has its own result, in order, with a `status` and maybe an `error`."""
        ...


class AwaitableSink(Protocol):
    """The same with methods to be awaited."""

    @property
    def agent_id(self) -> str:
        """Whose decisions these are."""
        ...

    async def log_decisions(self, inputs: Sequence[Mapping[str, Any]], /) -> Sequence[Result]:
        """See `Sink`."""
        ...

    async def log_outcomes(self, inputs: Sequence[Mapping[str, Any]], /) -> Sequence[Result]:
        """See `Sink`."""
        ...


class AsyncSink:
    """An object with the asynchronous methods of a decision log, as one that blocks, on an event loop of its own."""

    def __init__(self, wrapped: Any) -> None:
        self._wrapped = wrapped
        self.agent_id: str = wrapped.agent_id
        self.write_shards: int = getattr(wrapped, "write_shards", 1)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="agent-memory-sink", daemon=True)
        self._thread.start()

    def __getattr__(self, name: str) -> Any:
        method: Callable[..., Coroutine[Any, Any, Any]] = getattr(self._wrapped, name)
        if not asyncio.iscoroutinefunction(method):
            return method

        def call(*args: Any, **settings: Any) -> Any:
            return asyncio.run_coroutine_threadsafe(method(*args, **settings), self._loop).result()

        return call

    def close(self) -> None:
        """Close the object, if it can be closed, and end the event loop."""
        if not self._thread.is_alive():
            return
        try:
            if hasattr(self._wrapped, "aclose"):
                asyncio.run_coroutine_threadsafe(self._wrapped.aclose(), self._loop).result()
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
