"""Verifies an agent's archive against its seals: every row, every day and every link of its chain.

`archive.chain` follows the chain, `archive.table_verification` compares the table with what was sealed. `model.seals`
describes the hashes, docs/security.md what cannot be detected.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from agent_memory.archive.anchors import Anchors
from agent_memory.archive.chain import ChainReading, DatedFault, has_expired, newest_revisions, read_chain
from agent_memory.archive.day_verification import Fault, FindingKind, day_faults
from agent_memory.archive.rewrites import rewrite_requests
from agent_memory.archive.table_verification import TableVerification
from agent_memory.core.clock import date_of, parse_date, parse_instant
from agent_memory.core.errors import InvalidInput, NotFound
from agent_memory.core.ids import check_agent_id
from agent_memory.core.keys import ARCHIVE_CHAIN, ARCHIVE_PROGRESS
from agent_memory.model.listings import skip_damaged
from agent_memory.model.seals import Chain, Manifest, ManifestLink
from agent_memory.ports.archive import ArchiveStore
from agent_memory.ports.decisions import DecisionStore
from agent_memory.ports.states import StateStore
from agent_memory.ports.stores import Stores

# A nightly job writes for minutes; findings that it may have caused are checked again.
_ATTEMPTS = 3
_HASH = re.compile(r"[0-9a-f]{64}")
_UNFINISHED = Fault(FindingKind.UNFINISHED, "a nightly job is writing this day or was interrupted; run it again")


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
class NotCovered:
    """What a verification says nothing about. Numbers are None if the table was not read.

    Attributes:
        unsealed_days: days with decisions that are not sealed yet.
        unsealed_decisions: decisions that are in the table only, of these days or logged late.
        days_without_seal: days between the first and the last sealed one that have no seal, as they had no decisions.
        requested_days: archived days that wait to be written again.
    """

    unsealed_days: int | None = None
    unsealed_decisions: int | None = None
    days_without_seal: int = 0
    requested_days: int = 0

    def as_dict(self) -> dict[str, int | None]:
        """The numbers as a JSON object."""
        return {
            "unsealed_days": self.unsealed_days,
            "unsealed_decisions": self.unsealed_decisions,
            "days_without_seal": self.days_without_seal,
            "requested_days": self.requested_days,
        }


@dataclass(frozen=True, slots=True)
class Verification:
    """The numbers of checked days, decisions and manifests, the findings, and what was not covered.

    `head` is the hash of the chain's last manifest, None before the first. A copy of it that is stored elsewhere shows
    later whether the archive and the table were replaced together; `anchored` is how many such copies were compared,
    None if none were to be.
    """

    agent_id: str
    days: int
    decisions: int
    manifests: int
    head: str | None
    findings: tuple[Finding, ...]
    not_covered: NotCovered = NotCovered()
    anchored: int | None = None

    @property
    def status(self) -> str:
        """`changed` if there are findings, `nothing_checked` without any day, else `unchanged`."""
        if self.findings:
            return "changed"
        return "unchanged" if self.days else "nothing_checked"

    @property
    def is_clean(self) -> bool:
        """Whether something was checked, and it matches its seals."""
        return self.status == "unchanged"

    def as_dict(self) -> dict[str, Any]:
        """The verification as a JSON object."""
        return {
            "agent_id": self.agent_id,
            "status": self.status,
            "clean": self.is_clean,
            **{name: getattr(self, name) for name in ("days", "decisions", "manifests", "head", "anchored")},
            "not_covered": self.not_covered.as_dict(),
            "findings": [one.as_dict() for one in self.findings],
        }


def verification_of(
    agent: str,
    stores: Stores,
    *,
    first: date | None = None,
    last: date | None = None,
    since: date | None = None,
    head: str | None = None,
    on_day: Callable[[date], None] | None = None,
) -> Verification:
    """The verification of an agent's archive in stores that have a bucket; see `verify_archive`."""
    return verify_archive(
        agent,
        states=stores.states,
        archive=stores.bucket().archive,
        decisions=stores.decisions,
        now_ms=stores.clock.now_ms(),
        first=first,
        last=last,
        since=since,
        head=head,
        anchored=Anchors(stores.anchors).heads(agent) if stores.anchors else None,
        on_day=on_day,
    )


