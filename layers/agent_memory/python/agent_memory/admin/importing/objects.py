"""Imports the objects of the bucket: archived days with their seals, evidence, reports and pruned memories.

An archived day is a link of the agent's chain of seals, so that the archive is imported completely or not at all:

    the deployment has no archive of the agent             all is written, and the chain's end with the states
    its chain is the beginning of the exported one         later days and revisions are written
    its chain continues the exported one                   what it has lost of the exported days is written
    anything else                                          its archive is kept; decisions are written to the table
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from agent_memory.admin.agent_source import AgentSource
from agent_memory.admin.export_file import NOT_EXPORTED
from agent_memory.admin.importing.report import ImportReport, Status
from agent_memory.core.clock import parse_date
from agent_memory.core.errors import Damaged, InvalidInput
from agent_memory.core.keys import ARCHIVE_CHAIN, archive_file_key, archive_manifest_key, archive_prefix, evidence_key
from agent_memory.model.seals import Chain, Manifest, sha256
from agent_memory.model.states import State
from agent_memory.ports.blobs import Blob, BlobStore, ByteRange
from agent_memory.ports.states import StateStore

KIND = "objects"
_FILE = ".parquet"


@dataclass(frozen=True, slots=True)
class ArchivePlan:
    """The keys of the archive's objects to write; `refused` is the reason if the archive is not imported."""

    keys: tuple[str, ...] = ()
    refused: str | None = None


@dataclass(slots=True)
class _Side:
    """One of the two archives: its chain's end and its manifests, by their keys."""

    chain: Chain
    manifests: dict[str, Manifest] = field(default_factory=dict)

    def __post_init__(self) -> None:
        pending = self.chain.pending
        if pending is not None and pending.link() == self.chain.head:  # its object may not be written yet
            key = archive_manifest_key(pending.agent_id, pending.day, pending.revision)
            self.manifests.setdefault(key, pending)

    def hashes(self) -> set[str]:
        """The hashes of its manifests, and that of its end."""
        head = {self.chain.head.hash} if self.chain.head else set()
        return head | {one.link().hash for one in self.manifests.values()}

    def sequence(self) -> int:
        return self.chain.head.sequence if self.chain.head else 0

    def newest(self) -> dict[date, Manifest]:
        """The last revision of each day."""
        found: dict[date, Manifest] = {}
        for one in sorted(self.manifests.values(), key=lambda manifest: manifest.revision):
            found[one.day] = one
        return found


def plan_archive(
    export: AgentSource, exported_states: Mapping[str, State], blobs: BlobStore | None, states: StateStore
) -> ArchivePlan:
    """Decide which objects of the exported archive are written.

    Raises:
        InvalidInput: a manifest of the export, or the end of its chain, is invalid.
        Damaged: the end of the chain in the table is invalid.
    """
    agent_id = export.agent_id
    prefix = archive_prefix(agent_id)
    exported_keys = [key for key in export.object_keys() if key.startswith(prefix)]
    ours = _exported_side(export, exported_keys, exported_states.get(ARCHIVE_CHAIN))
    if not exported_keys and ours.chain.head is None:
        return ArchivePlan()
    if blobs is None:
        return ArchivePlan(refused="there is no archive bucket; its decisions are written to the table")
    stored = set(blobs.list_keys(prefix))
    theirs = _stored_side(agent_id, stored, blobs, states)
    contradicting = [
        key for key in theirs.manifests if key in ours.manifests and theirs.manifests[key] != ours.manifests[key]
    ]
    if contradicting:
        return ArchivePlan(refused=f"{contradicting[0]} is another manifest than the exported one")
    if theirs.sequence() > ours.sequence():
        return ArchivePlan(tuple(_lost(agent_id, exported_keys, stored, theirs)))
    if theirs.chain.head is not None and theirs.chain.head.hash not in ours.hashes():
        return ArchivePlan(refused="the deployment has sealed days of this agent that the export does not have")
    return _continuing(export, exported_keys, stored, ours, blobs)


