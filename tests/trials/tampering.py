"""Random changes of a sealed archive: verification finds each."""

from collections import Counter

import pytest

from agent_memory.archive.verification import verify_archive
from agent_memory.storage.in_memory.blobs import InMemoryBlobs
from agent_memory.storage.parquet.archive import ParquetArchive
from tests.trials.results import timed
from tests.unit.archive.archives import AGENT, Tampering, sealed_archive


class VersionedBlobs(InMemoryBlobs):
    """Objects in memory that keep all their versions."""

    def __init__(self):
        super().__init__()
        self.versions = {}

    def write(self, key, body):
        super().write(key, body)
        self.versions.setdefault(key, []).append(body)


def sealed():
    """Stores, clock, the archive's objects, and all their versions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("agent_memory.storage.in_memory.blobs.InMemoryBlobs", VersionedBlobs)
        stores, clock = sealed_archive()
    return stores, clock, dict(stores.blobs._objects), stores.blobs.versions


def archive_of(objects):
    blobs = InMemoryBlobs()
    blobs._objects = objects
    return ParquetArchive(blobs)


def tamper(*, changes):
    """Change a copy of the archive at random, and verify it."""
    with timed("tampering", "random changes of the archive's files and manifests, each verified") as result:
        stores, clock, objects, versions = sealed()
        kinds = Counter()
        for seed in range(changes):
            tampering = Tampering(objects, versions, seed)
            archive = archive_of(tampering.objects)
            verification = verify_archive(AGENT, states=stores.states, archive=archive, now_ms=clock.now_ms())
            kinds[tampering.name] += 1
            result.tried += 1
            result.survived += not verification.is_clean
        result.lost = result.tried - result.survived
        result.details = {"kinds": len(kinds)}
    return result
