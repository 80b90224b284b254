"""What is remembered: decisions, their outcomes, long-term memories and states."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from agent_memory.clock import to_iso
from agent_memory.codec import canonical_json
from agent_memory.errors import InvalidInput

Document = Mapping[str, Any]
"""A JSON object."""

MAX_TOP_K = 1_000
"""Entries that one recall gives at most."""


class DecisionType(StrEnum):
    """The four kinds of decision that every trading agent makes; teams add types of their own."""

    SOURCE_SELECTION = "SOURCE_SELECTION"
    QUERY = "QUERY"
    SIGNAL_GENERATION = "SIGNAL_GENERATION"
    LEARNING = "LEARNING"


class MemoryType(StrEnum):
    """The kinds of long-term memory; teams add types of their own."""

    PATTERN = "PATTERN"
    STRATEGY = "STRATEGY"
    ARCHETYPE = "ARCHETYPE"
    SOURCE_PERFORMANCE = "SOURCE_PERFORMANCE"
    CONFIGURATION = "CONFIGURATION"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a decision, as seen at one horizon (`1h`, `exit`; None where none was named).

    `recorded_ms` is when it became known and is no part of its content.
    """

    success: bool
    details: Document
    metrics: Document
    recorded_ms: int
    horizon: str | None = None

    def content(self) -> str:
        """What the outcome says: equal texts are equal outcomes."""
        return canonical_json([self.success, self.details, self.metrics])

    def as_dict(self) -> dict[str, Any]:
        """The outcome by itself, as agents see those beside the headline."""
        return {
            "horizon": self.horizon,
            "outcome": dict(self.details),
            "success": self.success,
            "metrics": dict(self.metrics),
            "recorded_at": to_iso(self.recorded_ms),
        }


@dataclass(frozen=True, slots=True)
class Superseded:
    """An outcome that held until `until_ms`, when an amendment took its place."""

    outcome: Outcome
    until_ms: int

    def as_dict(self) -> dict[str, Any]:
        """The outcome with the time at which it ceased to hold."""
        return {**self.outcome.as_dict(), "replaced_at": to_iso(self.until_ms)}


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision with its context and reasoning, and its outcomes once they are known.

    `outcome` is the headline, which `success` and the index by outcome show. `revision` counts the changes of the
    outcomes after the first. `ancestors` tells how many steps up each earlier decision lies that led to this one;
    it is derived from `parent_ids` of others and is no part of the decision's content.
    """

    agent_id: str
    decision_id: str
    decision_type: str
    timestamp_ms: int
    context: Document
    reasoning: Document
    metadata: Document = field(default_factory=dict)
    outcome: Outcome | None = None
    parent_ids: tuple[str, ...] = ()
    memory_ids: tuple[str, ...] = ()
    other_outcomes: tuple[Outcome, ...] = ()
    superseded: tuple[Superseded, ...] = ()
    revision: int = 0
    ancestors: Mapping[str, int] = field(default_factory=dict, compare=False)

    def content(self) -> str:
        """What the decision says, outcomes aside: equal texts are equal decisions."""
        return canonical_json([self.context, self.reasoning, self.metadata, self.parent_ids, self.memory_ids])

    def as_dict(self) -> dict[str, Any]:
        """The decision as agents, HTTP and reports see it; times are ISO 8601 in UTC."""
        outcome = self.outcome
        return {
            "decision_id": self.decision_id,
            "agent_id": self.agent_id,
            "timestamp": to_iso(self.timestamp_ms),
            "decision_type": self.decision_type,
            "context": dict(self.context),
            "reasoning": dict(self.reasoning),
            "outcome": dict(outcome.details) if outcome else None,
            "success": outcome.success if outcome else None,
            "metrics": dict(outcome.metrics) if outcome else None,
            "horizon": outcome.horizon if outcome else None,
            "outcome_recorded_at": to_iso(outcome.recorded_ms) if outcome else None,
            "other_outcomes": [other.as_dict() for other in self.other_outcomes],
            "superseded_outcomes": [earlier.as_dict() for earlier in self.superseded],
            "parent_ids": list(self.parent_ids),
            "memory_ids": list(self.memory_ids),
            "metadata": dict(self.metadata),
        }


@dataclass(frozen=True, slots=True)
class Memory:
    """One version of a long-term memory. `confidence` lies between 0 and 1.

    `changed_by` and `reason` say who made this version and why; `changed_as` is the IAM principal that the API saw
    behind it, None where it was written directly. The version that says a memory was removed (`is_removed`) stands in
    its history only. `access_count` and `last_accessed_ms` follow nightly, and are no part of a version.
    """

    agent_id: str
    memory_type: str
    pattern_id: str
    confidence: float
    data: Document
    learned_ms: int
    updated_ms: int
    version: int
    changed_by: str | None = None
    reason: str | None = None
    changed_as: str | None = None
    is_removed: bool = False
    access_count: int = field(default=0, compare=False)
    last_accessed_ms: int | None = field(default=None, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """The memory as agents see it: its data, with its own fields beside them."""
        return {
            **self.data,
            "agent_id": self.agent_id,
            "pattern_id": self.pattern_id,
            "memory_type": self.memory_type,
            "confidence": self.confidence,
            "learned_at": to_iso(self.learned_ms),
            "updated_at": to_iso(self.updated_ms),
            "version": self.version,
            "changed_by": self.changed_by,
            "reason": self.reason,
            "changed_as": self.changed_as,
            "access_count": self.access_count,
            "last_accessed": None if self.last_accessed_ms is None else to_iso(self.last_accessed_ms),
        }


@dataclass(frozen=True, slots=True)
class State:
    """One version of a named state of an agent."""

    data: Document
    version: int
    updated_ms: int

    def as_dict(self) -> dict[str, Any]:
        """The state as agents see it: `data`, `version` and `updated_at`."""
        return {"data": dict(self.data), "version": self.version, "updated_at": to_iso(self.updated_ms)}


def check_expected_version(version: object) -> None:
    """Raise `InvalidInput` unless a caller's expectation is a version: None for any, 0 for none yet."""
    if version is not None and (isinstance(version, bool) or not isinstance(version, int) or version < 0):
        raise InvalidInput("expected_version", f"{version!r:.40} is not a whole number from 0 on")
