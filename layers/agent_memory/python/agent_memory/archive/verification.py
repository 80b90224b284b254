"""Verifies an agent's archive against its seals: every row, every day and every link of its chain.

The chain is followed backwards from its head in the table, so that each manifest is confirmed by the hash in the one
after it. `model.seals` describes the hashes, decision record 0021 what this cannot detect.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from agent_memory.archive.day_verification import Fault, FindingKind, day_faults
from agent_memory.core.clock import DAY_MS, parse_instant
from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.ids import check_agent_id
from agent_memory.core.keys import ARCHIVE_CHAIN
from agent_memory.core.retention import EXPIRE_AFTER_DAYS
from agent_memory.model.seals import Chain, Manifest, ManifestLink
from agent_memory.ports.archive import ArchivedObject, ArchiveStore
from agent_memory.ports.states import StateStore

# A nightly job writes for minutes; findings that it may have caused are checked again.
_ATTEMPTS = 3

DatedFault = tuple[date | None, Fault]
"""A fault and its day, None if that is unknown."""

Revision = tuple[date, int]
"""A day and the number of a revision of it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference between the archive and its seals. `day` and `decision_id` are None if unknown."""

    kind: FindingKind
    agent_id: str
    day: date | None
    decision_id: str | None
    message: str

    def as_dict(self) -> dict[str, Any]:
        """The finding as a JSON object."""
        return {
            "kind": str(self.kind),
            "agent_id": self.agent_id,
            "day": self.day.isoformat() if self.day else None,
            "decision_id": self.decision_id,
            "message": self.message,
        }


@dataclass(frozen=True, slots=True)
class Verification:
    """The numbers of checked days, decisions and manifests, and the findings.

    `head` is the hash of the chain's last manifest, None before the first. A copy of it that is stored elsewhere shows
    later whether the archive and the table were replaced together.
    """

    agent_id: str
    days: int
    decisions: int
    manifests: int
    head: str | None
    findings: tuple[Finding, ...]

    @property
    def is_clean(self) -> bool:
        """Whether the archive matches its seals."""
        return not self.findings

    def as_dict(self) -> dict[str, Any]:
        """The verification as a JSON object."""
        return {
            "agent_id": self.agent_id,
            "clean": self.is_clean,
            "days": self.days,
            "decisions": self.decisions,
            "manifests": self.manifests,
            "head": self.head,
            "findings": [one.as_dict() for one in self.findings],
        }


def verify_archive(
    agent_id: str,
    *,
    states: StateStore,
    archive: ArchiveStore,
    now_ms: int,
    first: date | None = None,
    last: date | None = None,
) -> Verification:
    """Verify an agent's archive: the entire chain, and the files of the days from `first` to `last`, both included.

    Args:
        agent_id: the agent whose archive is verified.
        states: the store of the chain's head.
        archive: the archive.
        now_ms: the current time, which determines what may have expired.
        first: the first day whose file is verified; None for the oldest.
        last: the last day whose file is verified; None for the newest.

    Raises:
        Unavailable: a store did not respond; there is no partial result.
    """
    check_agent_id(agent_id)
    for _ in range(_ATTEMPTS):
        attempt = _Attempt(agent_id, states, archive, now_ms)
        faults = [*attempt.chain_faults(), *attempt.file_faults(first or date.min, last or date.max)]
        if not faults or attempt.state == states.get(agent_id, ARCHIVE_CHAIN):
            break
    findings = tuple(Finding(one.kind, agent_id, day, one.decision_id, one.message) for day, one in faults)
    head = attempt.head.hash if attempt.head else None
    return Verification(agent_id, attempt.days, attempt.decisions, len(attempt.confirmed), head, findings)


class _Attempt:
    """One attempt to verify an agent's archive; its result counts unless the chain changes in the meantime."""

    def __init__(self, agent_id: str, states: StateStore, archive: ArchiveStore, now_ms: int) -> None:
        self.agent_id = agent_id
        self._archive = archive
        self._now_ms = now_ms
        self.state = states.get(agent_id, ARCHIVE_CHAIN)
        self._objects = archive.objects(agent_id)
        self.head: ManifestLink | None = None
        self.confirmed: dict[Revision, Manifest] = {}
        self.days = self.decisions = 0

    # --- the chain -----------------------------------------------------------------------------

    def chain_faults(self) -> Iterator[DatedFault]:
        """Follow the chain backwards from its head, and collect the manifests that it confirms."""
        try:
            chain = Chain.from_state(self.state)
        except ValueError as error:
            chain = Chain()
            yield None, Fault(FindingKind.BROKEN_LINK, f"the head of the chain in the table is invalid: {error}")
        self.head = chain.head
        manifests: dict[Revision, Manifest] = {}
        for one, manifest in self._manifests():
            if isinstance(manifest, Manifest) and one.day is not None and one.revision is not None:
                manifests[one.day, one.revision] = manifest
            else:
                yield one.day, Fault(FindingKind.CHANGED, f"{one.key} is not a valid manifest")
        yield from self._follow(chain.head, manifests)
        yield from self._check_pending(chain, manifests)
        for day, revision in sorted(manifests.keys() - self.confirmed.keys()):
            yield day, Fault(FindingKind.ADDED, f"the manifest of revision {revision} is not part of the chain")

    def _manifests(self) -> Iterable[tuple[ArchivedObject, Manifest | None]]:
        objects = [one for one in self._objects if one.revision is not None]
        return zip(objects, map_concurrently(self._manifest, objects), strict=True)

    def _manifest(self, one: ArchivedObject) -> Manifest | None:
        """The manifest in an object; None if it is not a manifest, or not the one that its key names."""
        try:
            manifest = Manifest.from_body(self._archive.manifest_body(one) or b"")
        except (ValueError, TypeError):
            return None
        has_its_key = (manifest.agent_id, manifest.day, manifest.revision) == (self.agent_id, one.day, one.revision)
        return manifest if has_its_key else None

    def _follow(self, link: ManifestLink | None, manifests: Mapping[Revision, Manifest]) -> Iterator[DatedFault]:
        while link is not None:
            manifest = manifests.get((link.day, link.revision))
            if manifest is None:
                before = [one for one in manifests.values() if one.sequence < link.sequence]
                newest = max(before, key=lambda one: one.sequence, default=None)
                if not self._has_expired(link.archived_at):
                    yield from _missing(link, newest)
                link = newest.link() if newest else None
                continue
            if manifest.link() != link:
                message = f"the manifest of revision {link.revision} is not the one that was sealed"
                yield link.day, Fault(FindingKind.BROKEN_LINK, message)
            if (link.day, link.revision) in self.confirmed:
                yield link.day, Fault(FindingKind.BROKEN_LINK, "the chain returns to an earlier manifest")
                return
            self.confirmed[link.day, link.revision] = manifest
            if manifest.previous is None and link.sequence > 1:
                yield link.day, Fault(FindingKind.BROKEN_LINK, f"the chain ends at number {link.sequence}")
            link = manifest.previous

    def _has_expired(self, archived_at: str) -> bool:
        return parse_instant(archived_at) + EXPIRE_AFTER_DAYS * DAY_MS <= self._now_ms

    def _check_pending(self, chain: Chain, manifests: dict[Revision, Manifest]) -> Iterator[DatedFault]:
        """Report an unfinished write as such, and not as an added manifest: the next nightly job completes it."""
        pending = chain.pending
        if pending is None:
            return
        message = "a nightly job is writing this day or was interrupted; run it again"
        yield pending.day, Fault(FindingKind.UNFINISHED, message)
        if manifests.get((pending.day, pending.revision)) == pending:
            del manifests[pending.day, pending.revision]

    # --- the files of days ---------------------------------------------------------------------

    def file_faults(self, first: date, last: date) -> Iterator[DatedFault]:
        """Check the files of days against the last confirmed manifests; report objects that have none."""
        sealed: dict[date, Manifest] = {}
        for (day, _), manifest in sorted(self.confirmed.items()):
            sealed[day] = manifest
        for one in self._objects:
            if one.day is None:
                yield None, Fault(FindingKind.ADDED, f"{one.key} is not an object of the archive")
            elif one.is_file and one.day not in sealed:
                yield one.day, Fault(FindingKind.MISSING_MANIFEST, "the chain has no manifest of this day's file")
        for day, manifest in sealed.items():
            if first <= day <= last:
                yield from ((day, fault) for fault in self._day_faults(day, manifest))

    def _day_faults(self, day: date, manifest: Manifest) -> Iterator[Fault]:
        file = self._archive.file(self.agent_id, day)
        if file is None and self._has_expired(manifest.archived_at):
            return
        self.days += 1
        self.decisions += len(file.rows or ()) if file else 0
        yield from day_faults(file, manifest)


def _missing(link: ManifestLink, newest_before: Manifest | None) -> Iterator[DatedFault]:
    message = f"the manifest of revision {link.revision}, number {link.sequence} of the chain, is missing"
    yield link.day, Fault(FindingKind.MISSING_MANIFEST, message)
    first = newest_before.sequence + 1 if newest_before else 1
    if first < link.sequence:
        message = f"the manifests before it, numbers {first} to {link.sequence - 1}, are missing"
        yield None, Fault(FindingKind.MISSING_MANIFEST, message)