def verify_archive(
    agent_id: str,
    *,
    states: StateStore,
    archive: ArchiveStore,
    now_ms: int,
    first: date | None = None,
    last: date | None = None,
    since: date | None = None,
    head: str | None = None,
    decisions: DecisionStore | None = None,
    anchored: Sequence[ManifestLink] | None = None,
    on_day: Callable[[date], None] | None = None,
) -> Verification:
    """Verify an agent's archive: the entire chain, and the files of the days from `first` to `last`, both included.

    Args:
        agent_id: the agent whose archive is verified.
        states: the store of the chain's head.
        archive: the archive.
        now_ms: the current time, which determines what may have expired.
        first: the first day whose file is verified; None for the oldest.
        last: the last day whose file is verified; None for the newest.
        since: only files that were sealed on this day or later are verified; None for all.
        head: a head of the chain that was noted earlier, which the chain must still contain.
        decisions: the table; None if it is not compared with what was sealed.
        anchored: ends of the chain that were stored beyond the account's reach, which the chain must still contain.
        on_day: is called with each day whose file was verified, to show how far the verification has come.

    Raises:
        InvalidInput: names the argument. NotFound: there is no such agent.
        Unavailable: a store did not respond; there is no partial result.
    """
    check_agent_id(agent_id)
    if head is not None and not _HASH.fullmatch(head):
        raise InvalidInput("head", f"{head!r:.80} is not a head; it has 64 hexadecimal digits, as `verify` prints it")
    for _ in range(_ATTEMPTS):
        attempt = _Attempt(agent_id, now_ms, states, archive, on_day)
        attempt.check_exists(anchored or ())
        faults = [
            *attempt.chain_faults(head, anchored or ()),
            *attempt.file_faults(first or date.min, last or date.max, since or date.min),
            *(attempt.table_faults(decisions) if decisions else ()),
        ]
        if not faults or attempt.state == states.get(agent_id, ARCHIVE_CHAIN):
            break
    findings = tuple(Finding(one.kind, agent_id, day, one.decision_id, one.message) for day, one in faults)
    return Verification(
        agent_id,
        attempt.days,
        attempt.decisions,
        len(attempt.reading.confirmed),
        attempt.chain.head.hash if attempt.chain.head else None,
        findings,
        attempt.not_covered(),
        None if anchored is None else len(anchored),
    )


