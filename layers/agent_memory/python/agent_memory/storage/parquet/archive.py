"""The archive: one Parquet file per agent and day, and a manifest for each revision of it.

    decisions/agent_id=…/date=2026-11-20/decisions.parquet
                                         _manifest-0001.json

`decision_rows` describes the rows. The name of a manifest begins with an underscore, so that Athena ignores it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from agent_memory.core.clock import DAY_MS, Span, day_start_ms
from agent_memory.core.errors import Conflict, Damaged, Unavailable
from agent_memory.core.keys import archive_day_prefix, archive_file_key, archive_manifest_key, archive_prefix
from agent_memory.core.retries import retry_on
from agent_memory.model.decisions import Decision, DecisionKey
from agent_memory.model.seals import ROW_HASH, Manifest, root_hash, row_hash, sha256, short_hash
from agent_memory.ports.archive import ArchivedObject, DayFile, PackedDay
from agent_memory.ports.blobs import BlobStore, ByteRange
from agent_memory.ports.decisions import Selection
from agent_memory.storage.parquet.decision_rows import (
    COLUMNS,
    FILE_ORDER,
    column_tests,
    decision_from_row,
    decision_row,
    named_rows,
)
from agent_memory.storage.parquet.footer import NotParquet
from agent_memory.storage.parquet.partial_reads import ObjectReplaced, read_slices
from agent_memory.storage.parquet.reader import ColumnTests, Rows, read_rows
from agent_memory.storage.parquet.row_groups import Slice
from agent_memory.storage.parquet.writer import write_rows

_DAY = re.compile(r"/date=(?P<day>\d{4}-\d\d-\d\d)/\Z")
_NAMES = re.compile(r"/date=(?P<day>[\d-]{10})/(?:decisions\.parquet|_manifest-(?P<revision>\d{4,})\.json)\Z")
# Only the nightly job replaces a file, so that more than one replacement during a read is a bug.
_ATTEMPTS = 3


class ParquetArchive:
    """`ArchiveStore` on any store of objects."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    def pack(self, decisions: Sequence[Decision]) -> PackedDay:
        """Encode a day of decisions as a file. Nothing is written."""
        by_time = tuple(_by_time(decisions))
        hashes: list[str] = []

        def rows() -> Iterator[dict[str, Any]]:
            for one in _in_file_order(by_time):
                row = decision_row(one)
                hashes.append(row_hash(row))
                yield {**row, ROW_HASH: short_hash(hashes[-1])}

        body = write_rows(rows(), COLUMNS, statistics_of=FILE_ORDER)
        return PackedDay(by_time, body, sha256(body), root_hash(hashes))

    def write_file(self, agent_id: str, day: date, packed: PackedDay, *, replaced: DayFile | None) -> None:
        """Write the file of a day in place of `replaced`, None if there is none, and read it back.

        Raises:
            Conflict: the stored file is not `replaced`, or another job has replaced the one written.
            Unavailable: the file reads back differently.
        """
        key = archive_file_key(agent_id, day)
        tag = self._blobs.replace(key, packed.body, tag=replaced.tag if replaced else None)
        written = self._blobs.read_tagged(key)
        if written is not None and written.tag != tag:
            raise Conflict(f"{key} was replaced by another job")
        if written is None or not _holds(agent_id, key, written.body, packed.decisions):
            raise Unavailable(f"{key} reads back differently than it was written")

    def write_manifest(self, manifest: Manifest) -> None:
        """Write a manifest under the key of its day and revision."""
        key = archive_manifest_key(manifest.agent_id, manifest.day, manifest.revision)
        self._blobs.write(key, manifest.body())

    def restore_day(self, agent_id: str, day: date) -> None:
        """Request that a day in cold storage be readable for a week, which takes up to twelve hours."""
        self._blobs.restore(archive_file_key(agent_id, day))

    def file(self, agent_id: str, day: date) -> DayFile | None:
        """The file of a day, not verified; None if there is none."""
        stored = self._blobs.read_tagged(archive_file_key(agent_id, day))
        if stored is None:
            return None
        try:
            rows = _FileRows(stored.body)
        except NotParquet:
            rows = None
        return DayFile(agent_id, sha256(stored.body), rows, stored.tag)

    def decisions(self, file: DayFile, like: Mapping[str, Decision] | None = None) -> list[Decision]:
        """The decisions of a file, ordered by time and id.

        One that equals the one of its id in `like` is the same object, which takes no memory of its own.
        """

        def shared(one: Decision) -> Decision:
            other = like.get(one.decision_id) if like else None
            return other if other is not None and other == one else one

        return _by_time(shared(decision_from_row(file.agent_id, row)) for row in file.rows or ())

    def read_day(
        self,
        agent_id: str,
        day: date,
        span: Span | None = None,
        decision_types: Sequence[str] | None = None,
        *,
        keeps: ColumnTests | None = None,
    ) -> list[Decision]:
        """The decisions of a day, ordered by time and id; empty if the day was not archived.

        `keeps` leaves out the decisions whose columns fail a test.
        """
        full_day = Span(day_start_ms(day), day_start_ms(day) + DAY_MS)
        span = span or full_day
        if decision_types is not None:
            slices = [Slice(span, decision_type) for decision_type in decision_types]
            return self._read_slices(agent_id, day, slices, keeps)
        if span.start_ms > full_day.start_ms or span.end_ms < full_day.end_ms:
            return self._read_slices(agent_id, day, [Slice(span)], keeps)
        key = archive_file_key(agent_id, day)
        body = self._blobs.read(key)
        if body is None:
            return self._nothing(agent_id, day)
        return _decisions(agent_id, key, lambda: read_rows(body, COLUMNS, keeps))

    def select(self, agent_id: str, day: date, span: Span, selection: Selection) -> list[Decision]:
        """The decisions of a day and span that meet a selection as they were archived, ordered by time and id."""
        types = None if selection.decision_type is None else [selection.decision_type]
        decisions = self.read_day(agent_id, day, span, types, keeps=column_tests(selection))
        return [decision for decision in decisions if selection.matches(decision)]

    def get(self, agent_id: str, day: date, keys: Sequence[DecisionKey]) -> list[Decision]:
        """The decisions of a day with these keys, ordered by time and id; only parts of the file are read."""
        types_and_times = sorted({(key.decision_type, key.timestamp_ms) for key in keys})
        slices = [Slice(Span(ms, ms + 1), decision_type) for decision_type, ms in types_and_times]
        decisions = self._read_slices(agent_id, day, slices)
        ids = {key.decision_id for key in keys}
        return [decision for decision in decisions if decision.decision_id in ids]

    def manifest(self, agent_id: str, day: date) -> Manifest | None:
        """The manifest of a day's last revision, or None if the day was not archived.

        Raises:
            Damaged: it is not a valid manifest.
        """
        objects = self._list(archive_day_prefix(agent_id, day), agent_id)
        manifests = [one for one in objects if one.revision is not None]
        if not manifests:
            return None
        newest = max(manifests, key=lambda one: one.revision or 0)
        try:
            return Manifest.from_body(self.manifest_body(newest) or b"")
        except ValueError as error:
            raise Damaged(f"{newest.key} is not a valid manifest: {error}") from error

    def manifest_body(self, one: ArchivedObject) -> bytes | None:
        """The bytes of a manifest; None if there is no such object."""
        return self._blobs.read(one.key)

    def days(self, agent_id: str) -> list[date]:
        """The archived days, oldest first. Other objects are ignored, as by Athena."""
        names = map(_DAY.search, self._blobs.list_prefixes(archive_prefix(agent_id)))
        days = [_day(name["day"]) for name in names if name]
        return [day for day in days if day is not None]

    def objects(self, agent_id: str, day: date | None = None) -> list[ArchivedObject]:
        """All objects of an agent's archive, or of one day of it."""
        return self._list(archive_prefix(agent_id) if day is None else archive_day_prefix(agent_id, day), agent_id)

    def _list(self, prefix: str, agent_id: str) -> list[ArchivedObject]:
        return [_object(agent_id, key) for key in self._blobs.list_keys(prefix)]

    def _nothing(self, agent_id: str, day: date) -> list[Decision]:
        """The decisions of a day without a file: none, unless a manifest shows that the file was lost."""
        if self.manifest(agent_id, day) is not None:
            raise Damaged(f"{archive_file_key(agent_id, day)} is missing, although the day was archived")
        return []

    def _read_slices(
        self, agent_id: str, day: date, slices: Sequence[Slice], keeps: ColumnTests | None = None
    ) -> list[Decision]:
        """The decisions in slices; only parts of the file are read."""
        key = archive_file_key(agent_id, day)

        def read(start: int, end: int | None) -> ByteRange:
            part = self._blobs.read_range(key, start, end)
            if part is None:
                raise FileNotFoundError
            return part

        def decisions() -> list[Decision]:
            return _decisions(agent_id, key, lambda: read_slices(read, COLUMNS, FILE_ORDER, slices, keeps))

        try:
            return retry_on(ObjectReplaced, decisions, attempts=_ATTEMPTS)
        except FileNotFoundError:
            return self._nothing(agent_id, day)
        except ObjectReplaced as error:
            raise Unavailable(f"{key} kept being replaced while it was read") from error


