"""Memories, decisions and digests of decisions as entries of a ranking, and as a recall returns them."""

from collections.abc import Mapping
from typing import Any

from agent_memory.core.json_values import canonical_json
from agent_memory.memory.entry_index import Entry
from agent_memory.memory.ranking import Ranked
from agent_memory.model import digests
from agent_memory.model.decisions import Decision, Outcome
from agent_memory.model.digests import DigestRow, Headline
from agent_memory.model.memories import Memory
from agent_memory.model.outcomes import headline_outcomes

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
    return Entry(
        id=entry_id,
        kind=decision.decision_type,
        text=" ".join(_strings(decision.context, decision.reasoning)),
        importance=_importance_of(decision.outcome) if decision.outcome else _DEFAULT_IMPORTANCE,
        timestamp=decision.timestamp_ms / 1000,
        symbol=symbol if isinstance(symbol, str) else None,
        payload=decision,
    )


def digest_of(decision: Decision) -> DigestRow:
    """What recall needs of a decision once it is not among the recent ones."""
    context, symbol = canonical_json(decision.context), decision_entry(decision.decision_id, decision).symbol
    words = " ".join(_strings(decision.context)), " ".join(_strings(decision.reasoning))
    tags = sorted(tags_of(decision))
    has_context = len(context) <= digests.MAX_CONTEXT_CHARACTERS
    has_symbol = symbol is None or len(symbol) <= digests.MAX_SYMBOL_CHARACTERS
    has_tags = sum(map(len, tags)) <= digests.MAX_TAGS_CHARACTERS
    headlines = [Headline(at_ms, one.success, _importance_of(one)) for at_ms, one in headline_outcomes(decision)]
    return DigestRow(
        decision.decision_id,
        decision.decision_type,
        decision.timestamp_ms,
        context if has_context else None,
        " ".join([words[0][: digests.MAX_CONTEXT_CHARACTERS], words[1][: digests.MAX_REASONING_CHARACTERS]]),
        symbol if has_symbol else None,
        tuple(tags) if has_tags else (),
        tuple(headlines[-digests.MAX_HEADLINES :]),
        not (has_context and has_symbol and has_tags),
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
    return _DEFAULT_IMPORTANCE if headline is None else headline.importance


def _importance_of(outcome: Outcome) -> float:
    """The quality of an outcome."""
    quality = outcome.metrics.get("quality", _DEFAULT_IMPORTANCE)
    is_measured = isinstance(quality, int | float) and 0 <= quality <= 1
    return float(quality) if is_measured else _DEFAULT_IMPORTANCE


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
