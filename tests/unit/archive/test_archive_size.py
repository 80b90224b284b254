"""The size of the archive, and the memory that writing it takes."""

import tracemalloc
from datetime import date

from agent_memory.storage.in_memory.blobs import InMemoryBlobs
from agent_memory.storage.parquet.archive import ParquetArchive
from benchmarks.archive_size import measure_archive_sizes
from tests.contract.samples import NOW, decision


def test_archived_decisions_have_at_most_a_fifteenth_of_the_size_of_their_items():
    sizes = measure_archive_sizes(6)
    assert sizes.decisions > 6 * 96
    assert sizes.archive_bytes <= sizes.item_bytes / 15


def test_writing_a_day_takes_little_memory_beside_its_decisions():
    decisions = [decision(NOW + n, n=n) for n in range(10_000)]
    archive = ParquetArchive(InMemoryBlobs())
    tracemalloc.start()
    try:
        archive.write_file("hunter", date(2026, 11, 20), archive.pack(decisions), replaced=None)
        before = archive.file("hunter", date(2026, 11, 20))
        assert archive.decisions(before, {one.decision_id: one for one in decisions}) == decisions
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < 1_000 * len(decisions)
