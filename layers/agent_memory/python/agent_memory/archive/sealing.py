"""Writes archived days as links of a chain, so that a later change or removal of a day can be detected.

    1  record in the table, in the chain's end, what will be written          pending = manifest
    2  write the day's file, if it is still the one that was read, and read it back
    3  advance the chain's end                                                head = manifest
    4  write the manifest                                                     pending = none

A job that was interrupted after any step is completed by the next one, or withdrawn if its file is not there. It may
still be running then: but for the file, each step is conditional on the chain's end, so that a job that was overtaken
writes at most the file that it announced. `withdrawn` remembers such files, so that they are no damage.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from agent_memory.archive.chain import ChainReading, newest_revisions, read_chain
from agent_memory.core.clock import to_iso
from agent_memory.core.errors import Conflict, Damaged
from agent_memory.core.keys import ARCHIVE_CHAIN
from agent_memory.model.decisions import Decision
from agent_memory.model.outcomes import follows
from agent_memory.model.seals import Chain, Manifest, ManifestLink
from agent_memory.ports.archive import ArchiveStore, DayFile, PackedDay
from agent_memory.ports.states import StateStore

Merge = Callable[[Sequence[Decision], Sequence[Decision]], list[Decision]]
"""The decisions that a day is to have, of the archived ones and those in the table."""


class SealedArchive:
    """The archived days of one agent, each written as a link of their chain.

    What was sealed changes only by a recorded correction. Before a day is written again, its manifest is checked
    against the chain, its file against the manifest, and each decision against the archived one: an outcome may be
    added, or replaced if the replaced one is kept beside it (`model.outcomes.follows`). Else the day is left as it is.
    """

    def __init__(
        self,
        agent_id: str,
        *,
        states: StateStore,
        archive: ArchiveStore,
        now_ms: int,
        archived_through: date | None = None,
    ) -> None:
        """`archived_through` is the agent's progress: days after it that have no objects were never sealed."""
        self._agent_id = agent_id
        self._states = states
        self._archive = archive
        self._now_ms = now_ms
        self._archived_through = archived_through
        self._version = 0
        self._chain: Chain | None = None  # read once: if another job changes it, this one has to begin again
        self._reading: ChainReading | None = None

    def head(self) -> ManifestLink | None:
        """The end of the chain, None before the first day was sealed; `Damaged` if its state is invalid."""
        return (self._chain or self._stored_chain()).head

    def rewrite(self, day: date, in_table: Sequence[Decision], merge: Merge) -> list[Decision]:
        """Write what `merge` makes of the decisions archived for a day, and of those that the table has of it.

        Nothing is written if these are the archived ones.

        Returns:
            The decisions that the archive has now.

        Raises:
            Damaged: the archive differs from its seals, or decisions contradict what was sealed. Nothing is written.
            Conflict: another job is writing; begin again with a new `SealedArchive`.
            Unavailable: a store did not respond; retry.
        """
        try:
            return self._rewrite(day, in_table, merge)
        except Damaged as error:
            self._check_current(error)
            raise

    def _rewrite(self, day: date, in_table: Sequence[Decision], merge: Merge) -> list[Decision]:
        chain = self._recover_chain()
        sealed = self._sealed(day, chain)
        file = self._archive.file(self._agent_id, day)
        before = self._archived(day, sealed, file, chain, {one.decision_id: one for one in in_table})
        merged = merge(before, in_table)
        if sealed is None and file is not None:
            self._check_unsealed_file(day, file, merged)
        _check_corrections(day, before, merged)
        packed = self._archive.pack(merged)
        if sealed is None or sealed.root != packed.root:
            manifest = self._next_manifest(day, packed, sealed, chain)
            chain = self._store_chain(replace(chain, pending=manifest))
            self._archive.write_file(self._agent_id, day, packed, replaced=file)
            self._seal(chain, manifest)
        return list(packed.decisions)

    def _sealed(self, day: date, chain: Chain) -> Manifest | None:
        """The manifest that the chain has for a day, None if the day was never sealed.

        Raises:
            Damaged: the chain has a gap, so that it cannot tell.
        """
        is_new = chain.head is None or (self._archived_through is not None and day > self._archived_through)
        if is_new and not self._archive.objects(self._agent_id, day):
            return None
        if self._reading is None:
            objects = self._archive.objects(self._agent_id)
            self._reading = read_chain(self._agent_id, chain, objects, self._archive, self._now_ms)
        sealed = newest_revisions(self._reading.proven).get(day)
        if sealed is None and not self._reading.is_intact:
            raise Damaged(f"{day} differs from its seal: the chain has a gap, and does not prove what was sealed")
        if chain.head is None and self._reading.unconfirmed:
            raise Damaged(f"{day} differs from its seal: there are manifests, but the table has no end of their chain")
        return sealed

    def _archived(
        self, day: date, sealed: Manifest | None, file: DayFile | None, chain: Chain, like: Mapping[str, Decision]
    ) -> list[Decision]:
        """The decisions of a sealed day; `Damaged` if its file is neither the sealed one nor an announced next one."""
        if sealed is None:
            return []
        if file is None:
            raise Damaged(f"{day} differs from its seal: its file is missing")
        if file.sha256 != sealed.file_sha256 and not chain.announces(day, sealed.revision + 1, file.sha256):
            raise Damaged(f"{day} differs from its seal; the archive is not changed")
        return self._archive.decisions(file, like)

    def _check_unsealed_file(self, day: date, file: DayFile, merged: list[Decision]) -> None:
        """Check that a file without a seal, as an interrupted job leaves it, has nothing that would be lost."""
        by_id = {one.decision_id: one for one in merged}
        if file.rows is None or any(
            one.decision_id not in by_id or not follows(one, by_id[one.decision_id])
            for one in self._archive.decisions(file, by_id)
        ):
            raise Damaged(f"{day} differs from its seal: it has a file, but the chain has no manifest of it")

    def _recover_chain(self) -> Chain:
        """The chain's end, after completing or withdrawing what an interrupted job left."""
        chain = self._chain or self._stored_chain()
        pending = chain.pending
        if pending is None:
            return chain
        if pending.link() == chain.head:
            return self._write_manifest(chain, pending)
        file = self._archive.file(self._agent_id, pending.day)
        if file is not None and file.sha256 == pending.file_sha256:
            return self._seal(chain, pending)
        withdrawn = dict.fromkeys([*chain.withdrawn, pending.file()])
        return self._store_chain(replace(chain, pending=None, withdrawn=tuple(withdrawn)))

    def _stored_chain(self) -> Chain:
        state = self._states.get(self._agent_id, ARCHIVE_CHAIN)
        self._version = state.version if state else 0
        try:
            self._chain = Chain.from_state(state)
        except ValueError as error:
            raise Damaged(f"the end of the chain of {self._agent_id} is invalid: {error}") from error
        return self._chain

    def _check_current(self, error: Damaged) -> None:
        """Check that the chain's end is the one that was read: else objects differ because another job writes."""
        state = self._states.get(self._agent_id, ARCHIVE_CHAIN)
        if (state.version if state else 0) != self._version:
            raise Conflict(f"another job changed the archive of {self._agent_id}") from error

    def _next_manifest(self, day: date, packed: PackedDay, sealed: Manifest | None, chain: Chain) -> Manifest:
        return Manifest(
            agent_id=self._agent_id,
            date=day.isoformat(),
            revision=sealed.revision + 1 if sealed else 1,
            rows=len(packed.decisions),
            with_outcome=packed.with_outcome,
            first=to_iso(packed.decisions[0].timestamp_ms),
            last=to_iso(packed.decisions[-1].timestamp_ms),
            file_bytes=len(packed.body),
            file_sha256=packed.sha256,
            root=packed.root,
            sequence=chain.head.sequence + 1 if chain.head else 1,
            archived_at=to_iso(self._now_ms),
            previous=chain.head,
        )

    def _seal(self, chain: Chain, manifest: Manifest) -> Chain:
        """Advance the chain's end to the manifest, whose file is there, and write it."""
        withdrawn = tuple(one for one in chain.withdrawn if one.date != manifest.date)
        return self._write_manifest(self._store_chain(Chain(manifest.link(), manifest, withdrawn)), manifest)

    def _write_manifest(self, chain: Chain, manifest: Manifest) -> Chain:
        self._archive.write_manifest(manifest)
        if self._reading is not None:
            self._reading.proven[manifest.day, manifest.revision] = manifest
        return self._store_chain(replace(chain, pending=None))

    def _store_chain(self, chain: Chain) -> Chain:
        state = self._states.put(
            self._agent_id,
            ARCHIVE_CHAIN,
            chain.as_dict(),
            expected_version=self._version,
            now_ms=self._now_ms,
        )
        self._version = state.version
        self._chain = chain
        return chain


def _check_corrections(day: date, sealed: list[Decision], merged: list[Decision]) -> None:
    """Check that decisions differ from the sealed ones by recorded corrections only."""
    by_id = {one.decision_id: one for one in merged}
    for one in sealed:
        if one.decision_id not in by_id or not follows(one, by_id[one.decision_id]):
            raise Damaged(f"{day}: the table contradicts what was sealed of decision {one.decision_id}")
