"""What the nightly job reads of decisions: a row of evidence each, and the figures of its report.

A row takes a tenth of its decision's memory. Where a day has more decisions than one machine is to read, several
machines read a part of the time each, and store the rows where the machine that learns finds them:

    consolidation ──► parts to read ──► one machine for each part ──► rows in the bucket ──► consolidation learns

Reading a part again replaces its rows. A part that is missing is an error, never a day without decisions.
"""

import gzip
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import date
from itertools import pairwise
from math import ceil
from typing import Any, NamedTuple, Self

from agent_memory.core.clock import DAY_MS, Span
from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.errors import InvalidInput, Unavailable
from agent_memory.core.keys import decisions_read_key, decisions_read_prefix
from agent_memory.learning.evidence import evidence_row
from agent_memory.model.decisions import Decision
from agent_memory.model.evidence import Evidence
from agent_memory.model.listings import OnUnreadable
from agent_memory.model.outcomes import current_outcomes
from agent_memory.ports.decisions import DecisionStore, Selection
from agent_memory.ports.evidence import DEFAULT_ROWS_PER_PART, EvidenceSnapshot
from agent_memory.ports.stores import Stores

MAX_PARTS = 1_000
"""Of one job; the list of them is in the state of its execution."""
_RECENT_DAYS, _COMPRESSION = 7, 1


@dataclass(frozen=True, slots=True)
class ReadDecision:
    """A decision as it was read.

    Attributes:
        row: its evidence.
        uses_memory: whether it rests on a memory.
        confidence: its own, from 0 to 1, if it names one.
        first_recorded_ms: when the first of its outcomes was recorded; None without an outcome.
    """

    row: Evidence
    uses_memory: bool
    confidence: float | None
    first_recorded_ms: int | None

    @classmethod
    def of(cls, decision: Decision) -> Self:
        """What is kept of a decision."""
        recorded = [one.recorded_ms for one in current_outcomes(decision)]
        return cls(
            evidence_row(decision), bool(decision.memory_ids), _confidence(decision), min(recorded, default=None)
        )

    @property
    def decision_id(self) -> str:
        """Its id."""
        return self.row.decision_id

    @property
    def decision_type(self) -> str:
        """Its type."""
        return self.row.decision_type

    @property
    def timestamp_ms(self) -> int:
        """When it was made."""
        return self.row.timestamp_ms

    @property
    def success(self) -> bool | None:
        """Of its outcome; None while it has none."""
        return self.row.success


class Part(NamedTuple):
    """A part of the time that is read by one machine, for the job of a day."""

    agent_id: str
    day: date
    span: Span

    def as_event(self) -> dict[str, Any]:
        """The event of the function that reads it."""
        return {
            "agent_id": self.agent_id,
            "date": self.day.isoformat(),
            "part": {"start_ms": self.span.start_ms, "end_ms": self.span.end_ms},
        }

    @classmethod
    def of_event(cls, agent_id: str, day: date, part: object) -> Self:
        """The part that an event names. Raises `InvalidInput` unless it has `start_ms` and a later `end_ms`."""
        fields = part if isinstance(part, dict) else {}
        start_ms, end_ms = fields.get("start_ms"), fields.get("end_ms")
        if type(start_ms) is not int or type(end_ms) is not int or not 0 <= start_ms < end_ms:
            raise InvalidInput("part", f"expected start_ms and a later end_ms, got {json.dumps(part)[:200]}")
        return cls(agent_id, day, Span(start_ms, end_ms))


Reader = Callable[[Span], list[ReadDecision]]
"""Returns the decisions of a span."""


def table_reader(
    agent_id: str, decision_types: Sequence[str], shards: int, decisions: DecisionStore, on_unreadable: OnUnreadable
) -> Reader:
    """A reader of the table."""

    def read(span: Span) -> list[ReadDecision]:
        def of_type(decision_type: str) -> list[ReadDecision]:
            selection = Selection(agent_id, decision_type, shards=shards)
            return [ReadDecision.of(one) for one in decisions.scan(selection, span, on_unreadable=on_unreadable)]

        return [one for found in map_concurrently(of_type, decision_types) for one in found]

    return read


def read_part(part: Part, stores: Stores, on_unreadable: OnUnreadable) -> int:
    """Read a part of the time and store its rows; returns how many. Doing it again replaces them."""
    registered = stores.states.registration(part.agent_id)
    types, shards = registered.decision_types, registered.write_shards
    rows = table_reader(part.agent_id, types, shards, stores.decisions, on_unreadable)(part.span)
    stores.bucket().blobs.write(_key(part), _encoded(rows))
    return len(rows)


