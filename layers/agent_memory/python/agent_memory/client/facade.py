"""Base classes of the asynchronous and synchronous classes: the agent's id, closing, and the context manager."""

from types import TracebackType
from typing import Self

from agent_memory.client.backends import Backend
from agent_memory.client.executor import in_thread


class AsyncFacade:
    """An asynchronous class on a backend, whose methods run in a thread pool. `async with` closes it."""

    _backend: Backend

    @property
    def agent_id(self) -> str:
        """The agent."""
        return self._backend.agent_id

    async def aclose(self) -> None:
        """Close the connections that this object opened."""
        await in_thread(self._backend.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class SyncFacade:
    """A synchronous class on a backend, for code without asyncio; thread-safe. `with` closes it."""

    _backend: Backend

    @property
    def agent_id(self) -> str:
        """The agent."""
        return self._backend.agent_id

    def close(self) -> None:
        """Close the connections that this object opened."""
        self._backend.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
