"""Decisions and their outcomes."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
from typing import Annotated, Any
from urllib.parse import quote

from typing_extensions import TypedDict

from agent_memory.core.clock import to_iso
from agent_memory.core.conditions import meets
from agent_memory.core.fields import Described, strict
from agent_memory.core.ids import shard_of
from agent_memory.core.json_values import Document, canonical_json

_MAX_CONTEXT_TYPE = 1024
_SAFE = " ,.:;!?()[]<>*+-_/@$&'\""
_SAFE_TEXT = re.compile(rf"[A-Za-z0-9~{re.escape(_SAFE)}]*\Z")


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
    NUMBER = auto()
    """A float."""
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
    "policy": Kind.TEXT,
    "policy_version": Kind.TEXT,
    "propensity": Kind.NUMBER,
    "joint_propensity": Kind.NUMBER,
}
"""The content of a decision: the attributes, without outcomes, that are equal in two decisions with the same id.

To add an attribute that may be None, add it here and as a field of `Decision`, `Decision.as_dict`, `DecisionDict` and
`decisions.inputs` with the same name, the last one each. Every store, buffer and export then has it; a keyword of
`client.decisions` passes it.
"""

OPTIONAL = tuple(name for name, kind in CONTENT.items() if kind in {Kind.TEXT, Kind.NUMBER})
"""The attributes that may be None; the last fields of a `Decision`, in this order."""


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
    policy: str | None
    policy_version: str | None
    propensity: float | None
    joint_propensity: float | None
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

    `outcome` is the headline outcome, which determines `success`. `revision` counts the
    changes of the outcomes after the first. `ancestors` has the number of steps to each earlier decision that led to
    this one; it is derived from the parents' `parent_ids` and is not part of the decision's content.

    `policy` and `policy_version` name what chose. `propensity` is the probability, over 0 and up to 1, with which it
    chose what this decision names: a source to query, a direction. `joint_propensity` is that of all that it chose at
    once, where it chose several. Both are needed to say what another policy would have earned (Horvitz and Thompson,
    JASA 47, 1952).
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
    policy: str | None = None
    policy_version: str | None = None
    propensity: float | None = None
    joint_propensity: float | None = None

    @property
    def key(self) -> DecisionKey:
        """Where the decision is stored."""
        return DecisionKey(self.agent_id, self.decision_type, self.timestamp_ms, self.decision_id)

    @property
    def max_bytes(self) -> int | None:
        """A bound of its size as JSON, if it is known; see `ports.decisions.Entry`."""
        return None

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
            "policy": self.policy,
            "policy_version": self.policy_version,
            "propensity": self.propensity,
            "joint_propensity": self.joint_propensity,
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


def matches_context(context: Document, conditions: Document) -> bool:
    """Whether a context meets all conditions; names that it lacks are looked up in its `market`."""
    market = context.get("market")
    inner = market if isinstance(market, Mapping) else {}
    return all(
        meets(context[name], condition) if name in context else name in inner and meets(inner[name], condition)
        for name, condition in conditions.items()
    )


def _encoded(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))
    return text if _SAFE_TEXT.match(text) else quote(text, safe=_SAFE)
