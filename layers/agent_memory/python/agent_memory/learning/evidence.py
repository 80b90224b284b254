"""Reduces a decision with a known outcome to evidence: the facts that patterns are combinations of."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from agent_memory.core.clock import parse_instant
from agent_memory.model.decisions import Decision
from agent_memory.model.evidence import Evidence

MAX_VALUE_CHARACTERS = 64
"""A longer text is prose or an identifier, not a fact that recurs."""
MAX_PATH_CHARACTERS = 120
MAX_LIST_MEMBERS = 32
MAX_DEPTH = 6

SELECTED_SOURCES = "reasoning.selected"
# Features from SELECTED_SOURCES get this short key, because many patterns mention them.
SOURCE = "source"
STRATEGIES = ("reasoning.strategy", "metadata.strategy")
"""The keys under which an agent names the strategy that it follows."""


def evidence_of(decision: Decision) -> Evidence | None:
    """Return the decision as evidence, or None while its outcome is unknown."""
    if decision.outcome is None:
        return None
    return Evidence(
        decision_id=decision.decision_id,
        decision_type=decision.decision_type,
        timestamp_ms=decision.timestamp_ms,
        success=decision.outcome.success,
        features=features_of(decision.context, decision.reasoning, decision.metadata),
    )


def evidence_from_records(records: Iterable[Mapping[str, Any]]) -> Iterator[Evidence]:
    """Yield the evidence of decisions as `query_decisions` returns them; those without an outcome are skipped.

    Raises:
        InvalidInput: a `timestamp` is not ISO 8601 text with an offset.
    """
    for record in records:
        if record.get("success") is not None:
            yield Evidence(
                decision_id=record["decision_id"],
                decision_type=record["decision_type"],
                timestamp_ms=parse_instant(record["timestamp"]),
                success=bool(record["success"]),
                features=features_of(record.get("context"), record.get("reasoning"), record.get("metadata")),
            )


def features_of(context: object, reasoning: object, metadata: object = None) -> tuple[str, ...]:
    """Flatten a decision's content into facts such as `context.market.volatility=high`, sorted.

    Strings, booleans and nulls are facts; numbers are measurements and are ignored. A list of strings yields one fact
    per member; members of `reasoning.selected` read `source=derivatives`. The outcome is never used, and of the
    metadata only `strategy`. Strings longer than 64 characters and lists longer than 32 are ignored, and so is a
    section that is not a mapping.
    """
    facts: set[str] = set()
    for section, content in (("context", context), ("reasoning", reasoning)):
        if isinstance(content, Mapping):
            facts.update(_facts(section, content, MAX_DEPTH))
    if isinstance(metadata, Mapping) and metadata.get("strategy") is not None:
        facts.update(_facts("metadata", {"strategy": metadata["strategy"]}, 1))
    return tuple(sorted(facts))


def key_of(feature: str) -> str:
    """Return the part of a feature before its value: `context.market.volatility`."""
    return feature.partition("=")[0]


def value_of(feature: str) -> str:
    """Return the value of a feature as text: `high`."""
    return feature.partition("=")[2]


def _facts(path: str, content: Mapping[str, Any], depth: int) -> Iterator[str]:
    for name, value in content.items():
        # The first "=" ends the key, so a key must not contain one itself.
        key = f"{path}.{name}".replace("=", "_")
        if len(key) > MAX_PATH_CHARACTERS:
            continue
        if isinstance(value, Mapping):
            if depth > 1:
                yield from _facts(key, value, depth - 1)
        elif isinstance(value, list | tuple):
            yield from _list_facts(key, value)
        else:
            yield from _fact(key, value)


def _list_facts(key: str, values: list[Any] | tuple[Any, ...]) -> Iterator[str]:
    if len(values) > MAX_LIST_MEMBERS:
        return
    name = SOURCE if key == SELECTED_SOURCES else key
    for value in values:
        if isinstance(value, str):
            yield from _fact(name, value)


def _fact(key: str, value: object) -> Iterator[str]:
    if value is None:
        text = "null"
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, str) and len(value) <= MAX_VALUE_CHARACTERS:
        text = value
    else:
        return
    # Interned, because the same few hundred facts recur in every decision.
    yield sys.intern(f"{key}={text}")
