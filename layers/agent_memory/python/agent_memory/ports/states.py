"""What the domain asks of a store of states."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from agent_memory.core.json_values import Document
from agent_memory.model.states import State


@dataclass(frozen=True, slots=True)
class Registration:
    """What an agent is known to have used: its decision types, sorted, and the most write shards."""

    decision_types: tuple[str, ...] = ()
    write_shards: int = 1


class StateStore(Protocol):
    """Small named states of an agent, each with a version, and the register of agents."""

    def get(self, agent_id: str, state_type: str) -> State | None:
        """The state, or None."""
        ...

    def put(
        self,
        agent_id: str,
        state_type: str,
        data: Document,
        *,
        expected_version: int,
        now_ms: int,
        also_create: Mapping[str, Document] | None = None,
    ) -> State:
        """Write the state, given that its version is `expected_version` (0: none yet); else `Conflict`.

        `also_create` holds other states by their type, each written as a first version together with it or not at all.
        """
        ...

    def list_by_prefix(self, agent_id: str, prefix: str) -> list[tuple[str, State]]:
        """The states whose type begins with a prefix, in order of their type, with the rest of that."""
        ...

    def remove(self, agent_id: str, state_type: str) -> None:
        """Remove a state, if it is there."""
        ...

    def register(self, agent_id: str, decision_types: Iterable[str], write_shards: int, now_ms: int) -> None:
        """Note that an agent makes decisions of these types, spread over so many shards."""
        ...

    def registration(self, agent_id: str) -> Registration:
        """What is registered of an agent; nothing of an unknown one."""
        ...

    def agents(self) -> list[str]:
        """Every registered agent, sorted."""
        ...

    def erase(self, agent_id: str, *, dry_run: bool) -> int:
        """Erase an agent's states and its registration, or only count them; returns how many."""
        ...
