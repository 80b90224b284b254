"""What is known of one agent's decisions as a whole: their types, their shards, and so every decision's key."""

from collections.abc import Sequence

from agent_memory.core import ids
from agent_memory.core.checks import check_integer
from agent_memory.core.clock import Clock
from agent_memory.core.errors import NotFound
from agent_memory.core.ids import MAX_SHARDS, parse_decision_id, shard_of, type_tag
from agent_memory.model.decisions import Decision, DecisionKey, DecisionType
from agent_memory.ports.states import StateStore

_SHARDS_FRESH_MS = 60_000


class DecisionRegistry:
    """The agent's entry in the register of agents, and what this process remembers of it.

    Attributes:
        registered: the types and shards that this process has registered; only others need `register`.
    """

    def __init__(self, agent_id: str, states: StateStore, clock: Clock, write_shards: int = 1) -> None:
        self.agent_id = ids.check_agent_id(agent_id)
        self.write_shards = check_integer("write_shards", write_shards, minimum=1, maximum=MAX_SHARDS)
        self._states = states
        self._clock = clock
        self._type_names: dict[int, str] = {type_tag(kind): str(kind) for kind in DecisionType}
        self._shards = write_shards
        self.registered: set[tuple[str, int]] = set()
        self._shards_read_ms: int | None = None

    def register(self, decisions: Sequence[Decision]) -> None:
        """Make the agent, its types and its shards known to the nightly job, before they are used."""
        types = {decision.decision_type for decision in decisions}
        shards = max([self._shards, *[shard_of(decision.decision_id) + 1 for decision in decisions]])
        self._states.register(self.agent_id, types, shards, self._clock.now_ms())
        self._shards = shards
        self._type_names |= {type_tag(kind): kind for kind in types}
        kinds = {kind for kind, _ in self.registered} | types
        self.registered = {(kind, shard) for kind in kinds for shard in range(shards)}

    def types(self) -> list[str]:
        """The decision types that the agent has used, as of now."""
        return self._read()

    def shards(self) -> int:
        """How many shards the agent has used, as of a minute ago at most."""
        now_ms = self._clock.now_ms()
        if self._shards_read_ms is None or abs(now_ms - self._shards_read_ms) > _SHARDS_FRESH_MS:
            self._read()
        return self._shards

    def key(self, decision_id: object, field: str = "decision_id") -> DecisionKey:
        """The key of a decision, known from its id.

        Raises:
            InvalidInput: not a decision id. NotFound: no type that this agent has used made this id.
        """
        parts = parse_decision_id(decision_id, field)
        if parts.type_tag not in self._type_names:
            self._read()
        if parts.type_tag not in self._type_names:
            raise NotFound(f"{self.agent_id} has no decision {decision_id}")
        return DecisionKey(self.agent_id, self._type_names[parts.type_tag], parts.timestamp_ms, str(decision_id))

    def _read(self) -> list[str]:
        known = self._states.registration(self.agent_id)
        self._shards = max(self._shards, known.write_shards)
        self._shards_read_ms = self._clock.now_ms()
        self._type_names |= {type_tag(kind): kind for kind in known.decision_types}
        return list(known.decision_types)
