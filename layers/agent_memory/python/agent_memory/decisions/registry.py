"""The decision types and shards of one agent, from which the key of each of its decisions follows."""

import time
from collections.abc import Sequence
from threading import Lock

from agent_memory.core import ids
from agent_memory.core.checks import check_integer
from agent_memory.core.clock import Clock
from agent_memory.core.errors import AgentMemoryError, NotFound, as_outage
from agent_memory.core.ids import MAX_SHARDS, check_decision_id, shard_of, tag_of, timestamp_of, type_tag
from agent_memory.core.remembered import MAX_AGE_SECONDS, note
from agent_memory.model.decisions import Decision, DecisionKey, DecisionType
from agent_memory.ports.states import StateStore

_SHARDS_TTL_MS = 60_000


class DecisionRegistry:
    """The agent's registration in the state store, with a cache in this process.

    Attributes:
        registered: the types and shards that this process has registered; `register` is needed for others only.
        registered_until: when they have to be registered again, by `time.monotonic`, as another process may erase them.
    """

    def __init__(self, agent_id: str, states: StateStore, clock: Clock, write_shards: int = 1) -> None:
        self.agent_id = ids.check_agent_id(agent_id)
        self.write_shards = check_integer("write_shards", write_shards, minimum=1, maximum=MAX_SHARDS)
        self._states = states
        self._clock = clock
        self._type_names: dict[int, str] = {type_tag(kind): str(kind) for kind in DecisionType}
        self._shards = self.write_shards
        self.registered: set[tuple[str, int]] = set()
        self.registered_until = 0.0
        self._shards_read_ms: int | None = None
        note(self)

    def drop_remembered(self) -> None:
        """Register again before the next decision: the registration was erased."""
        self.registered = set()

    def register(self, decisions: Sequence[Decision]) -> None:
        """Register the agent, its types and its shards, before decisions that use them are written."""
        types = {decision.decision_type for decision in decisions}
        registered_at = time.monotonic()
        shards = max([self._shards, *[shard_of(decision.decision_id) + 1 for decision in decisions]])
        try:
            self._states.register(self.agent_id, types, shards, self._clock.now_ms())
        except AgentMemoryError as error:  # not about the decisions
            raise as_outage(error) from error
        self._shards = shards
        self._type_names |= {type_tag(kind): kind for kind in types}
        before = self.registered if registered_at < self.registered_until else set()
        if not before:
            self.registered_until = registered_at + MAX_AGE_SECONDS
        kinds = {kind for kind, _ in before} | types
        self.registered = {(kind, shard) for kind in kinds for shard in range(shards)}

    def types(self) -> list[str]:
        """The decision types that the agent has used; read from the store."""
        return self._read()

    @property
    def knows_shards(self) -> bool:
        """Whether the number of shards was read within the last minute."""
        read_ms = self._shards_read_ms
        return read_ms is not None and abs(self._clock.now_ms() - read_ms) <= _SHARDS_TTL_MS

    def shards(self) -> int:
        """The number of shards that the agent has used; cached for a minute."""
        if not self.knows_shards:
            self._read()
        return self._shards

    def for_one_read(self) -> "RegistrationOfRead":
        """The types and shards for one read of decisions, in which several threads may take part."""
        return RegistrationOfRead(self)

    def key(self, decision_id: object, field: str = "decision_id") -> DecisionKey:
        """The key of the decision with an id.

        Raises:
            InvalidInput: not a decision id. NotFound: it is an id of a type that this agent has not used.
        """
        decision_id = check_decision_id(decision_id, field)
        tag = tag_of(decision_id)
        if tag not in self._type_names:
            self._read()
        if tag not in self._type_names:
            raise NotFound(f"{self.agent_id} has no decision {decision_id}")
        return DecisionKey(self.agent_id, self._type_names[tag], timestamp_of(decision_id), decision_id)

    def _read(self) -> list[str]:
        try:
            registration = self._states.registration(self.agent_id)
        except AgentMemoryError as error:  # not about the id whose type is looked up
            raise as_outage(error) from error
        self._shards = max(self._shards, registration.write_shards)
        self._shards_read_ms = self._clock.now_ms()
        self._type_names |= {type_tag(kind): kind for kind in registration.decision_types}
        return list(registration.decision_types)


class RegistrationOfRead:
    """The types and shards that one read of decisions needs, for which the store is asked once at most."""

    def __init__(self, registry: DecisionRegistry) -> None:
        self._registry = registry
        self._types: list[str] | None = None
        self._lock = Lock()

    def types(self) -> list[str]:
        """The decision types that the agent has used."""
        with self._lock:
            if self._types is None:
                self._types = self._registry.types()
            return self._types

    def shards(self) -> int:
        """The number of shards that the agent has used; what `DecisionRegistry.shards` has cached will do."""
        if not self._registry.knows_shards:
            self.types()
        return self._registry.shards()
