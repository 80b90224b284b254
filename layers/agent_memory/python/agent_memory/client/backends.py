"""The interfaces behind the classes that agents use; implemented on the stores, over HTTP, and buffered.

The methods block. `AsyncDecisions`, `SyncDecisions`, `AsyncMemory` and `SyncMemory` define the public signatures and
call these.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from agent_memory.core.clock import Instant
from agent_memory.core.json_values import Document
from agent_memory.decisions.queries import DecisionFilter, TimeRange
from agent_memory.memory.advice import AdviceQuery
from agent_memory.memory.cycles import Cycle
from agent_memory.memory.recall_query import RecallQuery
from agent_memory.memory.similar import SimilarQuery
from agent_memory.model.decisions import DecisionDict
from agent_memory.model.listings import Listing

Json = dict[str, Any]


class Backend(Protocol):
    """The part that both backends share."""

    @property
    def agent_id(self) -> str:
        """The agent."""
        ...

    def close(self) -> None:
        """Close the connections that this backend opened."""
        ...


class DecisionBackend(Backend, Protocol):
    """The decision log of one agent. Inputs have the fields of `DecisionInput` and `OutcomeItem`."""

    write_shards: int
    max_batch: int
    """The maximum number of decisions or outcomes that are sent in one request."""

    def log_decision(self, data: Mapping[str, Any]) -> str:
        """Log one decision; returns its id."""
        ...

    def log_decisions(self, inputs: Sequence[Mapping[str, Any]]) -> list[Json]:
        """Log decisions; returns a result for each, in order."""
        ...

    def log_outcome(self, data: Mapping[str, Any]) -> None:
        """Log one outcome."""
        ...

    def log_outcomes(self, inputs: Sequence[Mapping[str, Any]]) -> list[Json]:
        """Log outcomes; returns a result for each, in order."""
        ...

    def get_decision(self, decision_id: str) -> DecisionDict:
        """Read one decision."""
        ...

    def page_decisions(self, filters: DecisionFilter, *, limit: int, newest_first: bool, cursor: str | None) -> Json:
        """Read one page of the decisions that match, with the cursor of the next page."""
        ...

    def get_decision_chain(self, decision_id: str, depth: int, *, limit: int) -> Listing[Json]:
        """Read the decisions that led to a decision, and those that followed from it."""
        ...

    def analyze_decision_patterns(self, filters: DecisionFilter, group_by: str, *, exact: bool) -> Json:
        """Summarize the outcomes of the decisions that match, by group."""
        ...


class MemoryBackend(Backend, Protocol):
    """The memory and state of one agent."""

    pools: tuple[str, ...]

    def pool(self, name: str) -> "MemoryBackend":
        """The memory of a pool, with this agent as the writer."""
        ...

    def store_stm(self, key: str, data: Any, ttl_seconds: int) -> bool:
        """Store a value; returns whether it was stored."""
        ...

    def retrieve_stm(self, key: str, *, strict: bool) -> Any | None:
        """Read the value of a key; `strict` raises `Unavailable` if the cache does not respond."""
        ...

    def clear_stm(self, pattern: str | None) -> int:
        """Erase keys; returns the number of erased keys."""
        ...

    def write_cycle(self, cycle: Cycle) -> bool:
        """Store the results of a cycle; returns whether they were stored."""
        ...

    def read_cycle(
        self, *, cycles: int, signals_since: Instant | None, performance: Mapping[str, Sequence[str]] | None
    ) -> Json:
        """Read the results of the last cycles."""
        ...

    def remove_signal(self, signal: Any) -> bool:
        """Remove an active signal; returns whether it was active."""
        ...

    def check_rate_limit(self, source_id: str, limit: int, window_seconds: int) -> Json:
        """Count one query of a source; returns whether it is allowed."""
        ...

    def store_ltm(
        self, memory_type: str, pattern_id: str, data: Document, *, reason: str | None, expected_version: int | None
    ) -> Json:
        """Store a memory, or its next version."""
        ...

    def get_ltm(self, memory_type: str, pattern_id: str) -> Json:
        """Read one memory."""
        ...

    def delete_ltm(self, memory_type: str, pattern_id: str, *, reason: str, expected_version: int | None) -> Json:
        """Remove one memory; its history is kept."""
        ...

    def retrieve_ltm(
        self, memory_type: str, filters: Document | None, *, as_of: Instant | None, matches: Document | None
    ) -> Listing[Json]:
        """Read the memories of a type that meet every filter, and whose facts hold in a context."""
        ...

    def advise(self, query: AdviceQuery) -> Json:
        """What to expect of each option, and a choice among them."""
        ...

    def update_ltm_confidence(
        self, memory_type: str, pattern_id: str, new_confidence: float, *, reason: str | None
    ) -> Json:
        """Store the next version of a memory with another confidence."""
        ...

    def get_ltm_history(self, memory_type: str, pattern_id: str) -> Listing[Json]:
        """Read all changes of a memory."""
        ...

    def influence(self, memory_id: str, time_range: TimeRange | None) -> Json:
        """Read what rested on a memory."""
        ...

    def crowding(self, day: str) -> list[Json]:
        """Read how many agents acted on one memory at once, of the agent's own memories and of each pool."""
        ...

    def quarantine(self, memory_id: str, reason: str, memory_type: str | None) -> list[Json]:
        """Take a memory out of use, in the agent's own memory and in its pools; the answer of each."""
        ...

    def release(self, memory_id: str, reason: str, memory_type: str | None) -> list[Json]:
        """Use a memory again that was quarantined; the answer of each that had it."""
        ...

    def list_quarantines(self) -> list[Json]:
        """Read which memories are quarantined."""
        ...

    def consolidate_to_ltm(self, stm_key: str, pattern_type: str) -> Json:
        """Store a value of short-term memory as a long-term memory."""
        ...

    def get_context_memory(self, filters: DecisionFilter, *, limit: int, level: str | None, cursor: str | None) -> Json:
        """Read the contexts of a time range that match a filter."""
        ...

    def recall(self, query: RecallQuery) -> Listing[Json]:
        """Search memories and recent decisions, ranked."""
        ...

    def similar(self, query: SimilarQuery) -> Json:
        """Find decisions in a like context."""
        ...

    def save_state(self, state: Document, *, expected_version: int | None) -> Json:
        """Save the current state."""
        ...

    def load_state(self, *, fresh: bool) -> Json | None:
        """Read the current state."""
        ...

    def create_checkpoint(self, name: str) -> Json:
        """Save the current state as a checkpoint."""
        ...

    def list_checkpoints(self) -> Listing[Json]:
        """List all checkpoints."""
        ...

    def restore_checkpoint(self, name: str, *, expected_version: int | None) -> Json:
        """Make a checkpoint the current state."""
        ...

    def list_configurations(self) -> Listing[Json]:
        """List all configurations of the agent over time."""
        ...


@runtime_checkable
class AnalyticsBackend(Backend, Protocol):
    """How the decisions of one agent did, and how sure its patterns are."""

    def performance(self, time_range: TimeRange | None) -> Json:
        """Counts and success rates by decision type, day, market context and source."""
        ...

    def patterns(self, *, status: str | None, min_occurrences: int) -> Listing[Json]:
        """The agent's own patterns with their figures."""
        ...

    def confidence_trend(self, pattern_id: str) -> Listing[Json]:
        """Every version of a pattern."""
        ...
