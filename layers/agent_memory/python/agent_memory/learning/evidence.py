"""A decision with a known outcome, reduced to the facts that patterns are made of.

Pure Python: importing this module costs no numpy.
"""

import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from agent_memory.core.errors import InvalidInput
from agent_memory.model.evidence import Evidence

MAX_VALUE_CHARACTERS = 64
"""A longer text is prose or an identifier, not a fact that comes back."""
MAX_PATH_CHARACTERS = 120
MAX_LIST_MEMBERS = 32
MAX_DEPTH = 6

# The agent's own name for "which sources were asked" is short in every pattern that mentions it.
SELECTED_SOURCES = "reasoning.selected"
SOURCE = "source"
STRATEGIES = ("reasoning.strategy", "metadata.strategy")
"""Where an agent says which strategy it follows."""


def evidence_of(decision: Mapping[str, Any]) -> Evidence | None:
    """Return the decision as evidence, or None while its outcome is unknown.

    Args:
        decision: a decision as the decision log returns it.

    Raises:
        InvalidInput: the timestamp is not ISO 8601 text with an offset.
    """
    success = decision.get("success")
    if success is None:
        return None
    return Evidence(
        decision_id=decision["decision_id"],
        decision_type=decision["decision_type"],
        timestamp_ms=_milliseconds(decision["timestamp"]),
        success=bool(success),
        features=features_of(decision),
    )


def features_of(decision: Mapping[str, Any]) -> tuple[str, ...]:
    """Flatten context and reasoning into facts such as `context.market.volatility=high`.

    Texts, booleans and nulls are facts; numbers are measurements and are left out. A list of texts gives one
    fact for each member; members of `reasoning.selected` read `source=derivatives`. Nothing is taken from the
    outcome, and of the metadata only `strategy`. Texts longer than 64 characters and lists longer than 32 are left
    out.
    """
    facts: set[str] = set()
    for section in ("context", "reasoning"):
        content = decision.get(section)
        if isinstance(content, Mapping):
            facts.update(_facts(section, content, MAX_DEPTH))
    metadata = decision.get("metadata")
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
        # The first "=" ends the key, so that a key may not hold one itself.
        key = f"{path}.{name}".replace("=", "_")
        if len(key) > MAX_PATH_CHARACTERS:
            continue
        if isinstance(value, Mapping):
            if depth > 1:
                yield from _facts(key, value, depth - 1)
        elif isinstance(value, list | tuple):
            yield from _members(key, value)
        else:
            yield from _fact(key, value)


def _members(key: str, values: list[Any] | tuple[Any, ...]) -> Iterator[str]:
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
    # The same few hundred facts return in every decision: one text each keeps a million decisions small.
    yield sys.intern(f"{key}={text}")


def _milliseconds(timestamp: str) -> int:
    try:
        moment = datetime.fromisoformat(timestamp)
    except (TypeError, ValueError) as error:
        raise InvalidInput("timestamp", "must be ISO 8601 text") from error
    if moment.tzinfo is None:
        raise InvalidInput("timestamp", "must carry its offset from UTC")
    # Integer arithmetic: a float of seconds loses the last millisecond now and then.
    since_epoch = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since_epoch.days * 86_400 + since_epoch.seconds) * 1000 + since_epoch.microseconds // 1000
