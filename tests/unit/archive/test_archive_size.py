"""The size of the archive."""

from benchmarks.archive_size import measure_archive_sizes


def test_archived_decisions_have_at_most_a_fifteenth_of_the_size_of_their_items():
    sizes = measure_archive_sizes(6)
    assert sizes.decisions > 6 * 96
    assert sizes.archive_bytes <= sizes.item_bytes / 15
