"""`AgentMemoryClient`: the decision log and memory of one agent over signed HTTP."""

from collections.abc import Sequence
from typing import Any

import httpx

from agent_memory.client.decisions import AsyncDecisions, SyncDecisions
from agent_memory.client.http import HttpBackend
from agent_memory.client.memory import AsyncMemory, SyncMemory
from agent_memory.client.requests import open_requests


class AgentMemoryClient(AsyncDecisions, AsyncMemory):
    """Talks to a deployed API as one agent, with the methods of `DecisionLogger` and `MemoryManager`.

    Use it as an async context manager, or call `aclose`; `AgentMemoryClient(…).sync` is for code without asyncio.

    Ids of decisions, and times of amendments, are made before the first attempt: what is sent again after a timeout is
    recognised. So requests are repeated, with exponential backoff and full jitter, where the connection fails or the
    API answers 429, 500, 502, 503 or 504; four attempts at most, within a minute.

    Args:
        base_url: the API's address up to, not including, `/v1`.
        agent_id: whose memory it is.
        session: a boto3 or botocore session whose credentials sign the requests; by default what boto3 finds.
        region: of the API; by default the one in its address, else the session's.
        pools: agent ids that stand for knowledge shared by several agents, as `shared`; long-term memory is read from
            the agent's own and theirs together, as far as the credentials may, and written to one by `pool("shared")`.
        writer: who changes memories, the agent itself unless another is named.
        write_shards: as the deployment has it: over how many partitions new decisions are spread.
        transport: what carries the requests, for tests.
    """

    def __init__(
        self,
        base_url: str,
        agent_id: str,
        *,
        session: Any = None,
        region: str | None = None,
        pools: Sequence[str] = (),
        writer: str | None = None,
        write_shards: int = 1,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        requests = open_requests(base_url, session, region, transport)
        self._use(HttpBackend(requests, agent_id, pools, writer, write_shards))

    def _use(self, backend: HttpBackend) -> None:
        self._http = self._backend = self._decisions = self._memory = backend

    def __repr__(self) -> str:
        return f"AgentMemoryClient({self._http.url!r})"

    @property
    def sync(self) -> "SyncAgentMemoryClient":
        """The same client for code without asyncio; closing either closes both."""
        return SyncAgentMemoryClient(self._http)

    def pool(self, name: str) -> "AgentMemoryClient":
        """A client of one of the agent's pools, on this one's connections; memories say that this agent wrote them.

        Raises:
            InvalidInput: it is not one of the agent's pools.
        """
        return _PoolClient(self._http.pool(name))


class _PoolClient(AgentMemoryClient):
    """A client on the connections of another."""

    def __init__(self, backend: HttpBackend) -> None:
        self._use(backend)


class SyncAgentMemoryClient(SyncDecisions, SyncMemory):
    """`AgentMemoryClient(…).sync`: the same methods, which block."""

    def __init__(self, backend: HttpBackend) -> None:
        self._http = self._backend = self._decisions = self._memory = backend

    def __repr__(self) -> str:
        return f"SyncAgentMemoryClient({self._http.url!r})"

    def pool(self, name: str) -> "SyncAgentMemoryClient":
        """A client of one of the agent's pools; see `AgentMemoryClient.pool`."""
        return SyncAgentMemoryClient(self._http.pool(name))
