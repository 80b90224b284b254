"""Decisions and their outcomes."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from agent_memory.core.clock import to_iso
from agent_memory.core.json_values import Document, canonical_json


class DecisionType(StrEnum):
    """The four kinds of decision that every trading agent makes; teams add types of their own."""

    SOURCE_SELECTION = "SOURCE_SELECTION"
    QUERY = "QUERY"
    SIGNAL_GENERATION = "SIGNAL_GENERATION"
    LEARNING = "LEARNING"


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
class SupersededOutcome:
    """An outcome that held until `replaced_ms`, when an amendment took its place."""

    outcome: Outcome
    replaced_ms: int

    def as_dict(self) -> dict[str, Any]:
        """The outcome with the time at which it ceased to hold."""
        return {**self.outcome.as_dict(), "replaced_at": to_iso(self.replaced_ms)}


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
    superseded: tuple[SupersededOutcome, ...] = ()
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


_MAX_CONTEXT_TYPE = 1024


def context_type_of(context: Mapping[str, Any]) -> str | None:
    """Canonical text of `context["market"]`: keys sorted, as `trend=bullish|volatility=high`.

    A market given as plain text stands for itself; without a market there is no context type.
    Reserved characters are percent-encoded, and a text over 1,024 characters ends in its digest.
    """
    market = context.get("market")
    if isinstance(market, Mapping):
        text = "|".join(f"{_plain(str(name))}={_plain(market[name])}" for name in sorted(market))
    elif market is not None:
        text = _plain(market)
    else:
        return None
    if len(text) > _MAX_CONTEXT_TYPE:
        text = f"{text[: _MAX_CONTEXT_TYPE - 65]}~{hashlib.sha256(text.encode()).hexdigest()}"
    return text or None


def _plain(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))
    return quote(text, safe=" ,.:;!?()[]<>*+-_/@$&'\"")
