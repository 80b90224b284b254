"""How small the archive is."""

from benchmarks.archived import measured_sizes


def test_the_demo_s_decisions_take_an_eighth_of_their_items_at_most():
    sizes = measured_sizes(3)
    assert sizes.decisions > 3 * 96
    assert sizes.archive_bytes <= sizes.item_bytes / 8
