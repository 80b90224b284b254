"""Writes archived decisions back into the table, after the table or a part of it was lost.

Only days that are as they were sealed are restored. The end of the chain of seals is in the table `agent_state`; where
that was lost too, or is older than the archive, a head that was noted elsewhere, as `agent-memory verify` prints it,
vouches for the archive instead.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from agent_memory.admin.importing.decisions import expiry_ms
from agent_memory.archive.chain import ChainReading, newest_revisions, read_chain
from agent_memory.archive.day_verification import day_faults
from agent_memory.core.clock import Clock, date_of
from agent_memory.core.concurrency import chunks
from agent_memory.core.errors import Damaged, InvalidInput, NotFound
from agent_memory.core.ids import check_agent_id
from agent_memory.core.keys import ARCHIVE_CHAIN, ARCHIVE_PROGRESS
from agent_memory.core.retention import HOT_DAYS
from agent_memory.decisions.late_outcomes import LateOutcomeTracker
from agent_memory.decisions.lineage import Lineage, links_to
from agent_memory.decisions.reader import DecisionReader
from agent_memory.decisions.registry import DecisionRegistry
from agent_memory.decisions.rolled_days import ChangeTracker
from agent_memory.model.decisions import Decision
from agent_memory.model.listings import skip_damaged
from agent_memory.model.seals import Chain, Manifest, ManifestLink
from agent_memory.ports.stores import Stores

_BATCH = 100


class ArchiveRestore:
    """Restores one agent's decisions from its archive. Every method blocks."""

    def __init__(self, agent_id: str, stores: Stores, clock: Clock) -> None:
        self._agent_id = check_agent_id(agent_id)
        self._stores = stores
        self._archive = stores.bucket().archive
        self._clock = clock
        self._registry = DecisionRegistry(self._agent_id, stores.states, clock)
        self._changes = ChangeTracker(self._agent_id, stores.states, clock)
        self._late_outcomes = LateOutcomeTracker(self._agent_id, stores.states, clock)
        reader = DecisionReader(self._agent_id, stores, clock)
        self._lineage = Lineage(
            lambda ids: filter(None, reader.find([self._registry.key(one) for one in ids], on_unreadable=skip_damaged))
        )

    def run(self, day: date | None = None, *, head: str | None = None, dry_run: bool = False) -> dict[str, Any]:
        """Write the decisions of a day, or of all days of the last 90, that the table does not have.

        Older days are read from the archive itself, so that they need not be restored. What the table has stays as it
        is. Running it again changes nothing. A restored decision expires as any archived one, but not within a week.

        Args:
            day: a UTC day; also an older one.
            head: the hash of a manifest, with which the end of the chain is written where the table has none or an
                earlier one.
            dry_run: only count.

        Returns:
            A receipt: `agent_id`, `dry_run`, `days`, each with its `date`, its number of `decisions` and how many of
            them were `restored`, and `head`, the hash of the end of the chain.

        Raises:
            NotFound: the agent has no archive, or not that day. InvalidInput: the archive does not contain `head`.
            Damaged: a day differs from its seal; days before it are restored. Or the chain of seals has a gap; all
                days that it proves are restored.
            InColdStorage: a day has to be restored from Glacier first, which is requested. Unavailable: a store did not
                respond; run it again.
        """
        now_ms = self._clock.now_ms()
        objects = self._archive.objects(self._agent_id)
        if not objects:
            raise NotFound(f"there is no archive of {self._agent_id} in this bucket")
        stored = Chain.from_state(self._stores.states.get(self._agent_id, ARCHIVE_CHAIN))
        link = stored.head if head is None else self._find_head(head)
        if link is None:
            raise InvalidInput(
                "head",
                "the table has no end of the chain of seals, so that nothing proves the archive; pass the head that "
                "`agent-memory verify` printed, or the nightly report contains (`archive_head`)",
            )
        reading = read_chain(self._agent_id, stored if head is None else Chain(link), objects, self._archive, now_ms)
        if stored.head is not None and stored.head not in [one.link() for one in reading.proven.values()]:
            raise InvalidInput("head", "the chain in the table does not lead to it; run `agent-memory verify`")
        sealed = newest_revisions(reading.proven)
        oldest = date_of(now_ms) - timedelta(days=HOT_DAYS)
        days = [one for one in sealed if one >= oldest] if day is None else [day]
        restored = [self._restore_day(one, sealed, reading, dry_run=dry_run) for one in days]
        if not dry_run and stored.head != link:
            self._store_head(link, max(sealed))
        if day is None:
            _check_complete({one.day for one in objects if one.day and one.day >= oldest} - sealed.keys(), reading)
        return {"agent_id": self._agent_id, "dry_run": dry_run, "days": restored, "head": link.hash}

    def _restore_day(
        self, day: date, sealed: dict[date, Manifest], reading: ChainReading, *, dry_run: bool
    ) -> dict[str, Any]:
        if day not in sealed:
            if not reading.is_intact:
                raise Damaged(f"{day} is not proven: the chain of seals has a gap; run `agent-memory verify`")
            raise NotFound(f"{self._agent_id} has no archived decisions of {day}")
        file = self._archive.file(self._agent_id, day)
        faults = list(day_faults(file, sealed[day]))
        if faults or file is None:
            raise Damaged(f"{day} differs from its seal: {faults[0].message}; run `agent-memory verify`")
        restored = 0
        for batch in chunks(self._archive.decisions(file), _BATCH):
            restored += self._restore(batch, dry_run=dry_run)
        return {"date": day.isoformat(), "decisions": sealed[day].rows, "restored": restored}

    def _restore(self, archived: Sequence[Decision], *, dry_run: bool) -> int:
        """Write those of some archived decisions that the table does not have; returns how many."""
        in_table = self._stores.decisions.get([one.key for one in archived])
        missing = [one for one, stored in zip(archived, in_table, strict=True) if stored is None]
        if dry_run or not missing:
            return len(missing)
        self._registry.register(missing)
        complete = [
            one if isinstance(found, InvalidInput) else found
            for one, found in zip(missing, self._lineage.with_ancestors(missing), strict=True)
        ]
        # A nightly job may have counted these days while they were lost.
        keys = [one.key for one in complete]
        self._changes.track(keys)
        with_outcomes = [one.key for one in complete if one.outcome is not None]
        self._late_outcomes.recording(with_outcomes, lambda: self._stores.decisions.restore(complete))
        self._changes.track(keys)
        self._stores.decisions.link([link for one in complete for link in links_to(one)])
        now_ms = self._clock.now_ms()
        self._stores.decisions.expire(complete, [expiry_ms(one, now_ms) for one in complete])
        return len(missing)

    def _find_head(self, head: str) -> ManifestLink:
        """The link to the manifest with this hash."""
        for one in self._archive.objects(self._agent_id):
            if one.revision is None:
                continue
            body = self._archive.manifest_body(one)
            try:
                link = Manifest.from_body(body or b"").link()
            except (ValueError, TypeError):
                continue
            if link.hash == head:
                return link
        raise InvalidInput("head", f"the archive of {self._agent_id} has no manifest with the hash {head:.64}")

    def _store_head(self, link: ManifestLink, last_day: date) -> None:
        """Write the end of the chain, and how far the archive goes, so that the nightly job continues them."""
        states, now_ms = self._stores.states, self._clock.now_ms()
        chain = states.get(self._agent_id, ARCHIVE_CHAIN)
        version = chain.version if chain else 0
        states.put(self._agent_id, ARCHIVE_CHAIN, Chain(link).as_dict(), expected_version=version, now_ms=now_ms)
        progress = states.get(self._agent_id, ARCHIVE_PROGRESS)
        if progress is None or progress.data["archived_through"] < last_day.isoformat():
            data = {"archived_through": last_day.isoformat()}
            version = progress.version if progress else 0
            states.put(self._agent_id, ARCHIVE_PROGRESS, data, expected_version=version, now_ms=now_ms)


def _check_complete(unproven: Iterable[date], reading: ChainReading) -> None:
    """Raise `Damaged` if the chain of seals does not prove all days of the archive, so that some were left out."""
    days = ", ".join(one.isoformat() for one in sorted(unproven))
    if days:
        raise Damaged(
            f"not restored, because the chain of seals does not prove them: {days}; run `agent-memory verify`"
        )
    if not reading.is_intact:
        raise Damaged(f"days may be lost: {reading.faults[0][1].message}; run `agent-memory verify`")
