"""What the console shows: the agents of open stores or of an HTTP API, through the classes that agents use."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent_memory.cli.console.alarms import Alarms
from agent_memory.cli.console.extensions import Prices, TradingMemory
from agent_memory.cli.console.opened_file import OpenedFile
from agent_memory.client.backends import DecisionBackend
from agent_memory.client.connect import Connection, HttpApi, over_http
from agent_memory.client.decision_logger import DecisionLogger, DirectDecisions
from agent_memory.client.executor import in_thread
from agent_memory.client.memory_manager import MemoryManager
from agent_memory.core.clock import Clock, SystemClock
from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.errors import InvalidInput, NotFound
from agent_memory.core.ids import check_agent_id
from agent_memory.decisions.log import DecisionLog
from agent_memory.model.decisions import Decision
from agent_memory.model.listings import Listing
from agent_memory.ports.stores import Stores
from agent_memory.storage.store_urls import check_store_url, sqlite_file

_PAGE_SECONDS = 0.15
"""How long decisions are looked through for a page. What is rarer is found by asking for the page that follows."""


@dataclass(frozen=True, slots=True)
class Source:
    """The stores or the API, and the agents that are shown.

    Attributes:
        connection: the stores, or the HTTP API.
        name: what it is, for people; without credentials.
        agents: the agents that are shown; empty for all that are registered.
        pools: the pools whose memories the agents read.
        read_only: whether everything that writes is left out.
        templates: folder of synthesized templates, for the cost of a month.
        prices: prices around decisions.
        trading_memory: trading memories, for their page.
        alarms: those of a deployment on AWS.
        file: the SQLite file that is open.
    """

    connection: Connection
    name: str
    agents: tuple[str, ...] = ()
    pools: tuple[str, ...] = ()
    read_only: bool = False
    templates: Path = Path("cdk.out")
    prices: Prices | None = None
    trading_memory: TradingMemory | None = None
    alarms: Alarms | None = None
    file: OpenedFile | None = None
    _logs: dict[str, DecisionLogger] = field(default_factory=dict)
    _memories: dict[str, MemoryManager] = field(default_factory=dict)

    @property
    def is_direct(self) -> bool:
        """Whether the stores themselves are open, and not an API."""
        return isinstance(self.connection, Stores)

    @property
    def clock(self) -> Clock:
        """The clock by which the stores' jobs go."""
        return self.connection.clock if isinstance(self.connection, Stores) else SystemClock()

    def stores(self, what: str) -> Stores:
        """The stores, for `what` only they have; `InvalidInput` over HTTP."""
        if isinstance(self.connection, Stores):
            return self.connection
        raise over_http(what)

    async def agent_ids(self) -> list[str]:
        """The agents that are shown, sorted."""
        if self.file is not None:
            self.file.check()
        if self.agents:
            return sorted(self.agents)
        return await in_thread(self.stores("the list of agents").states.agents)

    async def check_agent(self, agent_id: str) -> str:
        """The id of an agent that is shown; else `NotFound`, before anything of another one is read."""
        check_agent_id(agent_id)
        if agent_id not in await self.agent_ids():
            raise NotFound(f"this console shows no agent {agent_id}")
        return agent_id

    def log(self, agent_id: str) -> DecisionLogger:
        """The decision log of an agent."""
        return self._logs.setdefault(agent_id, DecisionLogger(agent_id, stores=self.connection))

    def pages(self, agent_id: str) -> DecisionBackend:
        """The decision log of an agent, whose pages end after a moment; the service behind an API has its own limit."""
        if isinstance(self.connection, Stores):
            return DirectDecisions(DecisionLog(agent_id, self.connection, max_page_seconds=_PAGE_SECONDS), 1)
        return self.connection.backend(agent_id)

    def recorded(self, agent_id: str, decision_ids: Sequence[str]) -> list[Decision]:
        """Decisions with all that was recorded of their outcomes; blocks. `InvalidInput` over HTTP."""
        self.stores("outcomes as they were known at a time")
        return map_concurrently(self.log(agent_id).log.get, decision_ids)

    def memory(self, agent_id: str) -> MemoryManager:
        """The memory of an agent and of its pools."""
        pools = tuple(one for one in self.pools if one != agent_id)
        return self._memories.setdefault(agent_id, MemoryManager(agent_id, stores=self.connection, pools=pools))

    def confidence_trend(self, agent_id: str, pattern_id: str) -> Listing[dict[str, Any]]:
        """Every version of a pattern, as `MemoryAnalytics.get_pattern_confidence_trend`; blocks."""
        if isinstance(self.connection, Stores):
            return self.memory(agent_id).direct.confidence_trend(pattern_id)
        return self.connection.backend(agent_id).confidence_trend(pattern_id)


def open_source(
    connection: Connection,
    url: str | None,
    *,
    agents: Sequence[str] | None = None,
    pools: Sequence[str] = (),
    read_only: bool = False,
    templates: Path | None = None,
    prices: Prices | None = None,
    trading_memory: TradingMemory | None = None,
    alarms: Alarms | None = None,
) -> Source:
    """The source of a console.

    Raises:
        InvalidInput: an HTTP API was given without agents, which it does not list.
    """
    if isinstance(connection, HttpApi) and not agents:
        raise InvalidInput("--agent", "an HTTP API does not list its agents; name each one that is to be shown")
    path = None if url is None or isinstance(connection, HttpApi) else sqlite_file(url)
    return Source(
        connection,
        _name(connection, url),
        tuple(agents or ()),
        tuple(pools),
        read_only,
        Path("cdk.out") if templates is None else templates,
        prices,
        trading_memory,
        alarms,
        OpenedFile(path) if path is not None and path.exists() else None,
    )


def _name(connection: Connection, url: str | None) -> str:
    """What is shown, without user or password, which a URL may have."""
    if isinstance(connection, HttpApi):
        return connection.base_url
    if url is None:
        return f"deployment in {connection.places.table}"
    parts = check_store_url(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
