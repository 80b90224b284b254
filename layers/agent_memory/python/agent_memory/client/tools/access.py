"""What the tools of one agent work on: its decision log and memory, opened from the server's configuration."""

from collections.abc import Sequence
from dataclasses import dataclass

from agent_memory.client.connect import Connection, connected
from agent_memory.client.decision_logger import DecisionLogger
from agent_memory.client.memory_manager import MemoryManager


@dataclass(frozen=True, slots=True)
class AgentAccess:
    """One agent's decision log and memory.

    Attributes:
        log: the decision log.
        memory: the memory.
        connection: the stores, or the HTTP API.
        read_only: whether the tools that write are left out.
    """

    log: DecisionLogger
    memory: MemoryManager
    connection: Connection
    read_only: bool

    @property
    def agent_id(self) -> str:
        """The agent. It comes from the server's configuration, never from a tool's arguments."""
        return self.log.agent_id


def open_access(
    agent_id: str, stores: Connection | str | None, *, pools: Sequence[str] = (), read_only: bool = False
) -> AgentAccess:
    """The memory of an agent in open stores, or at a URL as `connect` takes it.

    Raises:
        InvalidInput: an argument cannot be used. Misconfigured: the store cannot be opened.
    """
    connection = connected(stores)
    memory = MemoryManager(agent_id, stores=connection, pools=pools)
    return AgentAccess(DecisionLogger(agent_id, stores=connection), memory, connection, read_only)
