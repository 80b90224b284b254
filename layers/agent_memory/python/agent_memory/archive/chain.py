"""Follows an agent's chain of seals backwards from its head, so that each manifest is confirmed by the one after it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from agent_memory.archive.day_verification import Fault, FindingKind
from agent_memory.core.clock import DAY_MS, parse_instant
from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.retention import EXPIRE_AFTER_DAYS
from agent_memory.model.seals import Chain, Manifest, ManifestLink
from agent_memory.ports.archive import ArchivedObject, ArchiveStore

DatedFault = tuple[date | None, Fault]
"""A fault and its day, None if that is unknown."""

Revision = tuple[date, int]
"""A day and the number of a revision of it."""


@dataclass(slots=True)
class ChainReading:
    """What was found when a chain was followed.

    Attributes:
        confirmed: the manifests that the chain has, by day and revision; those behind a gap only by their numbers.
        proven: those of them that hashes connect with the head without a gap.
        unconfirmed: valid manifests that the chain does not have.
        faults: what is wrong with the chain and its manifests.
        is_intact: whether the chain could be followed to its beginning, or to manifests that have expired.
    """

    confirmed: dict[Revision, Manifest] = field(default_factory=dict)
    proven: dict[Revision, Manifest] = field(default_factory=dict)
    unconfirmed: dict[Revision, Manifest] = field(default_factory=dict)
    faults: list[DatedFault] = field(default_factory=list)
    is_intact: bool = True

    def add(self, day: date | None, kind: FindingKind, message: str) -> None:
        """Add a fault."""
        self.faults.append((day, Fault(kind, message)))


def newest_revisions(manifests: Mapping[Revision, Manifest]) -> dict[date, Manifest]:
    """The manifest of the last revision of each day, oldest day first."""
    return {day: manifests[day, revision] for day, revision in sorted(manifests)}


def has_expired(archived_at: str, now_ms: int) -> bool:
    """Whether the lifecycle rule may have deleted what was archived at this time."""
    return parse_instant(archived_at) + EXPIRE_AFTER_DAYS * DAY_MS <= now_ms


def read_chain(
    agent_id: str, chain: Chain, objects: Sequence[ArchivedObject], archive: ArchiveStore, now_ms: int
) -> ChainReading:
    """Read all manifests among these objects, and follow the chain through them.

    The object of the last manifest may not be written yet; it is then the one that is pending.

    A manifest that is missing or was replaced is a fault. Following then continues with the newest manifest before it,
    which nothing confirms any more, so that `is_intact` is False.
    """
    reading = ChainReading()
    manifests: dict[Revision, Manifest] = {}
    for one, manifest in _manifests(agent_id, objects, archive):
        if manifest is not None and one.day is not None and one.revision is not None:
            manifests[one.day, one.revision] = manifest
        else:
            reading.add(one.day, FindingKind.CHANGED, f"{one.key} is not a valid manifest")
    if chain.pending is not None and chain.pending.link() == chain.head:
        manifests.setdefault((chain.pending.day, chain.pending.revision), chain.pending)
    _follow(reading, chain.head, manifests, now_ms)
    reading.unconfirmed = {key: one for key, one in manifests.items() if key not in reading.confirmed}
    return reading


def _follow(
    reading: ChainReading, link: ManifestLink | None, manifests: Mapping[Revision, Manifest], now_ms: int
) -> None:
    is_proven = True
    while link is not None:
        manifest = manifests.get((link.day, link.revision))
        if manifest is None:
            is_proven = False
            before = [one for one in manifests.values() if one.sequence < link.sequence]
            newest = max(before, key=lambda one: one.sequence, default=None)
            if not has_expired(link.archived_at, now_ms):
                reading.is_intact = False
                _add_missing(reading, link, newest)
            link = newest.link() if newest else None
            continue
        if manifest.link() != link:
            reading.is_intact = is_proven = False
            message = f"the manifest of revision {link.revision} is not the one that was sealed"
            reading.add(link.day, FindingKind.BROKEN_LINK, message)
        if (link.day, link.revision) in reading.confirmed:
            reading.is_intact = False
            reading.add(link.day, FindingKind.BROKEN_LINK, "the chain returns to an earlier manifest")
            return
        reading.confirmed[link.day, link.revision] = manifest
        if is_proven:
            reading.proven[link.day, link.revision] = manifest
        if manifest.previous is None and link.sequence > 1:
            reading.is_intact = False
            reading.add(link.day, FindingKind.BROKEN_LINK, f"the chain ends at number {link.sequence}")
        link = manifest.previous


def _add_missing(reading: ChainReading, link: ManifestLink, newest_before: Manifest | None) -> None:
    message = f"the manifest of revision {link.revision}, number {link.sequence} of the chain, is missing"
    reading.add(link.day, FindingKind.MISSING_MANIFEST, message)
    first = newest_before.sequence + 1 if newest_before else 1
    if first < link.sequence:
        message = f"the manifests before it, numbers {first} to {link.sequence - 1}, are missing"
        reading.add(None, FindingKind.MISSING_MANIFEST, message)


def _manifests(
    agent_id: str, objects: Sequence[ArchivedObject], archive: ArchiveStore
) -> Iterator[tuple[ArchivedObject, Manifest | None]]:
    manifests = [one for one in objects if one.revision is not None]
    yield from zip(manifests, map_concurrently(lambda one: _manifest(agent_id, one, archive), manifests), strict=True)


def _manifest(agent_id: str, one: ArchivedObject, archive: ArchiveStore) -> Manifest | None:
    """The manifest in an object; None if it is not a manifest, or not the one that its key names."""
    try:
        manifest = Manifest.from_body(archive.manifest_body(one) or b"")
    except (ValueError, TypeError):
        return None
    return (
        manifest if (manifest.agent_id, manifest.day, manifest.revision) == (agent_id, one.day, one.revision) else None
    )