def _continuing(
    export: AgentSource, exported_keys: list[str], stored: set[str], ours: _Side, blobs: BlobStore
) -> ArchivePlan:
    """The plan where the exported chain is the stored one or a continuation of it."""
    sealed_files: dict[str, set[str]] = {}
    for one in ours.manifests.values():
        sealed_files.setdefault(archive_file_key(export.agent_id, one.day), set()).add(one.file_sha256)
    for announced in [*ours.chain.withdrawn, *([ours.chain.pending.file()] if ours.chain.pending else [])]:
        key = archive_file_key(export.agent_id, parse_date(announced.date))
        sealed_files.setdefault(key, set()).add(announced.file_sha256)
    writes: list[str] = []
    # Manifests last: a manifest without its file would be a day that was lost.
    for key in sorted(exported_keys, key=lambda one: not one.endswith(_FILE)):
        body = blobs.read(key) if key in stored else None
        if body is not None and body != export.read_object(key):
            if sha256(body) not in sealed_files.get(key, set()):
                return ArchivePlan(refused=f"{key} differs from all that the exported chain has sealed of it")
            writes.append(key)
        elif body is None:
            writes.append(key)
    unknown = sorted(stored - set(exported_keys))
    if unknown:
        return ArchivePlan(refused=f"{unknown[0]} is not in the export")
    return ArchivePlan(tuple(writes))


def _lost(agent_id: str, exported_keys: list[str], stored: set[str], theirs: _Side) -> Iterator[str]:
    """The exported objects that a deployment with a longer chain has lost and that still apply."""
    newest = theirs.newest()
    exported = set(exported_keys)
    for key in sorted(exported_keys, key=lambda one: not one.endswith(_FILE)):
        if key in stored:
            continue
        later = [
            day
            for day, manifest in newest.items()
            if key == archive_file_key(agent_id, day)
            and archive_manifest_key(agent_id, day, manifest.revision) not in exported
        ]
        if not later:  # else the file of an earlier revision would not match its seal
            yield key


def import_objects(
    export: AgentSource,
    plan: ArchivePlan,
    blobs: BlobStore | None,
    report: ImportReport,
    *,
    with_evidence: bool,
    write: bool,
) -> None:
    """Write the planned objects of the archive and other missing ones, and the evidence if `with_evidence` is set."""
    prefix, evidence = archive_prefix(export.agent_id), evidence_key(export.agent_id)
    of_archive = [key for key in export.object_keys() if key.startswith(prefix)]
    others = [key for key in export.object_keys() if not key.startswith((prefix, *NOT_EXPORTED))]
    if plan.refused is not None:
        report.not_imported("the archive and its seals", plan.refused)
    else:
        for _ in set(of_archive) - set(plan.keys):
            report.count(KIND, Status.UNCHANGED)
    if blobs is None:
        if others:
            report.not_imported("evidence, reports and pruned memories", "there is no archive bucket")
        return
    replaceable = {*plan.keys, evidence} if with_evidence else set(plan.keys)
    for key in [*plan.keys, *others]:
        report.count(KIND, _import_object(export, key, blobs, replace=key in replaceable, write=write))


def _import_object(export: AgentSource, key: str, blobs: BlobStore, *, replace: bool, write: bool) -> Status:
    stored, exported = blobs.read(key), export.read_object(key)
    if stored == exported:
        return Status.UNCHANGED
    if stored is not None and not replace:
        return Status.NEWER
    if write:
        blobs.write(key, exported)
    return Status.CREATED if stored is None else Status.UPDATED


