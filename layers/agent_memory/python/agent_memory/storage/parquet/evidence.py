"""Learning evidence in Parquet files: one per agent, or for a large agent one or several per day.

The object `evidence.parquet` of an agent has all its rows while these are few. Once they are more than a part may hold,
it has the list of the agent's parts instead. A part has the decisions of a day, or of a range of its time:

    evidence.parquet ──► date=2026-11-19/from=00:00:00.000Z-….parquet
                         date=2026-11-20/from=00:00:00.000Z-….parquet     a day with more decisions than one
                         date=2026-11-20/from=11:42:07.310Z-….parquet     part may hold

Parts never change: a new version has another name, and is the valid one when the list has it. So the list is the only
object that two writers could both replace, an interrupted one leaves the evidence as it was, and writing one day
touches no other.
"""

import hashlib
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain, groupby
from typing import NamedTuple, Self

from agent_memory.core.clock import DAY_MS, END_OF_TIME_MS, Span
from agent_memory.core.errors import Conflict, InvalidInput
from agent_memory.core.ids import timestamp_of
from agent_memory.core.keys import evidence_key, evidence_part_key
from agent_memory.model.evidence import Evidence
from agent_memory.ports.blobs import BlobStore
from agent_memory.ports.evidence import DEFAULT_ROWS_PER_PART
from agent_memory.storage.parquet.evidence_rows import (
    COLUMNS,
    OPTIONAL,
    evidence_rows,
    in_span,
    merge_rows,
    stream_evidence,
    times_of,
)
from agent_memory.storage.parquet.files import columns_of, stream_parquet, to_parquet
from agent_memory.storage.parquet.kept_rows import MAX_KEPT_ROWS, KeptRows

__all__ = ["ParquetEvidence", "ParquetSnapshot", "evidence_rows"]

_LIST_COLUMNS = {"start_ms": "BIGINT", "end_ms": "BIGINT", "row_count": "BIGINT", "digest": "VARCHAR"}
_DIGEST_CHARACTERS = 16
# All rows of a small file are decoded, and kept, for a span of this length.
_KEPT_FROM_MS = 15 * DAY_MS


class _Part(NamedTuple):
    """The decisions from `start_ms` up to `end_ms`, of one day; the fields are `_LIST_COLUMNS`."""

    start_ms: int
    end_ms: int
    row_count: int
    digest: str

    @property
    def span(self) -> Span:
        return Span(self.start_ms, self.end_ms)

    @classmethod
    def of(cls, span: Span, body: bytes, row_count: int) -> Self:
        return cls(span.start_ms, span.end_ms, row_count, hashlib.sha256(body).hexdigest()[:_DIGEST_CHARACTERS])


class ParquetEvidence:
    """`EvidenceStore` on any store of objects."""

    def __init__(
        self, blobs: BlobStore, *, rows_per_part: int = DEFAULT_ROWS_PER_PART, kept: KeptRows | None = None
    ) -> None:
        """Use objects of a store.

        Args:
            blobs: the store.
            rows_per_part: the most decisions that one file has, at least 1; only those of one millisecond are never
                divided.
            kept: of the files that were used last; by default of its own.

        Raises:
            InvalidInput: `rows_per_part` is below 1.
        """
        if rows_per_part < 1:
            raise InvalidInput("rows_per_part", f"expected a number of decisions from 1, got {rows_per_part}")
        self._blobs = blobs
        self._rows_per_part = rows_per_part
        self._kept = KeptRows() if kept is None else kept

    def read(self, agent_id: str, span: Span) -> Iterator[Evidence]:
        """The rows of a span, read as they are consumed."""
        return self.snapshot(agent_id).rows(span)

    def of_experiments(self, agent_id: str, span: Span) -> Iterator[Evidence]:
        """Of the rows of a span, those that belong to an experiment; the others are not read into memory."""
        return self.snapshot(agent_id).rows_of_experiments(span)

    def snapshot(self, agent_id: str) -> "ParquetSnapshot":
        """The evidence as it is now."""
        found = self._blobs.read_tagged(evidence_key(agent_id))
        body, tag = (found.body, found.tag) if found else (b"", None)
        return ParquetSnapshot(self._blobs, agent_id, body, tag, rows_per_part=self._rows_per_part, kept=self._kept)