class _Attempt:
    """One attempt to verify an agent's archive; its result counts unless the chain changes in the meantime."""

    def __init__(
        self,
        agent_id: str,
        now_ms: int,
        states: StateStore,
        archive: ArchiveStore,
        on_day: Callable[[date], None] | None,
    ) -> None:
        self.agent_id = agent_id
        self._on_day = on_day
        self._states = states
        self._archive = archive
        self._now_ms = now_ms
        self.state = states.get(agent_id, ARCHIVE_CHAIN)
        self._requested = {one.day for one in rewrite_requests(states, agent_id)}
        self._objects = archive.objects(agent_id)
        self.chain = Chain()
        self.reading = ChainReading()
        self._sealed: dict[date, Manifest] = {}
        self._checked: list[date] = []
        self.days = self.decisions = 0
        self._table: TableVerification | None = None

    def check_exists(self, anchored: Sequence[ManifestLink]) -> None:
        """Raise `NotFound` for an agent that has neither objects nor states, a registration or anchors."""
        registered = self._states.registration(self.agent_id).decision_types
        if anchored or self._objects or registered:
            return
        if not self._states.list_by_prefix(self.agent_id, "", on_unreadable=skip_damaged):
            raise NotFound(f"there is no agent {self.agent_id}: it has no registration and no archive")

    # --- the chain -----------------------------------------------------------------------------

    def chain_faults(self, noted_head: str | None, anchored: Sequence[ManifestLink]) -> Iterator[DatedFault]:
        """Follow the chain backwards from its head, and collect the manifests that it confirms."""
        try:
            self.chain = Chain.from_state(self.state)
        except ValueError as error:
            yield None, Fault(FindingKind.BROKEN_LINK, f"the head of the chain in the table is invalid: {error}")
        self.reading = read_chain(self.agent_id, self.chain, self._objects, self._archive, self._now_ms)
        self._sealed = newest_revisions(self.reading.confirmed)
        yield from self.reading.faults
        yield from self._check_pending()
        for day, revision in sorted(self.reading.unconfirmed):
            yield day, Fault(FindingKind.ADDED, f"the manifest of revision {revision} is not part of the chain")
        yield from self._check_head(noted_head)
        yield from self._check_anchors(anchored)

    def _check_pending(self) -> Iterator[DatedFault]:
        """Report an unfinished write as such, and not as an added manifest: the next nightly job completes it."""
        pending = self.chain.pending
        if pending is None:
            return
        yield pending.day, _UNFINISHED
        key = pending.day, pending.revision
        if self.reading.unconfirmed.get(key) == pending:
            del self.reading.unconfirmed[key]

    def _check_head(self, noted: str | None) -> Iterator[DatedFault]:
        """Check that the chain still has the head that was noted, and is as long as the agent's progress says."""
        if noted is not None and noted not in {one.link().hash for one in self.reading.proven.values()}:
            message = (
                f"the chain does not contain the head {noted}: what was sealed up to it was replaced or rolled back"
            )
            yield None, Fault(FindingKind.ROLLED_BACK, message)
        progress = self._states.get(self.agent_id, ARCHIVE_PROGRESS)
        if progress is not None and self.chain.head is None and not self._requested:
            message = f"days through {progress.data['archived_through']} were archived, but there is no chain of seals"
            yield None, Fault(FindingKind.ROLLED_BACK, message)

    def _check_anchors(self, anchored: Sequence[ManifestLink]) -> Iterator[DatedFault]:
        """Check that the chain has every end that was anchored, but for those that have expired."""
        proven = {one.link() for one in self.reading.proven.values()}
        for link in anchored:
            if link not in proven and not has_expired(link.archived_at, self._now_ms):
                message = (
                    f"the chain does not contain its anchored number {link.sequence}, {link.hash}: it was replaced or "
                    "rolled back"
                )
                yield link.day, Fault(FindingKind.ROLLED_BACK, message)

    # --- the files of days ---------------------------------------------------------------------

    def file_faults(self, first: date, last: date, since: date) -> Iterator[DatedFault]:
        """Check the files of days against the last confirmed manifests; report objects that have none."""
        for one in self._objects:
            if one.day is None:
                yield None, Fault(FindingKind.ADDED, f"{one.key} is not an object of the archive")
            elif one.is_file and one.day not in self._sealed:
                yield one.day, Fault(FindingKind.MISSING_MANIFEST, "the chain has no manifest of this day's file")
        for day, manifest in self._sealed.items():
            if first <= day <= last and date_of(parse_instant(manifest.archived_at)) >= since:
                yield from ((day, fault) for fault in self._day_faults(day, manifest))
                if self._on_day is not None:
                    self._on_day(day)

    def _day_faults(self, day: date, manifest: Manifest) -> Iterator[Fault]:
        file = self._archive.file(self.agent_id, day)
        if file is None and has_expired(manifest.archived_at, self._now_ms):
            return
        self.days += 1
        self.decisions += len(file.rows or ()) if file else 0
        faults = list(day_faults(file, manifest))
        if faults and file is not None and self.chain.announces(day, manifest.revision + 1, file.sha256):
            is_reported = self.chain.pending is not None and self.chain.pending.day == day
            yield from () if is_reported else (_UNFINISHED,)
            return
        if not faults:
            self._checked.append(day)
        yield from faults

    # --- the table -----------------------------------------------------------------------------

    def table_faults(self, decisions: DecisionStore) -> Iterator[DatedFault]:
        """Compare the table with the days whose files are as they were sealed, and count what it has besides."""
        progress = self._states.get(self.agent_id, ARCHIVE_PROGRESS)
        self._table = TableVerification(
            self.agent_id,
            decisions,
            self._archive,
            self._states.registration(self.agent_id),
            now_ms=self._now_ms,
            archived_through=parse_date(progress.data["archived_through"]) if progress else None,
            requested=self._requested,
        )
        yield from self._table.faults(self._sealed, self._checked)

    def not_covered(self) -> NotCovered:
        """What was not checked; call it last."""
        span = (max(self._sealed) - min(self._sealed)).days + 1 if self._sealed else 0
        table = self._table
        return NotCovered(
            unsealed_days=len(table.unsealed_days) if table else None,
            unsealed_decisions=table.unsealed_decisions if table else None,
            days_without_seal=span - len(self._sealed),
            requested_days=len(self._requested),
        )
