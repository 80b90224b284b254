"""Writes archived days as links of a chain, so that a day that is changed or taken away afterwards shows.

    1  the chain's end, in the table, says what is about to be written        pending = manifest
    2  the day's file, read back
    3  its manifest
    4  the chain's end moves on to it                                         head = manifest, pending = none

A night that was cut short at any of these is completed by the next, or taken back where the file was not written.
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

    def renew(self, day: date, made_of: Callable[[list[Decision]], list[Decision]]) -> list[Decision]:
        """Write a day as it is made of what was sealed of it before. What says the same is not written again.

        Returns:
            The decisions that are sealed now.

        Raises:
            Damaged: the archive holds something else than was sealed. Conflict: another night is at work.
            Unavailable: a store did not answer; do it again.
        """
        chain = self._opened()
        sealed = self._archive.manifest(self._agent_id, day)
        packed = self._archive.pack(made_of(self._archived(day, sealed)))
        if sealed is None or sealed.root != packed.root:
            manifest = self._next(day, packed, sealed, chain)
            self._keep(replace(chain, pending=manifest))
            self._archive.write_file(self._agent_id, day, packed)
            self._commit(manifest)
        return list(packed.decisions)

    def _archived(self, day: date, sealed: Manifest | None) -> list[Decision]:
        file = self._archive.file(self._agent_id, day)
        if (file.sha256 if file else None) != (sealed.file_sha256 if sealed else None):
            raise Damaged(f"{day} is not as it was sealed; the archive is left as it is")
        return self._archive.decisions(file) if file else []

    def _opened(self) -> Chain:
        """The chain's end, once what a night left half done is completed or taken back."""
        state = self._states.get(self._agent_id, ARCHIVE_CHAIN)
        self._version = state.version if state else 0
        try:
            chain = Chain.of(state)
        except ValueError as error:
            raise Damaged(f"the end of the chain of {self._agent_id} is not what was kept: {error}") from error
        return self._completed(chain, chain.pending) if chain.pending else chain

    def _completed(self, chain: Chain, pending: Manifest) -> Chain:
        file = self._archive.file(self._agent_id, pending.day)
        if file is not None and file.sha256 == pending.file_sha256:
            return self._commit(pending)
        return self._keep(replace(chain, pending=None))

    def _next(self, day: date, packed: PackedDay, sealed: Manifest | None, chain: Chain) -> Manifest:
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
        return self._keep(Chain(head=manifest.link()))

    def _keep(self, chain: Chain) -> Chain:
        state = self._states.put(
            self._agent_id,
            ARCHIVE_CHAIN,
            chain.as_dict(),
            expected_version=self._version,
            now_ms=self._now_ms,
        )
        self._version = state.version
        return chain
