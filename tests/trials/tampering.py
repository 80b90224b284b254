"""Random changes of a sealed archive: verification finds each."""

from collections import Counter

from agent_memory.archive.verification import verify_archive
from tests.trials.results import timed
from tests.unit.archive.archives import AGENT, Tampering, archive_of, sealed_with_versions


def tamper(*, changes):
    """Change a copy of the archive at random, and verify it."""
    with timed("tampering", "random changes of the archive's files and manifests, each verified") as result:
        stores, clock, objects, versions = sealed_with_versions()
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
