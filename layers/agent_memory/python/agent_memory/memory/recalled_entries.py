"""Memories, decisions and digests of decisions as entries of a ranking, and as a recall returns them."""

from typing import Any

from agent_memory.memory.entry_index import Entry
from agent_memory.memory.ranking import Ranked
from agent_memory.memory.text_words import has_current_words
from agent_memory.model.decisions import Decision
from agent_memory.model.digests import DigestRow
from agent_memory.model.memories import Memory
from agent_memory.model.recalled_parts import DEFAULT_IMPORTANCE, importance_of, memory_texts, strings_in

MEMORY_HALF_LIFE_SECONDS = 30 * 86_400.0
"""After this time, a memory has half its importance."""


def memory_entry(entry_id: str, memory: Memory) -> Entry:
    """A memory as an entry: its texts or, if they were stored, their words, and its confidence."""
    data, words = memory.data, memory.words
    symbol = data.get("symbol")
    is_split = words is not None and has_current_words(words)
    text, heading = ("", "") if is_split else _texts_of(memory)
    return Entry(
        entry_id,
        memory.memory_type,
        text,
        DEFAULT_IMPORTANCE if memory.confidence is None else memory.confidence,
        memory.updated_ms / 1000,
        symbol if isinstance(symbol, str) else None,
        memory,
        heading,
        MEMORY_HALF_LIFE_SECONDS,
        words if is_split else None,
        _texts_of if is_split else None,
    )


def _texts_of(memory: Memory) -> tuple[str, str]:
    return memory_texts(memory.pattern_id, memory.data)


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
