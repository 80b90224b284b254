"""Checks an agent's archive against its seals: every row, every day, every link of its chain, from the data itself.

The chain is followed from its head in the table backwards, so that each manifest is vouched for by the one after it.
`model.seals` says what is hashed, and decision record 0021 what this cannot detect.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from agent_memory.archive.day_verification import Fault, FindingKind, day_faults
from agent_memory.core.clock import DAY_MS, parse_instant
from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.ids import check_agent_id
from agent_memory.core.keys import ARCHIVE_CHAIN
from agent_memory.core.retention import EXPIRE_AFTER_DAYS
from agent_memory.model.seals import Chain, Link, Manifest
from agent_memory.ports.archive import ArchivedObject, ArchiveStore
from agent_memory.ports.states import StateStore

# A night writes for minutes; what is found while it does is looked at again.
_ATTEMPTS = 3

Found = tuple[date | None, Fault]
"""A fault and the day that it is of, where that can be told."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was sealed. `day` and `decision_id` are None where that cannot be told."""

    kind: FindingKind
    agent_id: str
    day: date | None
    decision_id: str | None
    message: str

    def as_dict(self) -> dict[str, Any]:
        """The finding as JSON."""
        return {
            "kind": str(self.kind),
            "agent_id": self.agent_id,
            "day": self.day.isoformat() if self.day else None,
            "decision_id": self.decision_id,
            "message": self.message,
        }


@dataclass(frozen=True, slots=True)
class Verification:
    """What was checked: days, their decisions and manifests, and what was found.

    `head` is the hash of the chain's last manifest, None before the first. Who notes it elsewhere can tell later that
    none of what it stands for was replaced as a whole.
    """

    agent_id: str
    days: int
    decisions: int
    manifests: int
    head: str | None
    findings: tuple[Finding, ...]

    @property
    def is_clean(self) -> bool:
        """Whether everything is as it was sealed."""
        return not self.findings

    def as_dict(self) -> dict[str, Any]:
        """The verification as JSON."""
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
    """Check an agent's archive: the chain whole, and the files of days from `first` to `last`, both included.

    Args:
        agent_id: whose archive.
        states: hold the head of the chain.
        archive: what is checked.
        now_ms: the time, which tells what may have expired.
        first: the first day whose file is read; None for all from the beginning on.
        last: the last such day; None for all to the end.

    Raises:
        Unavailable: a store did not answer, so that nothing can be said.
    """
    check_agent_id(agent_id)
    looked, found = _looked(
        partial(_Look, agent_id, states, archive, now_ms), states, first or date.min, last or date.max
    )
    findings = tuple(Finding(what.kind, agent_id, day, what.decision_id, what.message) for day, what in found)
    head = looked.head.hash if looked.head else None
    return Verification(agent_id, looked.days, looked.decisions, len(looked.vouched), head, findings)


def _looked(look: "Callable[[], _Look]", states: StateStore, first: date, last: date) -> "tuple[_Look, list[Found]]":
    """Look at the archive, and again where a night was at work meanwhile."""
    for _ in range(_ATTEMPTS):
        one = look()
        faults = [*one.chain_faults(), *one.file_faults(first, last)]
        if not faults or one.state == states.get(one.agent_id, ARCHIVE_CHAIN):
            break
    return one, faults


