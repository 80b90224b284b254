"""The interfaces of a buffer's sink."""

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol

from agent_memory.core.errors import Unavailable
from agent_memory.model.decisions import Decision, Outcome

Result = Mapping[str, Any]

_CLOSE_SECONDS = 5
_logger = logging.getLogger(__name__)


class Sink(Protocol):
    """The decision log of one agent that a buffer sends to. It is called from one thread at a time."""

    @property
    def agent_id(self) -> str:
        """The agent."""
        ...

    def log_decisions(self, inputs: Sequence[Mapping[str, Any]], /) -> Sequence[Result]:
        """Log decisions; returns a result for each, in order, with `status` and possibly `error`."""
        ...

    def log_outcomes(self, inputs: Sequence[Mapping[str, Any]], /) -> Sequence[Result]:
        """Log outcomes; returns a result for each, in order, with `status` and possibly `error`."""
        ...


class SizeLimits(Protocol):
    """What a sink may have in addition: checks by which a record that it cannot store is refused at the call."""

    def check_decision(self, decision: Decision, payload: bytes) -> None:
        """Check the size of a decision; `payload` is its input as JSON. Nothing is requested or written.

        Raises:
            TooLarge: names the field.
        """
        ...

    def check_outcome(self, outcome: Outcome, payload: bytes) -> None:
        """Check the size of an outcome in the same way."""
        ...


class NoLimits:
    """The checks for a sink that has none."""

    def check_decision(self, decision: Decision, payload: bytes) -> None:
        """See `SizeLimits`."""

    def check_outcome(self, outcome: Outcome, payload: bytes) -> None:
        """See `SizeLimits`."""


def size_limits(sink: object) -> SizeLimits:
    """The checks of a sink."""
    has_checks = hasattr(sink, "check_decision") and hasattr(sink, "check_outcome")
    return sink if has_checks else NoLimits()  # type: ignore[return-value]  # it has both methods


class AsyncSink(Protocol):
    """A sink with asynchronous methods."""

    @property
    def agent_id(self) -> str:
        """The agent."""
        ...

    async def log_decisions(self, inputs: Sequence[Mapping[str, Any]], /) -> Sequence[Result]:
        """See `Sink`."""
        ...

    async def log_outcomes(self, inputs: Sequence[Mapping[str, Any]], /) -> Sequence[Result]:
        """See `Sink`."""
        ...


class BlockingSink:
    """Wraps an asynchronous sink as a blocking one; its methods run on a separate event loop."""

    def __init__(self, wrapped: Any) -> None:
        self._wrapped = wrapped
        self.agent_id: str = wrapped.agent_id
        self.write_shards: int = getattr(wrapped, "write_shards", 1)
        self._process = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="agent-memory-sink", daemon=True)
        self._thread.start()

    def __getattr__(self, name: str) -> Any:
        method: Callable[..., Coroutine[Any, Any, Any]] = getattr(self._wrapped, name)
        if not asyncio.iscoroutinefunction(method):
            return method

        def call(*args: Any, **kwargs: Any) -> Any:
            if self._process != os.getpid():  # which has neither the thread nor the connections of the loop
                raise Unavailable("an asynchronous sink cannot be used after a fork; create one in the child")
            return asyncio.run_coroutine_threadsafe(method(*args, **kwargs), self._loop).result()

        return call

    def close(self) -> None:
        """Close the sink, if it has `aclose`, and stop the event loop."""
        if not self._thread.is_alive():
            return
        try:
            if hasattr(self._wrapped, "aclose"):
                asyncio.run_coroutine_threadsafe(self._wrapped.aclose(), self._loop).result(_CLOSE_SECONDS)
        except TimeoutError:
            _logger.warning("the sink did not close within %d seconds", _CLOSE_SECONDS)
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