class ParquetSnapshot:
    """`EvidenceSnapshot` of an agent's files; `body` is that of its first one, empty if there is none."""

    def __init__(
        self, blobs: BlobStore, agent_id: str, body: bytes, tag: str | None, *, rows_per_part: int, kept: KeptRows
    ) -> None:
        self._blobs, self._agent_id = blobs, agent_id
        self._body, self._tag = body, tag
        self._rows_per_part = rows_per_part
        self._kept = kept
        self._columns = columns_of(body) if body else set()
        self._parts: list[_Part] | None = None
        if "digest" in self._columns:
            self._parts = [_Part(*row) for row in stream_parquet(body, _LIST_COLUMNS)]

    @property
    def is_complete(self) -> bool:
        """Whether there is evidence that has the columns of this version."""
        return self._parts is not None or self._columns >= COLUMNS.keys() - OPTIONAL

    def row_counts(self) -> dict[Span, int]:
        """How many rows each part of a large agent's evidence has; empty while one file has them all."""
        return {part.span: part.row_count for part in self._parts or ()}

    def rows(self, span: Span) -> Iterator[Evidence]:
        """The rows of a span, read part by part as they are consumed."""
        is_long = span.end_ms - span.start_ms >= _KEPT_FROM_MS
        for body in self._bodies(span):
            # To read the rows of a day takes a fraction of the time for all rows of a file.
            kept = self._kept_rows(body) if is_long else self._kept.found(body)
            yield from evidence_rows(body, span) if kept is None else _within(kept, span)

    def rows_of_experiments(self, span: Span) -> Iterator[Evidence]:
        """Of the rows of a span, those that belong to an experiment."""
        condition = in_span(span)
        condition["where"] += " AND len(experiments) > 0"
        for body in self._bodies(span):
            kept = self._kept_rows(body)
            if kept is None:
                yield from stream_evidence(body, **condition)
            else:
                yield from (row for row in _within(kept, span) if row.experiments)

    def rows_of(self, decision_ids: Collection[str]) -> Iterator[Evidence]:
        """The rows of these decisions, as far as there are any."""
        if not decision_ids or not self._body:
            return
        for span, ids in self._by_part(decision_ids):
            for body in self._bodies(span):
                kept = self._kept_rows(body)
                if kept is None:
                    where = "decision_id IN (SELECT unnest(?))"
                    yield from stream_evidence(body, where=where, parameters=[ids])
                else:
                    wanted = set(ids)
                    yield from (row for row in kept if row.decision_id in wanted)

    def merge(self, rows: Iterable[Evidence], *, oldest_ms: int) -> "ParquetSnapshot":
        """Add rows, in place of those of the same decisions, and drop rows older than `oldest_ms`.

        Each part is written once if the rows are ordered by time; no more than the rows of a part are held then.
        """
        kept = (row for row in rows if row.timestamp_ms >= oldest_ms)
        if self._parts is None:
            body = self._merged(kept, Span(oldest_ms, END_OF_TIME_MS))
            times = self._times_of(body)
            return self._replaced(body) if len(times) <= self._rows_per_part else self._with_parts_of(body, times)
        parts = [part for part in self._parts if part.end_ms > oldest_ms]
        written: set[_Part] = set()
        changes = groupby(kept, key=lambda row: _span_of(row.timestamp_ms, parts))
        cut = ((part.span, iter(())) for part in tuple(parts) if part.start_ms < oldest_ms)
        for span, of_span in chain(cut, changes):
            old = [part for part in parts if part.span == span]
            body = merge_rows(self._read(old[0]) if old else b"", of_span, _since(span, oldest_ms))
            new = self._write(span, body, times_of(body))
            parts = sorted({*parts, *new}.difference(set(old).difference(new)))
            written.update(new)
        return self._with_list(parts, written)

    def _merged(self, rows: Iterable[Evidence], span: Span) -> bytes:
        """The only file with other rows, which are kept with it if there are few, and those that it had are."""
        few: list[Evidence] = []

        def collected() -> Iterator[Evidence]:
            for row in rows:
                if len(few) <= MAX_KEPT_ROWS:
                    few.append(row)
                yield row

        body = merge_rows(self._body, collected(), span)
        before = self._kept_rows(self._body) if self._body else ()
        if before is not None and len(few) <= MAX_KEPT_ROWS:
            by_id = {row.decision_id: row for row in (*before, *few) if span.start_ms <= row.timestamp_ms}
            self._kept.keep(body, sorted(by_id.values(), key=lambda row: (row.timestamp_ms, row.decision_id)))
        return body

    def _times_of(self, body: bytes) -> list[int]:
        kept = self._kept_rows(body)
        return times_of(body) if kept is None else [row.timestamp_ms for row in kept]

    def _kept_rows(self, body: bytes) -> Sequence[Evidence] | None:
        """All rows of a small file; None for a larger one, which is read in pieces."""
        return self._kept.of(body, lambda: list(stream_evidence(body)))

    def _with_parts_of(self, body: bytes, times: Sequence[int]) -> "ParquetSnapshot":
        """Divide one file into parts by day."""
        parts: list[_Part] = []
        for day in sorted({at_ms // DAY_MS for at_ms in times}):
            span = Span(day * DAY_MS, (day + 1) * DAY_MS)
            of_day = merge_rows(body, [], span)
            parts += self._write(span, of_day, times_of(of_day))
        return self._with_list(parts, parts)

    def _write(self, span: Span, body: bytes, times: Sequence[int]) -> list[_Part]:
        """Write the rows of a span into as many parts as they need; none for no rows."""
        parts: list[_Part] = []
        spans = _divided(span, times, self._rows_per_part) if times else []
        for one in spans:
            part_body = body if len(spans) == 1 else merge_rows(body, [], one)
            count = bisect_left(times, one.end_ms) - bisect_left(times, one.start_ms)
            part = _Part.of(one, part_body, count)
            self._blobs.write(self._key(part), part_body)
            parts.append(part)
        return parts

    def _with_list(self, parts: Sequence[_Part], written: Iterable[_Part]) -> "ParquetSnapshot":
        """Replace the list of parts, and delete the parts that it does not have any more."""
        after = self._replaced(to_parquet([part._asdict() for part in parts], _LIST_COLUMNS))
        outdated = {self._key(part) for part in (*(self._parts or ()), *written)}
        for key in sorted(outdated.difference(map(self._key, parts))):
            self._blobs.delete(key)
        return after

    def _replaced(self, body: bytes) -> "ParquetSnapshot":
        tag = self._blobs.replace(evidence_key(self._agent_id), body, tag=self._tag)
        return ParquetSnapshot(
            self._blobs, self._agent_id, body, tag, rows_per_part=self._rows_per_part, kept=self._kept
        )

    def _bodies(self, span: Span) -> Iterator[bytes]:
        """The files that may have rows of a span, oldest first."""
        if self._parts is not None:
            parts = (part for part in self._parts if part.start_ms < span.end_ms and span.start_ms < part.end_ms)
            yield from map(self._read, parts)
        elif self._body:
            yield self._body

    def _by_part(self, decision_ids: Collection[str]) -> Iterator[tuple[Span, list[str]]]:
        """The ids by the part that would have their rows."""
        if self._parts is None:
            yield Span(0, END_OF_TIME_MS), list(decision_ids)
            return
        by_span: dict[Span, list[str]] = defaultdict(list)
        for decision_id in decision_ids:
            by_span[_span_of(timestamp_of(decision_id), self._parts)].append(decision_id)
        for span in sorted(by_span, key=lambda one: one.start_ms):
            yield span, by_span[span]

    def _read(self, part: _Part) -> bytes:
        body = self._blobs.read(self._key(part))
        if body is None:
            raise Conflict(f"a part of the evidence of {self._agent_id} was replaced meanwhile; read again")
        return body

    def _key(self, part: _Part) -> str:
        return evidence_part_key(self._agent_id, part.start_ms, part.digest)


def _span_of(at_ms: int, parts: Sequence[_Part]) -> Span:
    """The span of the part that has a time, or would have it: between existing parts, the rest of its day."""
    position = bisect_right(parts, at_ms, key=lambda part: part.start_ms)
    day = Span(at_ms // DAY_MS * DAY_MS, (at_ms // DAY_MS + 1) * DAY_MS)
    before, after = parts[:position][-1:], parts[position : position + 1]
    if before and at_ms < before[0].end_ms:
        return before[0].span
    start_ms = max(day.start_ms, before[0].end_ms) if before else day.start_ms
    return Span(start_ms, min(day.end_ms, after[0].start_ms) if after else day.end_ms)


def _within(rows: Sequence[Evidence], span: Span) -> Sequence[Evidence]:
    """Of rows in order of time, those of a span."""

    def time_of(row: Evidence) -> int:
        return row.timestamp_ms

    return rows[bisect_left(rows, span.start_ms, key=time_of) : bisect_left(rows, span.end_ms, key=time_of)]


def _since(span: Span, start_ms: int) -> Span:
    return Span(max(span.start_ms, start_ms), span.end_ms)


def _divided(span: Span, times: Sequence[int], most: int) -> list[Span]:
    """Divide a span so that each part has about equally many of the times, at most so many; equal times stay together.

    Args:
        span: with all the times.
        times: at least one, ascending.
        most: at least 1.
    """
    size = -(-len(times) // -(-len(times) // most))
    starts, first = [span.start_ms], 0
    while first + size < len(times):
        next_ms = times[first + size]
        begin = bisect_left(times, next_ms)
        first = begin if begin > first else bisect_right(times, next_ms)
        if first < len(times):
            starts.append(times[first])
    return [Span(*one) for one in zip(starts, [*starts[1:], span.end_ms], strict=True)]
