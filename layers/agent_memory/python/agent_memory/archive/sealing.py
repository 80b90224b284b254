"""Writes archived days as links of a chain, so that a later change or removal of a day can be detected.

    1  record in the table, in the chain's end, what will be written          pending = manifest
    2  write the day's file and read it back
    3  write its manifest
    4  advance the chain's end                                                head = manifest, pending = none

A job that was interrupted after any step is completed by the next one, or undone if the file was not written.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from agent_memory.core.clock import to_iso
from agent_memory.core.errors import Damaged
from agent_memory.core.keys import ARCHIVE_CHAIN
from agent_memory.model.decisions import Decision
from agent_memory.model.seals import Chain, Manifest
from agent_memory.ports.archive import ArchiveStore, PackedDay
from agent_memory.ports.states import StateStore


class SealedArchive:
    """The archived days of one agent, each written as a link of their chain."""

    def __init__(self, agent_id: str, *, states: StateStore, archive: ArchiveStore, now_ms: int) -> None:
        self._agent_id = agent_id
        self._states = states
        self._archive = archive
        self._now_ms = now_ms
        self._version = 0

    def rewrite(self, day: date, merge: Callable[[list[Decision]], list[Decision]]) -> list[Decision]:
        """Write the decisions that `merge` makes from those archived for a day. Nothing is written if they are equal.

        Returns:
            The decisions that the archive has now.

        Raises:
            Damaged: the archive differs from its seals. Conflict: another job is writing.
            Unavailable: a store did not respond; retry.
        """
        chain = self._recover_chain()
        sealed = self._archive.manifest(self._agent_id, day)
        packed = self._archive.pack(merge(self._archived(day, sealed)))
        if sealed is None or sealed.root != packed.root:
            manifest = self._next_manifest(day, packed, sealed, chain)
            self._store_chain(replace(chain, pending=manifest))
            self._archive.write_file(self._agent_id, day, packed)
            self._commit(manifest)
        return list(packed.decisions)

    def _archived(self, day: date, sealed: Manifest | None) -> list[Decision]:
        file = self._archive.file(self._agent_id, day)
        if (file.sha256 if file else None) != (sealed.file_sha256 if sealed else None):
            raise Damaged(f"{day} differs from its seal; the archive is not changed")
        return self._archive.decisions(file) if file else []

    def _recover_chain(self) -> Chain:
        """The chain's end, after completing or undoing what an interrupted job left."""
        state = self._states.get(self._agent_id, ARCHIVE_CHAIN)
        self._version = state.version if state else 0
        try:
            chain = Chain.from_state(state)
        except ValueError as error:
            raise Damaged(f"the end of the chain of {self._agent_id} is invalid: {error}") from error
        return self._complete(chain, chain.pending) if chain.pending else chain

    def _complete(self, chain: Chain, pending: Manifest) -> Chain:
        file = self._archive.file(self._agent_id, pending.day)
        if file is not None and file.sha256 == pending.file_sha256:
            return self._commit(pending)
        return self._store_chain(replace(chain, pending=None))

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

    def _commit(self, manifest: Manifest) -> Chain:
        self._archive.write_manifest(manifest)
        return self._store_chain(Chain(head=manifest.link()))

    def _store_chain(self, chain: Chain) -> Chain:
        state = self._states.put(
            self._agent_id,
            ARCHIVE_CHAIN,
            chain.as_dict(),
            expected_version=self._version,
            now_ms=self._now_ms,
        )
        self._version = state.version
        return chain
