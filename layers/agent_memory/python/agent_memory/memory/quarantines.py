"""Quarantine: a memory that is poisoned is taken out of use, and what was learned from its decisions is taken back.

At once, the memory is removed for all readers and cannot be stored again, and decisions that name it are not evidence
any more. The next nightly job learns again from the first day on which a decision was based on it. Release undoes both
in the same way. The history of the memory has who did it, when and why.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from agent_memory.core.clock import Clock
from agent_memory.core.errors import NotFound
from agent_memory.core.ids import check_memory_type, check_pattern_id
from agent_memory.core.retries import retry_conflicts
from agent_memory.memory.learning_controls import LearningControls, read_controls
from agent_memory.memory.long_term import LongTermMemory, is_quarantined
from agent_memory.model.memories import Memory, MemoryType
from agent_memory.ports.stores import Stores


class Quarantines:
    """Quarantines and releases the memories of one agent or pool. Every method blocks.

    `by` is recorded as the author of changes, `principal` as the author's IAM principal.
    """

    def __init__(
        self, agent_id: str, stores: Stores, clock: Clock, *, by: str | None = None, principal: str | None = None
    ) -> None:
        self._agent_id = agent_id
        self._stores = stores
        self._clock = clock
        self._by = by or agent_id
        self._long_term = LongTermMemory(agent_id, stores.memories, clock, writer=by, principal=principal)

    def put(self, memory_id: str, reason: str, memory_type: str | None = None) -> dict[str, Any]:
        """Quarantine a memory; doing it again continues what was interrupted.

        A memory that is not stored (any more) is quarantined as well: it was pruned, or belongs to a pool, and its
        decisions are not learned from.

        Args:
            memory_id: the `pattern_id`, as decisions name it in `memory_ids`.
            reason: why, for the history; 1 to 500 characters.
            memory_type: the type, if it is a type of your own.

        Returns:
            The quarantine (`memory_id`, `by`, `reason`, `at`), and `memories`, the memories of this agent with that id
            that are out of use: `memory_type` and `version` of each.

        Raises:
            InvalidInput: names the argument. Unavailable: a store did not respond.
        """
        types = _types(memory_type)
        # First, so that a job which runs meanwhile learns nothing from these decisions.
        controls = LearningControls(self._agent_id, self._stores.states, self._clock, by=self._by).quarantine(
            memory_id, reason
        )
        (found,) = (one for one in controls.quarantines if one.memory_id == memory_id)

        def withdraw(kind: str) -> None:
            current = self._stores.memories.get(self._agent_id, kind, memory_id)
            if current is not None:
                self._long_term.quarantine(current, reason=reason)

        for kind in types:
            retry_conflicts(partial(withdraw, kind))
        return {"agent_id": self._agent_id, **found.as_dict(), "memories": self._withdrawn(memory_id, types)}

    def release(self, memory_id: str, reason: str | None = None, memory_type: str | None = None) -> dict[str, Any]:
        """Store a memory that is quarantined again, and learn from its decisions again; see `put`.

        Raises:
            InvalidInput: names the argument. NotFound: the memory is not quarantined. Unavailable: a store did not
            respond.
        """
        types, reason = _types(memory_type), "released" if reason is None else reason
        check_pattern_id(memory_id, "memory_id")
        was_quarantined = memory_id in read_controls(self._stores.states, self._agent_id).quarantined
        released = [one for kind in types if (one := self._long_term.release(kind, memory_id, reason=reason))]
        if not was_quarantined and not released:
            raise NotFound(f"{self._agent_id} has no memory {memory_id} that is quarantined")
        # Last, so that a release which was interrupted can be repeated.
        LearningControls(self._agent_id, self._stores.states, self._clock, by=self._by).release(memory_id, reason)
        return {"agent_id": self._agent_id, "memory_id": memory_id, "memories": [_named(one) for one in released]}

    def current(self) -> list[dict[str, Any]]:
        """The memories that are quarantined, in the order in which they were."""
        return [one.as_dict() for one in read_controls(self._stores.states, self._agent_id).quarantines]

    def _withdrawn(self, memory_id: str, types: tuple[str, ...]) -> list[dict[str, Any]]:
        histories = [self._long_term.history(kind, memory_id) for kind in types]
        return [_named(one[-1]) for one in histories if one and is_quarantined(one[-1])]


def _types(memory_type: str | None) -> tuple[str, ...]:
    own = () if memory_type is None else (str(check_memory_type(memory_type)),)
    return tuple(dict.fromkeys([*map(str, MemoryType), *own]))


def _named(memory: Memory) -> dict[str, Any]:
    return {"memory_type": memory.memory_type, "version": memory.version}


def released_somewhere(release_in: Callable[[str], dict[str, Any]], namespaces: Sequence[str]) -> list[dict[str, Any]]:
    """Release a memory in an agent's own memory and in its pools; the answers of those where it was quarantined.

    Raises:
        NotFound: it was quarantined in none of them.
    """
    released: list[dict[str, Any]] = []
    for name in namespaces:
        try:
            released.append(release_in(name))
        except NotFound:
            if not released and name == namespaces[-1]:
                raise
    return released
