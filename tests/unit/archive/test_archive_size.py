"""The size of the archive."""

from benchmarks.archive_size import measure_archive_sizes


def test_archived_decisions_have_at_most_an_eighth_of_the_size_of_their_items():
    sizes = measure_archive_sizes(3)
    assert sizes.decisions > 3 * 96
    assert sizes.archive_bytes <= sizes.item_bytes / 8
