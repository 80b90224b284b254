"""Recall over what an agent has learned and what it has decided lately, ranked together."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from agent_memory.core.clock import DAY_MS, Clock, to_iso
from agent_memory.core.errors import InvalidInput
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.memory.ranking import Entry, HalfLives, Ranked, rank
from agent_memory.memory.reader import MemoryReader
from agent_memory.model.decisions import Decision
from agent_memory.model.memories import Memory, MemoryType

RECENT_DECISIONS = 1_000

# Seconds in which what is remembered loses half its importance.
MEMORY_HALF_LIFE_SECONDS = 30 * 86_400.0
DECISION_HALF_LIFE_SECONDS = 86_400.0
_HALF_LIVES = dict.fromkeys(map(str, MemoryType), MEMORY_HALF_LIFE_SECONDS)

# A decision whose quality nobody measured.
_DEFAULT_QUALITY = 0.5


class MemoryRecall:
    """Ranks an agent's memories and its decisions of the last day for a question. Every method blocks."""

    def __init__(self, reading: MemoryReader, log: DecisionLog, clock: Clock) -> None:
        self._reading = reading
        self._log = log
        self._clock = clock

    def recall(
        self,
        query: str,
        *,
        kind: str | None,
        symbol: str | None,
        top_k: int,
        explain: bool,
        half_lives: Mapping[str, float] | None = None,
    ) -> list[dict[str, Any]]:
        """The most relevant entries; see `MemoryManager.recall`.

        Raises:
            InvalidInput: names the argument. Unavailable: the table did not respond.
        """
        if not isinstance(query, str):
            raise InvalidInput("query", f"expected text, got {type(query).__name__}")
        found = rank(
            self._entries(kind),
            query,
            now=self._clock.now_ms() / 1000,
            half_lives=HalfLives({**_HALF_LIVES, **(half_lives or {})}, DECISION_HALF_LIFE_SECONDS),
            kind=kind,
            symbol=symbol,
            top_k=top_k,
            explain=explain,
        )
        self._reading.count_accesses([one.entry.payload for one in found if isinstance(one.entry.payload, Memory)])
        return [_as_dict(one) for one in found]

    def _entries(self, kind: str | None) -> list[Entry]:
        """What is learned, and what was decided in the last 24 hours, the newest thousand of it."""
        entries: list[Entry] = []
        for memory_type in [kind] if kind is not None else map(str, MemoryType):
            entries += map(_of_memory, self._reading.list_all(memory_type))
        since = to_iso(self._clock.now_ms() - DAY_MS)
        recent = self._log.stream(DecisionFilter(kind, (since, None)), first=RECENT_DECISIONS)
        entries += map(_of_decision, islice(recent, RECENT_DECISIONS))
        return entries


def _as_dict(found: Ranked) -> dict[str, Any]:
    what = "memory" if isinstance(found.entry.payload, Memory) else "decision"
    why = {} if found.why is None else {"why": found.why}
    return {"kind": found.entry.kind, "score": found.score, **why, what: found.entry.payload.as_dict()}


def _of_memory(memory: Memory) -> Entry:
    symbol = memory.data.get("symbol")
    return Entry(
        id=f"{memory.agent_id}/{memory.memory_type}/{memory.pattern_id}",
        kind=memory.memory_type,
        text=" ".join([memory.pattern_id.replace("_", " "), *_texts(memory.data)]),
        importance=memory.confidence,
        timestamp=memory.updated_ms / 1000,
        symbol=symbol if isinstance(symbol, str) else None,
        payload=memory,
    )


def _of_decision(decision: Decision) -> Entry:
    symbol = decision.context.get("symbol", decision.reasoning.get("symbol"))
    metrics = decision.outcome.metrics if decision.outcome else {}
    quality = metrics.get("quality", _DEFAULT_QUALITY)
    is_measured = isinstance(quality, int | float) and 0 <= quality <= 1
    return Entry(
        id=decision.decision_id,
        kind=decision.decision_type,
        text=" ".join(_texts(decision.context, decision.reasoning)),
        importance=float(quality) if is_measured else _DEFAULT_QUALITY,
        timestamp=decision.timestamp_ms / 1000,
        symbol=symbol if isinstance(symbol, str) else None,
        payload=decision,
    )


def _texts(*values: Any) -> list[str]:
    """The texts of JSON values in order, names included; numbers say nothing to a query in words."""
    texts: list[str] = []
    pending = list(reversed(values))
    while pending:
        one = pending.pop()
        if isinstance(one, str):
            texts.append(one)
        elif isinstance(one, Mapping):
            for name in reversed(one):
                pending += (one[name], name)
        elif isinstance(one, list | tuple):
            pending += reversed(one)
    return texts
