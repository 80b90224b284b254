"""Recall: an agent's long-term memories and recent decisions, ranked together for a query."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent_memory.core.clock import DAY_MS, Clock, to_iso
from agent_memory.decisions.collecting import READ_DIRECTLY
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.memory.ranking import Entry, HalfLives, Ranked, RecallQuery, rank
from agent_memory.memory.reader import MemoryReader
from agent_memory.model.decisions import Decision
from agent_memory.model.listings import (
    LIMIT,
    MAX_ANSWER_BYTES,
    AnswerSize,
    Listing,
    Unreadable,
    fitting,
    missing_item,
    too_large,
)
from agent_memory.model.memories import Memory, MemoryType

RECENT_DECISIONS = 1_000
MAX_DECISIONS = 20_000

# After this time, a memory or a decision has half its importance.
MEMORY_HALF_LIFE_SECONDS = 30 * 86_400.0
DECISION_HALF_LIFE_SECONDS = 86_400.0
_HALF_LIVES = dict.fromkeys(map(str, MemoryType), MEMORY_HALF_LIFE_SECONDS)

# The importance of a memory that states no confidence, and of a decision whose outcome has no `quality`.
_DEFAULT_IMPORTANCE = 0.5


class MemoryRecall:
    """Ranks an agent's memories and its decisions of the last 24 hours for a query. Every method blocks."""

    def __init__(self, reader: MemoryReader, log: DecisionLog, clock: Clock) -> None:
        self._reader = reader
        self._log = log
        self._clock = clock

    def recall(self, query: RecallQuery) -> Listing[dict[str, Any]]:
        """The most relevant entries; see `MemoryManager.recall`.

        Raises:
            InvalidInput: names the argument. Unavailable: the table did not respond.
        """
        candidates = self._candidates(query.kind, query.symbol)
        ranked = rank(
            candidates.entries,
            query.text,
            now=self._clock.now_ms() / 1000,
            half_lives=HalfLives({**_HALF_LIVES, **(query.half_lives or {})}, DECISION_HALF_LIFE_SECONDS),
            kind=query.kind,
            symbol=query.symbol,
            top_k=query.top_k,
            explain=query.explain,
        )
        found = fitting(
            ranked,
            as_dict=_as_dict,
            id_of=lambda one: _name(one.entry),
            max_bytes=self._log.max_answer_bytes,
            missing=candidates.missing,
            read_directly=READ_DIRECTLY,
        )
        self._reader.count_accesses([one.entry.payload for one in found if isinstance(one.entry.payload, Memory)])
        return found.map(_as_dict)

    def _candidates(self, kind: str | None, symbol: str | None) -> "_Candidates":
        """The memories, and the decisions of the last 24 hours: the newest thousand, and those with the symbol.

        The symbol is looked for in the newest 20,000 decisions, until there are a thousand with it.
        """
        found = _Candidates([], [])
        unreadable: list[Unreadable] = []
        for memory_type in [kind] if kind is not None else map(str, MemoryType):
            memories = self._reader.list_all(memory_type, on_unreadable=unreadable.append)
            found.entries.extend(map(_memory_entry, memories))
        since = to_iso(self._clock.now_ms() - DAY_MS)
        recent = self._log.stream(
            DecisionFilter(kind, (since, None)), first=RECENT_DECISIONS + 1, on_unreadable=unreadable.append
        )
        size, with_symbol = AnswerSize(MAX_ANSWER_BYTES), 0
        for number, entry in enumerate(map(_decision_entry, recent)):
            wanted = symbol is None or entry.symbol == symbol
            if with_symbol >= RECENT_DECISIONS or number >= MAX_DECISIONS:
                found.missing.append(missing_item("decisions", LIMIT, _why_cut(number, symbol)))
                break
            with_symbol += wanted
            if not wanted and number >= RECENT_DECISIONS:
                continue
            if size.add(entry.text):
                found.entries.append(entry)
            elif wanted:
                found.missing.append(too_large(entry.id, read_directly=READ_DIRECTLY))
        found.missing[:0] = [one.as_dict() for one in unreadable]
        return found


@dataclass(frozen=True, slots=True)
class _Candidates:
    """What is ranked, and what should have been."""

    entries: list[Entry]
    missing: list[dict[str, Any]]


def _why_cut(number: int, symbol: str | None) -> str:
    searched = "ranked" if symbol is None else "searched for the symbol"
    return f"only the newest {number:,} decisions of the last 24 hours were {searched}"


def _name(entry: Entry) -> str:
    return entry.payload.pattern_id if isinstance(entry.payload, Memory) else entry.id


def _as_dict(ranked: Ranked) -> dict[str, Any]:
    payload_name = "memory" if isinstance(ranked.entry.payload, Memory) else "decision"
    why = {} if ranked.why is None else {"why": ranked.why}
    return {"kind": ranked.entry.kind, "score": ranked.score, **why, payload_name: ranked.entry.payload.as_dict()}


def _memory_entry(memory: Memory) -> Entry:
    symbol = memory.data.get("symbol")
    return Entry(
        id=f"{memory.agent_id}/{memory.memory_type}/{memory.pattern_id}",
        kind=memory.memory_type,
        text=" ".join([memory.pattern_id.replace("_", " "), *_strings(memory.data)]),
        importance=_DEFAULT_IMPORTANCE if memory.confidence is None else memory.confidence,
        timestamp=memory.updated_ms / 1000,
        symbol=symbol if isinstance(symbol, str) else None,
        payload=memory,
    )


def _decision_entry(decision: Decision) -> Entry:
    symbol = decision.context.get("symbol", decision.reasoning.get("symbol"))
    metrics = decision.outcome.metrics if decision.outcome else {}
    quality = metrics.get("quality", _DEFAULT_IMPORTANCE)
    is_measured = isinstance(quality, int | float) and 0 <= quality <= 1
    return Entry(
        id=decision.decision_id,
        kind=decision.decision_type,
        text=" ".join(_strings(decision.context, decision.reasoning)),
        importance=float(quality) if is_measured else _DEFAULT_IMPORTANCE,
        timestamp=decision.timestamp_ms / 1000,
        symbol=symbol if isinstance(symbol, str) else None,
        payload=decision,
    )


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
