"""Decisions and their outcomes."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
from typing import Annotated, Any
from urllib.parse import quote

from typing_extensions import TypedDict

from agent_memory.core.clock import to_iso
from agent_memory.core.fields import Described, strict
from agent_memory.core.ids import shard_of
from agent_memory.core.json_values import Document, canonical_json

_MAX_CONTEXT_TYPE = 1024


class DecisionType(StrEnum):
    """The four types of decision that every trading agent makes; teams add their own."""

    SOURCE_SELECTION = "SOURCE_SELECTION"
    QUERY = "QUERY"
    SIGNAL_GENERATION = "SIGNAL_GENERATION"
    LEARNING = "LEARNING"


class Kind(Enum):
    """The kind of value in a field, which decides how each store encodes it."""

    TEXT = auto()
    TIME = auto()
    """Milliseconds since the epoch."""
    BOOLEAN = auto()
    INTEGER = auto()
    DOCUMENT = auto()
    """A JSON object."""
    TEXTS = auto()
    COUNTS = auto()
    """Integers by name."""
    OUTCOMES = auto()
    """Lists of an outcome's fields, in the order of `records.OUTCOME_FIELDS`."""


CONTENT: Mapping[str, Kind] = {
    "context": Kind.DOCUMENT,
    "reasoning": Kind.DOCUMENT,
    "metadata": Kind.DOCUMENT,
    "parent_ids": Kind.TEXTS,
    "memory_ids": Kind.TEXTS,
}
"""The content of a decision: the attributes, without outcomes, that are equal in two decisions with the same id.

To add an attribute, add it here and as a field of `Decision`, `DecisionDict` and `decisions.inputs.DecisionInput` with
the same name. Every store then stores it.
"""


@strict
class OutcomeDict(TypedDict):
    """An outcome other than the headline outcome."""

    horizon: str | None
    outcome: dict[str, Any]
    success: bool
    metrics: dict[str, Any]
    recorded_at: str


@strict
class SupersededOutcomeDict(OutcomeDict):
    """An outcome that an amendment replaced."""

    replaced_at: str


@strict
class DecisionDict(TypedDict):
    """A decision with its outcomes, as in the Python and HTTP APIs and in reports; times are ISO 8601 in UTC."""

    decision_id: str
    agent_id: str
    timestamp: str
    decision_type: str
    context: dict[str, Any]
    reasoning: dict[str, Any]
    outcome: Annotated[dict[str, Any] | None, Described("The headline outcome, null while there is none")]
    success: bool | None
    metrics: dict[str, Any] | None
    horizon: str | None
    outcome_recorded_at: str | None
    other_outcomes: list[OutcomeDict]
    superseded_outcomes: list[SupersededOutcomeDict]
    parent_ids: list[str]
    memory_ids: list[str]
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a decision at one horizon (`1h`, `exit`; None if no horizon was named).

    `recorded_ms` is the time at which it became known. It is not part of the content.
    """

    success: bool
    details: Document
    metrics: Document
    recorded_ms: int
    horizon: str | None = None

    def content(self) -> str:
        """The content as canonical text: equal texts mean equal outcomes."""
        return canonical_json([self.success, self.details, self.metrics])

    def as_dict(self) -> OutcomeDict:
        """The outcome as a dictionary; times are ISO 8601 in UTC."""
        return {
            "horizon": self.horizon,
            "outcome": dict(self.details),
            "success": self.success,
            "metrics": dict(self.metrics),
            "recorded_at": to_iso(self.recorded_ms),
        }


@dataclass(frozen=True, slots=True)
class SupersededOutcome:
    """An outcome that was valid until `replaced_ms`, when an amendment took its place."""

    outcome: Outcome
    replaced_ms: int

    def as_dict(self) -> SupersededOutcomeDict:
        """The outcome with the time at which it was replaced."""
        return {**self.outcome.as_dict(), "replaced_at": to_iso(self.replaced_ms)}


@dataclass(frozen=True, slots=True)
class DecisionKey:
    """Where a decision is stored. Everything but the agent can be derived from the id."""

    agent_id: str
    decision_type: str
    timestamp_ms: int
    decision_id: str

    @property
    def shard(self) -> int:
        """The write partition that the decision is in."""
        return shard_of(self.decision_id)


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision with its context and reasoning, and its outcomes once they are known.

    `outcome` is the headline outcome, which determines `success` and the index by outcome. `revision` counts the
    changes of the outcomes after the first. `ancestors` has the number of steps to each earlier decision that led to
    this one; it is derived from the parents' `parent_ids` and is not part of the decision's content.
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
    superseded: tuple[SupersededOutcome, ...] = ()
    revision: int = 0
    ancestors: Mapping[str, int] = field(default_factory=dict, compare=False)

    @property
    def key(self) -> DecisionKey:
        """Where the decision is stored."""
        return DecisionKey(self.agent_id, self.decision_type, self.timestamp_ms, self.decision_id)

    def content(self) -> str:
        """The content, without outcomes, as canonical text: equal texts mean equal decisions."""
        return canonical_json([getattr(self, name) for name in CONTENT])

    def as_dict(self) -> DecisionDict:
        """The decision as in the Python and HTTP APIs and in reports; times are ISO 8601 in UTC."""
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
            "other_outcomes": [other.as_dict() for other in self.other_outcomes] if self.other_outcomes else [],
            "superseded_outcomes": [earlier.as_dict() for earlier in self.superseded] if self.superseded else [],
            "parent_ids": list(self.parent_ids),
            "memory_ids": list(self.memory_ids),
            "metadata": dict(self.metadata),
        }


def context_type_of(context: Mapping[str, Any]) -> str | None:
    """Canonical text of `context["market"]`: sorted by key, as `trend=bullish|volatility=high`.

    A market that is a string is used as it is; without a market there is no context type. Reserved characters are
    percent-encoded, and a text over 1,024 characters is cut and ends with its digest.
    """
    market = context.get("market")
    if isinstance(market, Mapping):
        text = "|".join([f"{_encoded(str(name))}={_encoded(market[name])}" for name in sorted(market)])
    elif market is not None:
        text = _encoded(market)
    else:
        return None
    if len(text) > _MAX_CONTEXT_TYPE:
        text = f"{text[: _MAX_CONTEXT_TYPE - 65]}~{hashlib.sha256(text.encode()).hexdigest()}"
    return text or None


def _encoded(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))
    return quote(text, safe=" ,.:;!?()[]<>*+-_/@$&'\"")