class PlannedObjects:
    """A bucket as it is once the planned objects of an export are written: what a dry run reads.

    A `BlobStore` that cannot be written.
    """

    def __init__(self, export: AgentSource, plan: ArchivePlan, blobs: BlobStore) -> None:
        self._export = export
        self._planned = set(plan.keys)
        self._blobs = blobs

    def read(self, key: str) -> bytes | None:
        """The object, or None if there is none."""
        return self._export.read_object(key) if key in self._planned else self._blobs.read(key)

    def read_tagged(self, key: str) -> Blob | None:
        """The object with its tag, or None if there is none."""
        if key not in self._planned:
            return self._blobs.read_tagged(key)
        body = self._export.read_object(key)
        return Blob(body, sha256(body))

    def restore(self, key: str) -> None:
        """Request that an object in cold storage be readable."""
        self._blobs.restore(key)

    def read_range(self, key: str, start: int, end: int | None = None) -> ByteRange | None:
        """The bytes from `start` up to, not including, `end`; None if there is no object."""
        if key not in self._planned:
            return self._blobs.read_range(key, start, end)
        body = self._export.read_object(key)
        first, last, _ = slice(start, end).indices(len(body))
        return ByteRange(body[first:last], first, len(body), sha256(body))

    def write(self, key: str, body: bytes) -> None:
        """Refused."""
        raise TypeError(f"{key} cannot be written: the objects are only planned, not {len(body):,} bytes of others")

    def replace(self, key: str, body: bytes, *, tag: str | None) -> str:
        """Refused."""
        raise TypeError(f"{key} cannot be replaced ({tag=}, {len(body):,} bytes): the objects are only planned")

    def delete(self, key: str) -> None:
        """Refused."""
        raise TypeError(f"{key} cannot be deleted: the objects are only planned")

    def list_keys(self, prefix: str) -> list[str]:
        """The keys of all objects with a prefix, sorted."""
        return sorted({*self._blobs.list_keys(prefix), *(key for key in self._planned if key.startswith(prefix))})

    def list_prefixes(self, prefix: str) -> list[str]:
        """The 'folders' directly under a prefix, sorted, each ending in '/'."""
        rests = (key[len(prefix) :] for key in self.list_keys(prefix))
        return sorted({f"{prefix}{rest.split('/', 1)[0]}/" for rest in rests if "/" in rest})

    def erase(self, prefix: str, *, dry_run: bool) -> int:
        """Refused."""
        raise TypeError(f"{prefix} cannot be erased ({dry_run=})")


def _exported_side(export: AgentSource, keys: list[str], chain: State | None) -> _Side:
    bodies = {key: export.read_object(key) for key in keys if not key.endswith(_FILE)}
    return _Side(
        _exported_chain(chain), {key: _exported_manifest(export.agent_id, key, body) for key, body in bodies.items()}
    )


def _stored_side(agent_id: str, keys: set[str], blobs: BlobStore, states: StateStore) -> _Side:
    """The deployment's archive, without manifests that are invalid."""
    found = {key: _manifest(blobs.read(key) or b"") for key in sorted(keys) if not key.endswith(_FILE)}
    return _Side(_stored_chain(agent_id, states), {key: one for key, one in found.items() if one is not None})


def _exported_chain(state: State | None) -> Chain:
    try:
        return Chain.from_state(state)
    except (ValueError, TypeError) as error:
        raise InvalidInput("states.jsonl", f"{ARCHIVE_CHAIN} is not the end of a chain of seals: {error}") from error


def _exported_manifest(agent_id: str, key: str, body: bytes) -> Manifest:
    manifest = _manifest(body)
    if manifest is None or key != archive_manifest_key(agent_id, manifest.day, manifest.revision):
        raise InvalidInput(f"objects/{key}", "is not a valid manifest; the export is damaged, or its archive was")
    return manifest


def _stored_chain(agent_id: str, states: StateStore) -> Chain:
    try:
        return Chain.from_state(states.get(agent_id, ARCHIVE_CHAIN))
    except ValueError as error:
        raise Damaged(f"the end of the chain of {agent_id} is invalid: {error}; run `agent-memory verify`") from error


def _manifest(body: bytes) -> Manifest | None:
    try:
        return Manifest.from_body(body)
    except (ValueError, TypeError):
        return None