def _decisions(agent_id: str, key: str, read: Callable[[], Iterable[tuple[Any, ...]]]) -> list[Decision]:
    """The decisions in the rows of an object; `Damaged` if it contains anything else."""
    try:
        return _by_time([decision_from_row(agent_id, row) for row in named_rows(read())])
    except (ValueError, TypeError) as error:
        raise Damaged(f"{key} is damaged; run `agent-memory verify` for details: {error}") from error


def _holds(agent_id: str, key: str, body: bytes, decisions: Sequence[Decision]) -> bool:
    """Whether a file has exactly these decisions, which are ordered by time; `Damaged` if it cannot be read."""
    try:
        rows = Rows(body, COLUMNS)
        return len(rows) == len(decisions) and all(
            decision_from_row(agent_id, row) == one
            for row, one in zip(named_rows(rows), _in_file_order(decisions), strict=True)
        )
    except (ValueError, TypeError) as error:
        raise Damaged(f"{key} is damaged; run `agent-memory verify` for details: {error}") from error


def _in_file_order(by_time: Sequence[Decision]) -> list[Decision]:
    """Decisions in the order of a file's rows (`FILE_ORDER`), of those in order of time and id."""
    return sorted(by_time, key=lambda decision: decision.decision_type)


class _FileRows:
    """`DayFile.rows`: dictionaries by the names of columns, of which a few at a time are in memory."""

    def __init__(self, body: bytes) -> None:
        self._rows = Rows(body, COLUMNS)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return named_rows(self._rows)


def _by_time(decisions: Iterable[Decision]) -> list[Decision]:
    return sorted(decisions, key=lambda decision: (decision.timestamp_ms, decision.decision_id))


def _object(agent_id: str, key: str) -> ArchivedObject:
    """The kind of an object by its key, which must be exactly as the archive would write it."""
    name = _NAMES.search(key)
    day = _day(name["day"]) if name else None
    if name is None or day is None:
        return ArchivedObject(key)
    if key == archive_file_key(agent_id, day):
        return ArchivedObject(key, day)
    revision = int(name["revision"] or 0)
    is_manifest = key == archive_manifest_key(agent_id, day, revision)
    return ArchivedObject(key, day, revision) if is_manifest else ArchivedObject(key)


def _day(text: str) -> date | None:
    """The day of a text; None if it is not a date."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
