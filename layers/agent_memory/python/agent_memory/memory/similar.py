"""Similar situations: earlier decisions in a like context, with what came of them, and the base rate.

The similarity of two contexts is Gower's coefficient with standardised numbers: the mean, over the members of the
context in question, of

    facts     1 if they are equal, else 0            text, true and false, at their path, as `market.trend`
    numbers   exp(−z²/2), z = difference / deviation      the deviation is that of the decisions that were read

A member that a decision lacks counts 0. Gower, *A General Coefficient of Similarity and Some of Its Properties*,
Biometrics 27 (1971) 857-871.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from statistics import pstdev
from typing import Any

from agent_memory.core.checks import check_integer, check_number
from agent_memory.core.clock import DAY_MS, Clock, Instant, date_of, day_start_ms, parse_instant, to_iso
from agent_memory.core.errors import InColdStorage, InvalidInput
from agent_memory.core.ids import check_decision_type
from agent_memory.core.json_values import Document, check_object
from agent_memory.core.retention import HOT_DAYS
from agent_memory.decisions.collecting import READ_DIRECTLY
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter, TimeRange
from agent_memory.learning.intervals import wilson_interval
from agent_memory.model.decisions import Decision
from agent_memory.model.listings import LIMIT, Unreadable, fitting, missing_item
from agent_memory.model.outcomes import known_at

MAX_COMPARED = 20_000
MAX_SIMILAR = 1_000
Value = str | bool | float


@dataclass(frozen=True, slots=True)
class SimilarQuery:
    """The arguments of `MemoryManager.similar`, converted; `InvalidInput` names an invalid one."""

    context: Document
    decision_type: str | None = None
    top_k: int = 20
    min_similarity: float = 0.5
    as_of: Instant | None = None
    time_range: TimeRange | None = None

    def __post_init__(self) -> None:
        self._set("context", check_object("context", self.context))
        if not _members(self.context):
            raise InvalidInput("context", "has no fact and no number by which decisions could be compared")
        if self.decision_type is not None:
            self._set("decision_type", check_decision_type(self.decision_type))
        self._set("top_k", check_integer("top_k", self.top_k, minimum=1, maximum=MAX_SIMILAR))
        similarity = check_number("min_similarity", self.min_similarity, "a number from 0 to 1")
        if not 0 <= similarity <= 1:
            raise InvalidInput("min_similarity", f"{similarity} is not a number from 0 to 1")
        self._set("min_similarity", similarity)
        if self.as_of is not None:
            self._set("as_of", to_iso(parse_instant(self.as_of, "as_of")))
        self._set("time_range", DecisionFilter(time_range=self.time_range).validated().time_range)

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)


class SimilarDecisions:
    """Finds an agent's decisions in a like context. Every method blocks."""

    def __init__(self, log: DecisionLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock

    def find(self, query: SimilarQuery) -> dict[str, Any]:
        """The most similar decisions; see `MemoryManager.similar`.

        Raises:
            Unavailable: the table did not respond.
        """
        as_of_ms = self._clock.now_ms() if query.as_of is None else parse_instant(query.as_of, "as_of")
        missing: list[dict[str, Any]] = []
        decisions = list(self._known(query, as_of_ms, missing))
        similarities = _similarities(query.context, decisions)
        close = [
            (-similarity, -decision.timestamp_ms, decision.decision_id, decision)
            for similarity, decision in zip(similarities, decisions, strict=True)
            if similarity >= query.min_similarity
        ]
        nearest = nsmallest(query.top_k, close)
        found = fitting(
            [{"similarity": -negated, "decision": decision.as_dict()} for negated, _, _, decision in nearest],
            as_dict=dict,
            id_of=_id_of,
            max_bytes=self._log.max_answer_bytes,
            missing=missing,
            read_directly=READ_DIRECTLY,
        )
        return {
            "similar": list(found),
            **_rate("", [one for *_, one in nearest]),
            **_rate("base_", decisions),
            "as_of": to_iso(as_of_ms),
            "complete": found.complete,
            "missing": found.missing,
        }

    def _known(self, query: SimilarQuery, as_of_ms: int, missing: list[dict[str, Any]]) -> Iterator[Decision]:
        """The newest decisions up to a time, with the outcomes that were known then."""
        start, end = query.time_range or (None, None)
        end_ms = as_of_ms + 1 if end is None else min(as_of_ms + 1, parse_instant(end, "time_range/end"))
        # Those in the table at that time, unless a start asks for others.
        oldest_ms = max(0, day_start_ms(date_of(as_of_ms)) - (HOT_DAYS - 2) * DAY_MS)
        start_ms = min(oldest_ms, end_ms) if start is None else min(parse_instant(start, "time_range/start"), end_ms)
        unreadable: list[Unreadable] = []
        criteria = DecisionFilter(query.decision_type, (to_iso(start_ms), to_iso(end_ms)))
        try:
            for number, decision in enumerate(self._log.stream(criteria, on_unreadable=unreadable.append)):
                if number == MAX_COMPARED:
                    why = f"only the newest {MAX_COMPARED:,} decisions were compared; pass a time_range for others"
                    missing.append(missing_item("decisions", LIMIT, why))
                    break
                yield known_at(decision, as_of_ms)
        except InColdStorage as error:
            missing.append(missing_item("archive", error.code, str(error)))
        missing += [one.as_dict() for one in unreadable]


def _id_of(found: dict[str, Any]) -> str:
    return str(found["decision"]["decision_id"])


def _rate(prefix: str, decisions: Sequence[Decision]) -> dict[str, Any]:
    """How many decisions there are, how many have an outcome, and how many of these succeeded."""
    results = [one.outcome.success for one in decisions if one.outcome is not None]
    rate = sum(results) / len(results) if results else None
    return {
        f"{prefix}decisions": len(decisions),
        f"{prefix}with_outcome": len(results),
        f"{prefix}success_rate": rate,
        f"{prefix}interval": None if rate is None else list(wilson_interval(rate, len(results))),
    }


def _similarities(context: Document, decisions: Sequence[Decision]) -> list[float]:
    """The similarity of each decision's context to one in question."""
    wanted = _members(context)
    contexts = [_members(one.context) for one in decisions]
    deviations = {
        path: pstdev(known) if (known := _numbers(path, contexts)) else 0.0
        for path, value in wanted.items()
        if _is_number(value)
    }
    return [
        math.fsum(_alike(value, members.get(path), deviations.get(path, 0.0)) for path, value in wanted.items())
        / len(wanted)
        for members in contexts
    ]


def _alike(value: Value, other: Value | None, deviation: float) -> float:
    if other is None or _is_number(value) != _is_number(other) or isinstance(value, bool) != isinstance(other, bool):
        return 0.0
    if not _is_number(value) or value == other:
        return float(value == other)
    return math.exp(-(((float(value) - float(other)) / deviation) ** 2) / 2) if deviation else 0.0


def _numbers(path: str, contexts: Sequence[Mapping[str, Value]]) -> list[float]:
    values = [one.get(path) for one in contexts]
    return [float(value) for value in values if value is not None and _is_number(value)]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _members(context: Document) -> dict[str, Value]:
    """The text, truth values and numbers of a context by their paths; lists and null are left out."""
    members: dict[str, Value] = {}
    pending: list[tuple[str, Any]] = [("", context)]
    while pending:
        prefix, one = pending.pop()
        for name, value in one.items():
            if isinstance(value, Mapping):
                pending.append((f"{prefix}{name}.", value))
            elif isinstance(value, str | bool | int | float):
                members[f"{prefix}{name}"] = value
    return members
