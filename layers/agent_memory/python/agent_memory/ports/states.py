"""The interface of a store of states."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from agent_memory.core.json_values import Document
from agent_memory.model.listings import OnUnreadable, raise_error
from agent_memory.model.states import State


@dataclass(frozen=True, slots=True)
class Registration:
    """What an agent has used: its decision types, sorted, and the largest number of write shards."""

    decision_types: tuple[str, ...] = ()
    write_shards: int = 1


Others = Mapping[str, Document] | None
"""Other states of an agent, by their name."""


class StateStore(Protocol):
    """Small named states of an agent, each with a version, and the registry of agents."""

    def get(self, agent_id: str, state_type: str) -> State | None:
        """The state, or None."""
        ...

    def put(
        self, agent_id: str, name: str, data: Document, *, expected_version: int, now_ms: int, others: Others = None
    ) -> State:
        """Write a state if its version is `expected_version` (0: there is none); else raise `Conflict`.

        `others` has other states by their type, whose first versions are written in the same transaction.
        """
        ...

    def restore(self, agent_id: str, name: str, state: State, *, after: int) -> None:
        """Write a version of a state as it is if the stored version is `after` (0: there is none); else `Conflict`."""
        ...

    def list_by_prefix(
        self, agent_id: str, prefix: str, *, on_unreadable: OnUnreadable = raise_error
    ) -> list[tuple[str, State]]:
        """The states whose type begins with a prefix, sorted by type, with the rest of their type."""
        ...

    def remove(self, agent_id: str, state_type: str) -> None:
        """Remove a state if it exists."""
        ...

    def register(self, agent_id: str, decision_types: Iterable[str], write_shards: int, now_ms: int) -> None:
        """Record that an agent makes decisions of these types, spread over this many shards."""
        ...

    def registration(self, agent_id: str) -> Registration:
        """The registration of an agent; an empty one for an unknown agent."""
        ...

    def agents(self) -> list[str]:
        """Every registered agent, sorted."""
        ...

    def erase(self, agent_id: str, *, dry_run: bool) -> int:
        """Erase an agent's states and its registration, or only count them; returns how many."""
        ...