class _Look:
    """One look at an agent's archive."""

    def __init__(self, agent_id: str, states: StateStore, archive: ArchiveStore, now_ms: int) -> None:
        self.agent_id = agent_id
        self._archive = archive
        self._now_ms = now_ms
        self.state = states.get(agent_id, ARCHIVE_CHAIN)
        self._objects = archive.objects(agent_id)
        self.head: Link | None = None
        self.vouched: dict[tuple[date, int], Manifest] = {}
        self.days = self.decisions = 0

    # --- the chain -----------------------------------------------------------------------------

    def chain_faults(self) -> Iterator[Found]:
        """Follow the chain from its head backwards, and gather the manifests that it vouches for."""
        try:
            chain = Chain.of(self.state)
        except ValueError as error:
            chain = Chain()
            yield None, Fault(FindingKind.BROKEN_LINK, f"the head of the chain in the table is not usable: {error}")
        self.head = chain.head
        manifests: dict[tuple[date, int], Manifest] = {}
        for one, manifest in self._manifests():
            if isinstance(manifest, Manifest) and one.day is not None and one.revision is not None:
                manifests[one.day, one.revision] = manifest
            else:
                yield one.day, Fault(FindingKind.CHANGED, f"{one.key} is no manifest")
        yield from self._followed(chain.head, manifests)
        yield from self._pending(chain, manifests)
        for day, revision in sorted(manifests.keys() - self.vouched.keys()):
            yield day, Fault(FindingKind.ADDED, f"the manifest of revision {revision} is no part of the chain")

    def _manifests(self) -> Iterable[tuple[ArchivedObject, Manifest | None]]:
        objects = [one for one in self._objects if one.revision is not None]
        return zip(objects, map_concurrently(self._manifest, objects), strict=True)

    def _manifest(self, one: ArchivedObject) -> Manifest | None:
        """The manifest that an object is, where it is one and under its own name."""
        try:
            manifest = Manifest.from_body(self._archive.manifest_body(one) or b"")
        except (ValueError, TypeError):
            return None
        named = (self.agent_id, one.day, one.revision)
        said = (manifest.agent_id, manifest.day, manifest.revision)
        return manifest if said == named else None

    def _followed(self, link: Link | None, manifests: Mapping[tuple[date, int], Manifest]) -> Iterator[Found]:
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
            if (link.day, link.revision) in self.vouched:
                yield link.day, Fault(FindingKind.BROKEN_LINK, "the chain comes back to a manifest that it has left")
                return
            self.vouched[link.day, link.revision] = manifest
            if manifest.previous is None and link.sequence > 1:
                yield link.day, Fault(FindingKind.BROKEN_LINK, f"the chain ends at number {link.sequence}")
            link = manifest.previous

    def _has_expired(self, archived_at: str) -> bool:
        return parse_instant(archived_at) + EXPIRE_AFTER_DAYS * DAY_MS <= self._now_ms

    def _pending(self, chain: Chain, manifests: dict[tuple[date, int], Manifest]) -> Iterator[Found]:
        """A writing that was cut short is told as such: the next night completes it."""
        pending = chain.pending
        if pending is None:
            return
        yield pending.day, Fault(FindingKind.UNFINISHED, "a night is writing this day or was cut short; run it again")
        if manifests.get((pending.day, pending.revision)) == pending:
            del manifests[pending.day, pending.revision]

    # --- the files of days ---------------------------------------------------------------------

    def file_faults(self, first: date, last: date) -> Iterator[Found]:
        """Check the files of days against the last manifests that are vouched for, and look for what is not."""
        sealed: dict[date, Manifest] = {}
        for (day, _), manifest in sorted(self.vouched.items()):
            sealed[day] = manifest
        for one in self._objects:
            if one.day is None:
                yield None, Fault(FindingKind.ADDED, f"{one.key} is no object of the archive")
            elif one.is_file and one.day not in sealed:
                yield one.day, Fault(FindingKind.MISSING_MANIFEST, "no manifest in the chain is of this day's file")
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


def _missing(link: Link, next_found: Manifest | None) -> Iterator[Found]:
    place = f"revision {link.revision}, number {link.sequence} of the chain,"
    yield link.day, Fault(FindingKind.MISSING_MANIFEST, f"the manifest of {place} is not there")
    first = next_found.sequence + 1 if next_found else 1
    if first < link.sequence:
        numbers = f"numbers {first} to {link.sequence - 1}"
        yield None, Fault(FindingKind.MISSING_MANIFEST, f"the manifests before it, {numbers}, are not there")
