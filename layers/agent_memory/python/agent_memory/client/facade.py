"""What every class that agents call has: a context manager's methods, and a counterpart that blocks."""

from types import TracebackType
from typing import Self

from agent_memory.client.backends import Backend
from agent_memory.client.executor import in_thread


class AsyncFacade:
    """An asynchronous class over a backend; `async with` closes it. Its calls run in threads of this package's own."""

    _backend: Backend

    @property
    def agent_id(self) -> str:
        """Whose log and memory it is."""
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
    """The counterpart of an asynchronous class for code without asyncio; `with` closes it. Any thread may call it."""

    _backend: Backend

    @property
    def agent_id(self) -> str:
        """Whose log and memory it is."""
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
