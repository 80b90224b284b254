"""`AgentMemoryClient`: the decision log and memory of one agent over the HTTP API."""

from collections.abc import Sequence
from typing import Any

import httpx

from agent_memory.client.analytics import AsyncAnalytics, SyncAnalytics
from agent_memory.client.decisions import AsyncDecisions, SyncDecisions
from agent_memory.client.http import HttpBackend
from agent_memory.client.memory import AsyncMemory, SyncMemory
from agent_memory.client.requests import open_requests


class AgentMemoryClient(AsyncDecisions, AsyncMemory, AsyncAnalytics):
    """A client of a deployed API for one agent, with the methods of `DecisionLogger` and `MemoryManager`.

    It also has those of `MemoryAnalytics` that the API answers; `MemoryAnalytics(client, client)` has all of them.

    Use it as an async context manager, or call `aclose`; `AgentMemoryClient(…).sync` is for code without asyncio. A
    client is thread-safe and belongs to no event loop: it works in several `asyncio.run`, also at the same time.

    Requests are retried, with exponential backoff and full jitter, if the connection fails or the API returns 429, 500,
    502, 503 or 504; at most four attempts, within a minute. Retries are safe: the ids of decisions and the timestamps
    of amendments are generated before the first attempt, so the API recognises a request that it has already processed.

    Args:
        base_url: the API's URL up to, not including, `/v1`; `http://` is for local clouds.
        agent_id: the agent.
        session: a boto3 or botocore session whose credentials sign the requests; by default a new boto3 session.
        region: the API's region; by default the one in its URL, else the session's.
        pools: agent ids for knowledge that several agents share, as `shared`. Long-term memory is read from the agent
            and its pools together, which the credentials must permit, and written to a pool with `pool("shared")`.
        writer: the agent id recorded as the author of memory changes; by default the agent itself.
        write_shards: number of partitions (1 to 32) that new decisions are distributed over, as in the deployment.
        transport: an httpx transport, for tests. Without one, the environment's proxies (`HTTPS_PROXY`, `HTTP_PROXY`,
            `ALL_PROXY`, `NO_PROXY`) and certificates (`SSL_CERT_FILE`, `SSL_CERT_DIR`, `AWS_CA_BUNDLE`) are used.

    Raises:
        InvalidInput: an argument, or a variable of the environment, cannot be used.
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
        self._http = self._backend = self._decisions = self._memory = self._analytics = backend

    def __repr__(self) -> str:
        return f"AgentMemoryClient({self._http.url!r})"

    @property
    def sync(self) -> "SyncAgentMemoryClient":
        """The same client for code without asyncio; they share connections, and closing either closes both."""
        return SyncAgentMemoryClient(self._http)

    def pool(self, name: str) -> "AgentMemoryClient":
        """A client for one of the agent's pools, on the same connections, with this agent as the author of changes.

        Raises:
            InvalidInput: `name` is not one of the agent's pools.
        """
        return _PoolClient(self._http.pool(name))


class _PoolClient(AgentMemoryClient):
    """A client that shares the connections of another."""

    def __init__(self, backend: HttpBackend) -> None:
        self._use(backend)


class SyncAgentMemoryClient(SyncDecisions, SyncMemory, SyncAnalytics):
    """`AgentMemoryClient(…).sync`: the same methods without asyncio."""

    def __init__(self, backend: HttpBackend) -> None:
        self._http = self._backend = self._decisions = self._memory = self._analytics = backend

    def __repr__(self) -> str:
        return f"SyncAgentMemoryClient({self._http.url!r})"

    def pool(self, name: str) -> "SyncAgentMemoryClient":
        """A client for one of the agent's pools; see `AgentMemoryClient.pool`."""
        return SyncAgentMemoryClient(self._http.pool(name))
