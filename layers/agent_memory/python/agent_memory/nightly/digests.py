"""Writes the digests of days, by which recall ranks decisions of any age; see `model.digests`."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta

from agent_memory.core.errors import Damaged
from agent_memory.core.keys import digest_key, digest_manifest_key
from agent_memory.core.retention import EXPIRE_AFTER_DAYS
from agent_memory.core.retries import retry_conflicts
from agent_memory.model.decisions import Decision
from agent_memory.model.digests import DayDigest, DigestManifest, digest_of, pack
from agent_memory.ports.archive import ArchiveStore
from agent_memory.ports.blobs import BlobStore

MAX_ROWS_PER_DAY = 50_000
"""Of a day with more decisions, the digest has the newest ones."""
_DAYS_PER_MANIFEST = 20
"""After so many days the manifest is written, so that an interrupted job need not begin anew."""


class RowsOfDay:
    """Collects the rows of a day, whose decisions are added newest first."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._omitted_before_ms = self._last_ms = 0

    def add(self, decision: Decision) -> None:
        """Add a decision, if the digest has not as many already as it may have."""
        if len(self._lines) < MAX_ROWS_PER_DAY:
            self._lines.append(digest_of(decision).as_line())
            self._last_ms = decision.timestamp_ms
        else:
            self._omitted_before_ms = self._last_ms

    def packed(self, damaged: int) -> tuple[bytes, DayDigest]:
        """The object of the day, and what the manifest says of it."""
        packed = pack(self._lines)
        return packed.body, DayDigest(packed.version, len(self._lines), self._omitted_before_ms, damaged)


class DigestWriter:
    """Writes the digests of an agent's days in one nightly job."""

    def __init__(self, agent_id: str, blobs: BlobStore) -> None:
        self._agent_id = agent_id
        self._blobs = blobs
        self._stored = self._read()[0]
        self._written: dict[date, DayDigest] = {}

    def missing(self, days: Iterable[date], archive: ArchiveStore | None, last: date) -> set[date]:
        """Those of some days, and of the archived ones up to `last`, that need a digest and have not expired.

        A digest that lacks damaged decisions is made again: they may have been restored.
        """
        archived = archive.days(self._agent_id) if archive is not None else []
        intact = {day for day, one in self._stored.days.items() if not one.damaged}
        oldest = _oldest(last)
        return {one for one in (*days, *archived) if oldest <= one <= last} - intact

    def has(self, day: date) -> bool:
        """Whether a day had a digest before this job."""
        return day in self._stored.days

    def put(self, day: date, rows: RowsOfDay, damaged: int) -> None:
        """Write the digest of a day, unless the same is stored."""
        body, digest = rows.packed(damaged)
        stored = self._stored.days.get(day)
        if digest.rows and (stored is None or stored.version != digest.version):
            self._blobs.write(digest_key(self._agent_id, day), body)
        elif not digest.rows and stored is not None and stored.rows:
            self._blobs.delete(digest_key(self._agent_id, day))
        if stored != digest:
            self._written[day] = digest
        if len(self._written) == _DAYS_PER_MANIFEST:
            self._put_manifest(self._written)
            self._written = {}

    def finish(self, last: date, waiting: Iterable[date]) -> None:
        """Record how far the job has come, and remove the digests of expired days."""
        expired = [day for day in self._stored.days if day < _oldest(last)]
        self._put_manifest(self._written, expired=expired, last=last, waiting=frozenset(waiting))
        # Objects after the manifest: it names none that is gone.
        for day in expired:
            self._blobs.delete(digest_key(self._agent_id, day))

    def _put_manifest(
        self,
        written: Mapping[date, DayDigest],
        *,
        expired: Iterable[date] = (),
        last: date | None = None,
        waiting: frozenset[date] | None = None,
    ) -> None:
        def change() -> None:
            stored, tag = self._read()
            days = {day: one for day, one in {**stored.days, **written}.items() if day not in expired}
            changed = replace(stored, days=dict(sorted(days.items())))
            if last is not None and waiting is not None:
                through = max(last, stored.through or last)
                later = {one for one in stored.waiting if one > last}
                changed = replace(changed, through=through, waiting=(waiting | later) - days.keys())
            if changed != stored and (changed.days or changed.waiting or tag is not None):
                self._blobs.replace(digest_manifest_key(self._agent_id), changed.as_body(), tag=tag)

        retry_conflicts(change)

    def _read(self) -> tuple[DigestManifest, str | None]:
        """The manifest and its tag; an empty one if there is none, or if it is damaged: then all days are due."""
        name = digest_manifest_key(self._agent_id)
        stored = self._blobs.read_tagged(name)
        if stored is None:
            return DigestManifest(), None
        try:
            return DigestManifest.from_body(name, stored.body), stored.tag
        except Damaged:
            return DigestManifest(), stored.tag


def _oldest(last: date) -> date:
    """The oldest day that has not expired."""
    return last - timedelta(days=EXPIRE_AFTER_DAYS)
