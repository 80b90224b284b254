"""What an import reads an agent from: the file of an export, or its stores."""

from collections.abc import Iterator
from typing import Any, Protocol

from agent_memory.model.decisions import Decision
from agent_memory.model.memories import Memory
from agent_memory.model.states import State
from agent_memory.ports.states import Registration


class AgentSource(Protocol):
    """All data of one agent. What is damaged is left out and named by `missing`, or an error, as the source says."""

    @property
    def agent_id(self) -> str:
        """The agent."""
        ...

    @property
    def exported_ms(self) -> int | None:
        """When it was read from its stores; None if that is unknown."""
        ...

    @property
    def registration(self) -> Registration:
        """The agent's registration; an empty one if it has none."""
        ...

    def decisions(self) -> Iterator[Decision]:
        """The decisions, ordered by time and id."""
        ...

    def memories(self) -> Iterator[Memory]:
        """All versions of all memories; those of one memory are adjacent, oldest first."""
        ...

    def states(self) -> Iterator[tuple[str, State]]:
        """The states by their names."""
        ...

    def short_term(self) -> Iterator[tuple[str, Any]]:
        """The keys of short-term memory and their values."""
        ...

    def object_keys(self) -> list[str]:
        """The keys of the objects, sorted, without large parts, which the decisions contain."""
        ...

    def read_object(self, key: str) -> bytes:
        """The content of an object."""
        ...

    def missing(self) -> list[Any]:
        """What could not be read so far, each with `id`, `reason` and `why`."""
        ...
