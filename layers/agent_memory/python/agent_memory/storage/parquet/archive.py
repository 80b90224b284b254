"""The archive: one Parquet file for each day of an agent, and beside it a manifest for each time it was written.

    decisions/agent_id=…/date=2026-11-20/decisions.parquet
                                         _manifest-0001.json

`decision_rows` maps a decision to a row. Names of manifests begin with an underscore, so that Athena ignores them.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

from agent_memory.core.clock import DAY_MS, Span, day_start_ms
from agent_memory.core.errors import Damaged, Unavailable
from agent_memory.core.keys import archive_day_prefix, archive_file_key, archive_manifest_key, archive_prefix
from agent_memory.core.retries import retry_on
from agent_memory.model.decisions import Decision, DecisionKey
from agent_memory.model.seals import ROW_HASH, Manifest, root_hash, row_hash, sha256, short_hash
from agent_memory.ports.archive import ArchivedObject, DayFile, PackedDay
from agent_memory.ports.blobs import BlobStore, Part
from agent_memory.storage.parquet.decision_rows import COLUMNS, FILE_ORDER, decision_of_row, row_of, rows_from
from agent_memory.storage.parquet.files import to_parquet
from agent_memory.storage.parquet.footer import NotParquet
from agent_memory.storage.parquet.partial_reads import IN_SMALL_ROW_GROUPS, ObjectReplaced, rows_at
from agent_memory.storage.parquet.reader import rows_of
from agent_memory.storage.parquet.row_groups import Slice

_DAY = re.compile(r"/date=(?P<day>\d{4}-\d\d-\d\d)/\Z")
_NAMES = re.compile(r"/date=(?P<day>[\d-]{10})/(?:decisions\.parquet|_manifest-(?P<revision>\d{4,})\.json)\Z")
# A day is replaced by the nightly job only: a second replacement while reading would be a fault.
_ATTEMPTS = 3


class ParquetArchive:
    """`ArchiveStore` on any store of whole objects."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    def pack(self, decisions: Sequence[Decision]) -> PackedDay:
        """Decisions of a day as a file. Nothing is written."""
        by_time = _by_time(decisions)
        rows = [row_of(one) for one in sorted(by_time, key=lambda decision: decision.decision_type)]
        hashes = [row_hash(row) for row in rows]
        sealed = ({**row, ROW_HASH: short_hash(its_hash)} for row, its_hash in zip(rows, hashes, strict=True))
        body = to_parquet(sealed, COLUMNS, options=IN_SMALL_ROW_GROUPS)
        return PackedDay(tuple(by_time), body, sha256(body), root_hash(hashes))

    def write_file(self, agent_id: str, day: date, packed: PackedDay) -> None:
        """Write the file of a day, replacing an earlier one, and read it back.

        Raises:
            Unavailable: what was read back is not what was written.
        """
        key = archive_file_key(agent_id, day)
        self._blobs.write(key, packed.body)
        if self.read_day(agent_id, day) != list(packed.decisions):
            raise Unavailable(f"{key} reads back otherwise than it was written")

    def write_manifest(self, manifest: Manifest) -> None:
        """Write a manifest under its day and revision."""
        key = archive_manifest_key(manifest.agent_id, manifest.day, manifest.revision)
        self._blobs.write(key, manifest.body())

    def restore_day(self, agent_id: str, day: date) -> None:
        """Ask for a day in cold storage to be readable for a week, which takes up to twelve hours."""
        self._blobs.restore(archive_file_key(agent_id, day))

    def file(self, agent_id: str, day: date) -> DayFile | None:
        """The file of a day, whole and unchecked; None where there is none."""
        body = self._blobs.read(archive_file_key(agent_id, day))
        if body is None:
            return None
        try:
            rows = tuple(rows_from(rows_of(body, COLUMNS)))
        except NotParquet:
            return DayFile(agent_id, sha256(body), None)
        return DayFile(agent_id, sha256(body), rows)

    def decisions(self, file: DayFile) -> list[Decision]:
        """The decisions of a file, ordered by time and id."""
        return _by_time([decision_of_row(file.agent_id, row) for row in file.rows or ()])

    def read_day(
        self, agent_id: str, day: date, span: Span | None = None, decision_types: Sequence[str] | None = None
    ) -> list[Decision]:
        """The decisions of a day, ordered by time and id; empty where the day was not archived."""
        key = archive_file_key(agent_id, day)
        whole = Span(day_start_ms(day), day_start_ms(day) + DAY_MS)
        inside = span or whole
        if decision_types is not None:
            return self._some(agent_id, key, [Slice(inside, kind) for kind in decision_types])
        if inside.start_ms > whole.start_ms or inside.end_ms < whole.end_ms:
            return self._some(agent_id, key, [Slice(inside)])
        body = self._blobs.read(key)
        return _decisions(agent_id, key, lambda: rows_of(body, COLUMNS)) if body is not None else []

    def get(self, agent_id: str, day: date, keys: Sequence[DecisionKey]) -> list[Decision]:
        """Those of a day's decisions that have these keys, ordered by time and id; little else is read."""
        moments = sorted({(key.decision_type, key.timestamp_ms) for key in keys})
        slices = [Slice(Span(ms, ms + 1), kind) for kind, ms in moments]
        found = self._some(agent_id, archive_file_key(agent_id, day), slices)
        wanted = {key.decision_id for key in keys}
        return [decision for decision in found if decision.decision_id in wanted]

    def manifest(self, agent_id: str, day: date) -> Manifest | None:
        """The manifest of a day's last writing, or None where the day was not archived.

        Raises:
            Damaged: it is no manifest.
        """
        objects = self._below(archive_day_prefix(agent_id, day), agent_id)
        written = [one for one in objects if one.revision is not None]
        if not written:
            return None
        newest = max(written, key=lambda one: one.revision or 0)
        try:
            return Manifest.from_body(self.manifest_body(newest) or b"")
        except ValueError as error:
            raise Damaged(f"{newest.key} is no manifest: {error}") from error

    def manifest_body(self, one: ArchivedObject) -> bytes | None:
        """A manifest as it was found."""
        return self._blobs.read(one.key)

    def days(self, agent_id: str) -> list[date]:
        """The days that are archived, oldest first. What the archive did not write is passed over, as Athena does."""
        names = map(_DAY.search, self._blobs.list_prefixes(archive_prefix(agent_id)))
        days = [_day(name["day"]) for name in names if name]
        return [day for day in days if day is not None]

    def objects(self, agent_id: str) -> list[ArchivedObject]:
        """Everything that the archive holds of an agent."""
        return self._below(archive_prefix(agent_id), agent_id)

    def _below(self, prefix: str, agent_id: str) -> list[ArchivedObject]:
        return [_object(agent_id, key) for key in self._blobs.list_keys(prefix)]

    def _some(self, agent_id: str, key: str, slices: Sequence[Slice]) -> list[Decision]:
        """The decisions in slices, by reading parts of the file."""

        def read(start: int, end: int | None) -> Part:
            part = self._blobs.read_part(key, start, end)
            if part is None:
                raise FileNotFoundError
            return part

        def decisions() -> list[Decision]:
            return _decisions(agent_id, key, lambda: rows_at(read, COLUMNS, FILE_ORDER, slices))

        try:
            return retry_on(ObjectReplaced, decisions, attempts=_ATTEMPTS)
        except FileNotFoundError:
            return []
        except ObjectReplaced as error:
            raise Unavailable(f"{key} kept being replaced while it was read") from error


def _decisions(agent_id: str, key: str, read: Callable[[], Iterable[tuple[Any, ...]]]) -> list[Decision]:
    """The decisions in rows that are read from an object; `Damaged` where that holds something else."""
    try:
        return _by_time([decision_of_row(agent_id, row) for row in rows_from(read())])
    except (ValueError, TypeError) as error:
        raise Damaged(f"{key} is not what was archived; `agent-memory verify` tells more: {error}") from error


def _by_time(decisions: Iterable[Decision]) -> list[Decision]:
    return sorted(decisions, key=lambda decision: (decision.timestamp_ms, decision.decision_id))


def _object(agent_id: str, key: str) -> ArchivedObject:
    """What an object is by its name, which must be the very one that the archive gives."""
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
    """The day that is written so; None for what is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
