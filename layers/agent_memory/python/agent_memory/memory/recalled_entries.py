"""Memories and decisions as entries of a ranking, and as a recall returns them."""

from collections.abc import Mapping
from typing import Any

from agent_memory.memory.entry_index import Entry
from agent_memory.memory.ranking import Ranked
from agent_memory.model.decisions import Decision
from agent_memory.model.memories import Memory

MEMORY_HALF_LIFE_SECONDS = 30 * 86_400.0
"""After this time, a memory has half its importance."""

# The importance of a memory that states no confidence, and of a decision whose outcome has no `quality`.
_DEFAULT_IMPORTANCE = 0.5
_HEADINGS = ("description", "rule", "tags")


def memory_entry(entry_id: str, memory: Memory) -> Entry:
    """A memory as an entry: its description, rule and tags as heading, all its text, and its confidence."""
    headings: list[Any] = []
    others: list[Any] = []
    for name, value in memory.data.items():
        if name in _HEADINGS:
            headings.append(value)
        else:
            others += (name, value)
    symbol = memory.data.get("symbol")
    return Entry(
        id=entry_id,
        kind=memory.memory_type,
        text=" ".join([memory.pattern_id.replace("_", " "), *_strings(*others)]),
        heading=" ".join(_strings(*headings)) if headings else "",
        half_life=MEMORY_HALF_LIFE_SECONDS,
        importance=_DEFAULT_IMPORTANCE if memory.confidence is None else memory.confidence,
        timestamp=memory.updated_ms / 1000,
        symbol=symbol if isinstance(symbol, str) else None,
        payload=memory,
    )


def decision_entry(entry_id: str, decision: Decision) -> Entry:
    """A decision as an entry: the text of its context and reasoning, and the quality of its outcome."""
    symbol = decision.context.get("symbol", decision.reasoning.get("symbol"))
    metrics = decision.outcome.metrics if decision.outcome else {}
    quality = metrics.get("quality", _DEFAULT_IMPORTANCE)
    is_measured = isinstance(quality, int | float) and 0 <= quality <= 1
    return Entry(
        id=entry_id,
        kind=decision.decision_type,
        text=" ".join(_strings(decision.context, decision.reasoning)),
        importance=float(quality) if is_measured else _DEFAULT_IMPORTANCE,
        timestamp=decision.timestamp_ms / 1000,
        symbol=symbol if isinstance(symbol, str) else None,
        payload=decision,
    )


def tags_of(payload: Memory | Decision) -> set[str]:
    """The tags of a memory, or of a decision: those of its context, reasoning and metadata."""
    documents = (
        [payload.data] if isinstance(payload, Memory) else [payload.context, payload.reasoning, payload.metadata]
    )
    tags: set[str] = set()
    for document in documents:
        given = document.get("tags")
        if isinstance(given, str):
            tags.add(given)
        elif isinstance(given, list | tuple):
            tags.update(one for one in given if isinstance(one, str))
    return tags


def name_of(entry: Entry) -> str:
    """The id by which an answer names an entry that it leaves out."""
    return entry.payload.pattern_id if isinstance(entry.payload, Memory) else entry.id


def as_dict(ranked: Ranked) -> dict[str, Any]:
    """An entry as in the APIs: `kind`, `score`, `why` if it is explained, and `memory` or `decision`."""
    payload_name = "memory" if isinstance(ranked.entry.payload, Memory) else "decision"
    why = {} if ranked.why is None else {"why": ranked.why}
    return {"kind": ranked.entry.kind, "score": ranked.score, **why, payload_name: ranked.entry.payload.as_dict()}


def _strings(*values: Any) -> list[str]:
    """The strings in JSON values, in order, names included; numbers are not matched by words."""
    strings: list[str] = []
    pending = list(reversed(values))
    while pending:
        one = pending.pop()
        if isinstance(one, str):
            strings.append(one)
        elif isinstance(one, Mapping):
            for name in reversed(one):
                pending += (one[name], name)
        elif isinstance(one, list | tuple):
            pending += reversed(one)
    return strings
