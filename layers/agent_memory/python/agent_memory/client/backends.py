"""What the classes that agents call are built on: blocking methods, directly on stores, over HTTP, or buffered.

`AsyncDecisions` and `SyncDecisions` have the signatures and docstrings of the decision log, `AsyncMemory` and
`SyncMemory` those of memory; each only turns arguments into the calls below.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from agent_memory.core.clock import Instant
from agent_memory.core.json_values import Document
from agent_memory.decisions.queries import DecisionFilter, TimeRange
from agent_memory.memory.cycles import Cycle
from agent_memory.model.decisions import DecisionDict

Json = dict[str, Any]


class Backend(Protocol):
    """What both have in common."""

    @property
    def agent_id(self) -> str:
        """Whose log and memory it is."""
        ...

    def close(self) -> None:
        """Close the connections that this backend opened."""
        ...


class DecisionBackend(Backend, Protocol):
    """One agent's decision log. Inputs have the fields of `DecisionInput` and `OutcomeItem`."""

    write_shards: int
    max_batch: int
    """How many inputs one call of `log_decisions` or `log_outcomes` sends at once."""

    def log_decision(self, data: Mapping[str, Any]) -> str:
        """Log one decision; returns its id."""
        ...

    def log_decisions(self, inputs: Sequence[Mapping[str, Any]]) -> list[Json]:
        """Log decisions; the result of each, in order."""
        ...

    def log_outcome(self, data: Mapping[str, Any]) -> None:
        """Add one outcome."""
        ...

    def log_outcomes(self, inputs: Sequence[Mapping[str, Any]]) -> list[Json]:
        """Add outcomes; the result of each, in order."""
        ...

    def get_decision(self, decision_id: str) -> DecisionDict:
        """One decision."""
        ...

    def page_decisions(self, wanted: DecisionFilter, *, limit: int, newest_first: bool, cursor: str | None) -> Json:
        """Some decisions that match, and the cursor of the next page."""
        ...

    def get_decision_chain(self, decision_id: str, depth: int) -> list[Json]:
        """What led to a decision and what followed from it."""
        ...

    def analyze_decision_patterns(self, wanted: DecisionFilter, group_by: str) -> Json:
        """Outcomes of the decisions that match, grouped."""
        ...


class MemoryBackend(Backend, Protocol):
    """One agent's memory and state."""

    pools: tuple[str, ...]

    def pool(self, name: str) -> "MemoryBackend":
        """The memory of a pool, written in this agent's name."""
        ...

    def store_stm(self, key: str, data: Any, ttl_seconds: int) -> bool:
        """Keep a value; whether it was kept."""
        ...

    def retrieve_stm(self, key: str) -> Any | None:
        """The value under a key."""
        ...

    def clear_stm(self, pattern: str | None) -> int:
        """Erase keys; how many."""
        ...

    def write_cycle(self, cycle: Cycle) -> bool:
        """Keep what a cycle brought; whether it was kept."""
        ...

    def read_cycle(
        self, *, cycles: int, signals_since: Instant | None, performance: Mapping[str, Sequence[str]] | None
    ) -> Json:
        """What the last cycles left."""
        ...

    def remove_signal(self, signal: Any) -> bool:
        """Remove an active signal; whether it was active."""
        ...

    def check_rate_limit(self, source_id: str, limit: int, window_seconds: int) -> Json:
        """Count one query of a source."""
        ...

    def store_ltm(
        self, memory_type: str, pattern_id: str, data: Document, *, reason: str | None, expected_version: int | None
    ) -> Json:
        """Store a memory, or its next version."""
        ...

    def retrieve_ltm(self, memory_type: str, filters: Document | None, *, as_of: Instant | None) -> list[Json]:
        """Memories of a type that meet every filter."""
        ...

    def update_ltm_confidence(
        self, memory_type: str, pattern_id: str, new_confidence: float, *, reason: str | None
    ) -> Json:
        """Store the next version of a memory with another confidence."""
        ...

    def get_ltm_history(self, memory_type: str, pattern_id: str) -> list[Json]:
        """Every change of a memory."""
        ...

    def consolidate_to_ltm(self, stm_key: str, pattern_type: str) -> Json:
        """Keep a value of short-term memory as a long-term memory."""
        ...

    def get_context_memory(
        self, time_range: TimeRange | None, context_filter: Document | None, *, limit: int, level: str | None
    ) -> Json:
        """What the agent met in a time and context."""
        ...

    def recall(
        self,
        query: str,
        *,
        kind: str | None,
        symbol: str | None,
        top_k: int,
        explain: bool,
        half_lives: Mapping[str, float] | None,
    ) -> list[Json]:
        """What the agent knows about something, ranked."""
        ...

    def save_state(self, state: Document, *, expected_version: int | None) -> Json:
        """Make this the current state."""
        ...

    def load_state(self, *, fresh: bool) -> Json | None:
        """The current state."""
        ...

    def create_checkpoint(self, name: str) -> Json:
        """Keep the current state under a name."""
        ...

    def list_checkpoints(self) -> list[Json]:
        """Every checkpoint."""
        ...

    def restore_checkpoint(self, name: str, *, expected_version: int | None) -> Json:
        """Make a checkpoint the current state."""
        ...

    def list_configurations(self) -> list[Json]:
        """Every configuration the agent had."""
        ...
