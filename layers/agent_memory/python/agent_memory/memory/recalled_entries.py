"""Memories, decisions and digests of decisions as entries of a ranking, and as a recall returns them."""

from typing import Any

from agent_memory.memory.entry_index import Entry
from agent_memory.memory.ranking import Ranked
from agent_memory.model.decisions import Decision
from agent_memory.model.digests import DigestRow
from agent_memory.model.memories import Memory
from agent_memory.model.recalled_parts import DEFAULT_IMPORTANCE, importance_of, strings_in

MEMORY_HALF_LIFE_SECONDS = 30 * 86_400.0
"""After this time, a memory has half its importance."""

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
        text=" ".join([memory.pattern_id.replace("_", " "), *strings_in(*others)]),
        heading=" ".join(strings_in(*headings)) if headings else "",
        half_life=MEMORY_HALF_LIFE_SECONDS,
        importance=DEFAULT_IMPORTANCE if memory.confidence is None else memory.confidence,
        timestamp=memory.updated_ms / 1000,
        symbol=symbol if isinstance(symbol, str) else None,
        payload=memory,
    )


def decision_entry(entry_id: str, decision: Decision) -> Entry:
    """A decision as an entry: the text of its context and reasoning, and the quality of its outcome."""
    # As `symbol_of`, without a call for each of a thousand decisions.
    symbol = decision.context.get("symbol", decision.reasoning.get("symbol"))
    return Entry(
        id=entry_id,
        kind=decision.decision_type,
        text=" ".join(strings_in(decision.context, decision.reasoning)),
        importance=importance_of(decision.outcome) if decision.outcome else DEFAULT_IMPORTANCE,
        timestamp=decision.timestamp_ms / 1000,
        symbol=symbol if isinstance(symbol, str) else None,
        payload=decision,
    )


def digest_entry(row: DigestRow) -> Entry:
    """The row of a digest as an entry: as the entry of its decision, but for a long text, which is cut."""
    return Entry(
        id=row.decision_id,
        kind=row.decision_type,
        text=row.text,
        importance=importance_at(row, None),
        timestamp=row.timestamp_ms / 1000,
        symbol=row.symbol,
        payload=row,
    )


def importance_at(row: DigestRow, at_ms: int | None) -> float:
    """The importance of a decision by the outcome that was its headline at a time; for None, that is it now."""
    headline = row.headline(at_ms)
    return DEFAULT_IMPORTANCE if headline is None else headline.importance


def name_of(entry: Entry) -> str:
    """The id by which an answer names an entry that it leaves out."""
    return entry.payload.pattern_id if isinstance(entry.payload, Memory) else entry.id


def as_dict(ranked: Ranked) -> dict[str, Any]:
    """An entry as in the APIs: `kind`, `score`, `why` if it is explained, and `memory` or `decision`."""
    payload_name = "memory" if isinstance(ranked.entry.payload, Memory) else "decision"
    why = {} if ranked.why is None else {"why": ranked.why}
    return {"kind": ranked.entry.kind, "score": ranked.score, **why, payload_name: ranked.entry.payload.as_dict()}
