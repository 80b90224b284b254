"""The bundle of the stores of one deployment. Each interface is imported where it is implemented or used."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from agent_memory.core.clock import Clock, SystemClock
from agent_memory.core.errors import InvalidInput

if TYPE_CHECKING:
    from agent_memory.ports.archive import ArchiveStore
    from agent_memory.ports.blobs import BlobStore
    from agent_memory.ports.decisions import DecisionStore
    from agent_memory.ports.embedder import Embedder
    from agent_memory.ports.evidence import EvidenceStore
    from agent_memory.ports.memories import MemoryStore
    from agent_memory.ports.short_term import ShortTermStore
    from agent_memory.ports.states import StateStore


class BucketStores(NamedTuple):
    """The stores in the archive bucket."""

    blobs: "BlobStore"
    archive: "ArchiveStore"
    evidence: "EvidenceStore"


class Expiry(Protocol):
    """Removes what has expired or was erased, for stores that do not do so on their own."""

    def remove_expired(self) -> Mapping[str, int]:
        """Remove items that no query returns any more; returns how many, by table."""
        ...

    def remove_traces(self) -> None:
        """Remove what erased items have left behind in files."""
        ...


class Places(NamedTuple):
    """What the stores of short-term memory, of tables and of the archive are, for people."""

    short_term: str = "Redis"
    table: str = "DynamoDB"
    archive: str = "S3"


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores of one deployment; those that it does not have are None.

    `clock` is the one that the deployment's jobs go by; `anchors` is a bucket beyond the reach of its account. `expiry`
    is None where the services themselves remove what has expired. `places` names what the stores are. With `embedder`,
    recall ranks by meaning too; `recall_weights` are those of its score that are not the default.
    """

    decisions: "DecisionStore"
    memories: "MemoryStore"
    states: "StateStore"
    blobs: "BlobStore | None" = None
    archive: "ArchiveStore | None" = None
    clock: Clock = field(default_factory=SystemClock)
    evidence: "EvidenceStore | None" = None
    short_term: "ShortTermStore | None" = None
    anchors: "BlobStore | None" = None
    expiry: Expiry | None = None
    places: Places = field(default_factory=Places)
    embedder: "Embedder | None" = None
    recall_weights: Mapping[str, float] = field(default_factory=dict)

    def bucket(self) -> BucketStores:
        """The stores in the archive bucket; `InvalidInput` if there is no bucket."""
        if self.blobs is None or self.archive is None or self.evidence is None:
            raise InvalidInput("archive_bucket", "is not set, and the nightly job needs it")
        return BucketStores(self.blobs, self.archive, self.evidence)