def stored_reader(parts: Sequence[Part], stores: Stores) -> Reader:
    """A reader of what `read_part` has stored of these parts. It raises `Unavailable` if a part is missing."""

    def read(span: Span) -> list[ReadDecision]:
        return [one for part in parts for one in of_part(part, span)]

    def of_part(part: Part, span: Span) -> Iterator[ReadDecision]:
        if span.end_ms <= part.span.start_ms or part.span.end_ms <= span.start_ms:
            return
        body = stores.bucket().blobs.read(_key(part))
        if body is None:
            raise Unavailable(f"decisions of {part.agent_id} from {part.span.start_ms} on were not read: {_key(part)}")
        yield from (one for one in _decoded(body) if span.start_ms <= one.timestamp_ms < span.end_ms)

    return read


def delete_earlier_parts(agent_id: str, day: date, stores: Stores) -> None:
    """Delete what was read for the jobs of earlier days."""
    blobs = stores.bucket().blobs
    current = decisions_read_prefix(agent_id, day)
    for key in blobs.list_keys(decisions_read_prefix(agent_id)):
        if key < current:
            blobs.delete(key)


def parts_to_read(
    agent_id: str, day: date, spans: Sequence[Span], snapshot: EvidenceSnapshot, most: int = DEFAULT_ROWS_PER_PART
) -> list[Part]:
    """Divide spans of days between machines so that each reads about so many decisions; empty if one machine can.

    How many decisions a day has, and when, is known from the evidence. A day that it does not have is expected to be
    like the busiest of the last seven that it has.

    Args:
        agent_id: of the decisions.
        day: of the job.
        spans: of whole days, oldest first.
        snapshot: the evidence. Of evidence in one file one machine reads all.
        most: decisions that one machine is to read.
    """
    counts: dict[int, dict[Span, int]] = {}
    for span, count in snapshot.row_counts().items():
        counts.setdefault(span.start_ms // DAY_MS, {})[span] = count
    if not counts:
        return []
    recent = [one for one in counts if one > max(counts) - _RECENT_DAYS]
    busiest = max(recent, key=lambda one: sum(counts[one].values()))
    days = [start_ms // DAY_MS for span in spans for start_ms in range(span.start_ms, span.end_ms, DAY_MS)]
    like = {one: one if one in counts else busiest for one in days}
    of_day = {one: sum(counts[like[one]].values()) for one in days}
    if max(of_day.values(), default=0) <= most:
        return []
    size = max(most, sum(of_day.values()) // (MAX_PARTS - len(days)))
    parts: list[Part] = []
    for one, count in of_day.items():
        shift_ms = (one - like[one]) * DAY_MS
        bounds = _bounds(like[one], counts[like[one]], max(1, ceil(count / size)))
        parts += [Part(agent_id, day, Span(start + shift_ms, end + shift_ms)) for start, end in pairwise(bounds)]
    return parts


def _bounds(day: int, counts: Mapping[Span, int], number: int) -> list[int]:
    """The times that divide a day into a number of parts with about as many decisions each.

    Within a span decisions are taken to be evenly spread.

    Args:
        day: since 1970.
        counts: of decisions, by spans of the day.
        number: of parts, from 1.
    """
    start_ms, end_ms = day * DAY_MS, (day + 1) * DAY_MS
    bounds, total, before = {start_ms}, max(1, sum(counts.values())), 0
    for span in sorted(counts, key=lambda one: one.start_ms):
        count = counts[span]
        for part in range(before * number // total + 1, (before + count) * number // total + 1):
            share = (part * total - before * number) / (count * number)
            bounds.add(span.start_ms + int(share * (span.end_ms - span.start_ms)))
        before += count
    return [*sorted(bounds - {end_ms}), end_ms]


def _key(part: Part) -> str:
    return decisions_read_key(part.agent_id, part.day, part.span.start_ms, part.span.end_ms)


def _encoded(rows: Iterable[ReadDecision]) -> bytes:
    lines = (json.dumps(astuple(one), ensure_ascii=True) + "\n" for one in rows)
    return gzip.compress("".join(lines).encode(), _COMPRESSION, mtime=0)


def _decoded(body: bytes) -> Iterator[ReadDecision]:
    with gzip.open(io.BytesIO(body), "rt", encoding="ascii") as lines:
        for line in lines:
            (decision_id, *others), uses_memory, confidence, first_recorded_ms = json.loads(line)
            yield ReadDecision(Evidence(decision_id, *_as_tuple(others)), uses_memory, confidence, first_recorded_ms)


def _as_tuple(values: list[Any]) -> tuple[Any, ...]:
    """A list as a tuple, and those in it. Equal texts, as of facts, are one object: rows take half the memory."""
    return tuple(
        _as_tuple(one) if isinstance(one, list) else sys.intern(one) if isinstance(one, str) else one for one in values
    )


def _confidence(decision: Decision) -> float | None:
    value = decision.reasoning.get("confidence")
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if 0 <= value <= 1 else None
