"""Keeps an index of the digests of each agent's decisions, and brings it up to date by their manifest.

first recall       the manifest and the newest days   up to 20,000 rows; each later recall reads as many more
later recalls      nothing
after ten minutes  the manifest                       and the days whose version is another now

The index has the newest 100,000 rows, whatever the filters: they are applied when entries are ranked.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.errors import AccessDenied, Damaged, Unavailable
from agent_memory.core.keys import digest_key, digest_manifest_key
from agent_memory.memory.recall_indexes import KeptIndex, indexes_of
from agent_memory.memory.recalled_entries import digest_entry
from agent_memory.model.digests import DigestManifest, DigestRow, unpack
from agent_memory.ports.blobs import BlobStore
from agent_memory.ports.stores import Stores

MAX_ROWS = 100_000
"""Of an agent, the newest ones."""
MAX_ROWS_PER_RECALL = 20_000
"""Of those that a recall adds to the index."""
_MAX_AGE_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Digests:
    """The digests of an agent that one recall can rank.

    Attributes:
        agent_id: the agent.
        kept: their index.
        manifest: which days have digests.
        indexed: the days that are in the index.
        unreadable: days whose digests cannot be read, and why.
        outage: why the manifest or days that are missing in the index could not be read now.
    """

    agent_id: str
    kept: KeptIndex
    manifest: DigestManifest
    indexed: frozenset[date]
    unreadable: Mapping[date, Damaged]
    outage: Unavailable | None


@dataclass(slots=True)
class _State:
    """What is in the index, by day: the versions by which it may be named, and the ids of its entries."""

    manifest: DigestManifest = field(default_factory=DigestManifest)
    read_at: float | None = None
    versions: dict[date, frozenset[str]] = field(default_factory=dict)
    ids: dict[date, frozenset[str]] = field(default_factory=dict)
    unreadable: dict[date, Damaged] = field(default_factory=dict)

    def is_current(self) -> bool:
        return self.read_at is not None and 0 <= time.monotonic() - self.read_at < _MAX_AGE_SECONDS

    def has(self, day: date) -> bool:
        return self.manifest.days[day].version in self.versions.get(day, ())


def current_digests(agent_id: str, stores: Stores, *, fresh: bool = False) -> Digests | None:
    """The digests of an agent, up to date; None without a bucket. With `fresh`, the manifest is read again."""
    if stores.blobs is None:
        return None
    kept = indexes_of(stores.decisions).of(agent_id, "digests")
    outage = None
    with kept.lock:
        if kept.state is None:
            kept.state = _State()
        state: _State = kept.state
        try:
            if fresh or not state.is_current():
                _read_manifest(kept, state, agent_id, stores.blobs)
            outage = _read_days(kept, state, agent_id, stores.blobs)
        except Damaged as error:
            return Digests(agent_id, KeptIndex(), DigestManifest(), frozenset(), {}, error)
        except Unavailable as error:
            outage = error
        indexed = frozenset([day for day in state.ids if day in state.manifest.days])
        return Digests(agent_id, kept, state.manifest, indexed, dict(state.unreadable), outage)


def _read_manifest(kept: KeptIndex, state: _State, agent_id: str, blobs: BlobStore) -> None:
    """Read which days have digests, and remove those that are no longer to be in the index."""
    name, read_at = digest_manifest_key(agent_id), time.monotonic()
    body = _read_if_listed(name, blobs)
    state.manifest = DigestManifest() if body is None else DigestManifest.from_body(name, body)
    state.read_at, state.unreadable = read_at, {}
    for day in state.ids.keys() - set(_newest(state.manifest)):
        _discard(kept, state.ids.pop(day))
        del state.versions[day]


def _read_if_listed(name: str, blobs: BlobStore) -> bytes | None:
    """An object, or None if there is none: S3 denies its read to who may list only the keys of one agent."""
    try:
        return blobs.read(name)
    except AccessDenied:
        if blobs.list_keys(name):
            raise
        return None


def _read_days(kept: KeptIndex, state: _State, agent_id: str, blobs: BlobStore) -> Unavailable | None:
    """Index the newest days that are not indexed yet, up to a number of rows; returns why some could not be read."""
    if not state.manifest.days:
        return None
    due = [one for one in _newest(state.manifest) if one not in state.unreadable and not state.has(one)]
    now = list(_up_to(MAX_ROWS_PER_RECALL, due, state.manifest))
    outage = None
    for day, found in zip(now, map_concurrently(lambda one: _read_day(agent_id, one, blobs), now), strict=True):
        if isinstance(found, Damaged):
            state.unreadable[day] = found
        elif isinstance(found, Unavailable):
            outage = found
        else:
            rows, version = found
            kept.index.put(map(digest_entry, rows))
            ids = frozenset([one.decision_id for one in rows])
            _discard(kept, state.ids.get(day, frozenset()) - ids)
            state.ids[day] = ids
            # The object may have been replaced since the manifest was written.
            state.versions[day] = frozenset([version, state.manifest.days[day].version])
    return outage


def _read_day(agent_id: str, day: date, blobs: BlobStore) -> tuple[list[DigestRow], str] | Unavailable:
    """The rows of a day and their version, or why they cannot be read."""
    name = digest_key(agent_id, day)
    try:
        body = blobs.read(name)
        return Damaged(f"{name} is missing") if body is None else unpack(name, body)
    except Unavailable as error:
        return error


def _newest(manifest: DigestManifest) -> Sequence[date]:
    """The days that are to be in the index, newest first."""
    days = sorted([day for day, one in manifest.days.items() if one.rows], reverse=True)
    return list(_up_to(MAX_ROWS, days, manifest))


def _up_to(rows: int, days: Iterable[date], manifest: DigestManifest) -> Iterator[date]:
    """The first of some days, up to a total number of rows, and one day at least."""
    total = 0
    for day in days:
        total += manifest.days[day].rows
        if total > rows and total > manifest.days[day].rows:
            return
        yield day


def _discard(kept: KeptIndex, ids: Iterable[str]) -> None:
    for one in ids:
        kept.index.discard(one)
