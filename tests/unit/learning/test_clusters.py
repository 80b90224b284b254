"""Groups of decisions whose outcomes may be correlated."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.learning.clusters import clusterings
from agent_memory.learning.evidence_table import build_tables
from agent_memory.learning.feature_matrix import select_features
from agent_memory.model.evidence import Evidence

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def table_of(rows):
    (table,) = build_tables(rows)
    return table


def clusters_of(table, windows_ms=()):
    matrix = select_features(table.features, min_occurrences=30, max_distinct_values=12, max_columns=96)
    return clusterings(table, windows_ms, matrix)


def row(n, at_ms, facts=(), cluster=""):
    return Evidence(f"d{n}", "QUERY", at_ms, True, tuple(sorted(facts)), cluster=cluster)


def same_cluster(clustering):
    return {tuple(np.flatnonzero(clustering.labels == label).tolist()) for label in range(clustering.count)}


def test_windows_group_decisions_by_time():
    table = table_of([row(n, at) for n, at in enumerate([5, 59_999, 60_000, DAY_MS, 2 * DAY_MS])])
    minute, day, two_days = clusters_of(table, (60_000, DAY_MS, 2 * DAY_MS))
    assert same_cluster(minute) == {(0, 1), (2,), (3,), (4,)}
    assert same_cluster(day) == {(0, 1, 2), (3,), (4,)}
    assert same_cluster(two_days) == {(0, 1, 2, 3), (4,)}
    assert [one.window_ms for one in (minute, day, two_days)] == [60_000, DAY_MS, 2 * DAY_MS]


@given(st.lists(st.integers(0, 5 * DAY_MS), min_size=1).map(sorted))
def test_windows_are_numbered_in_order_of_time(times_ms):
    found = clusters_of(table_of([row(n, at) for n, at in enumerate(times_ms)]), (60_000, DAY_MS))
    first_ms = times_ms[0] // DAY_MS * DAY_MS
    for one, window_ms in zip(found, (60_000, DAY_MS), strict=False):
        numbers, labels = np.unique((np.array(times_ms) - first_ms) // window_ms, return_inverse=True)
        assert (one.count, one.labels.tolist()) == (len(numbers), labels.tolist())
        assert one.labels.dtype == np.int32


def test_a_position_that_the_record_names_is_a_cluster():
    table = table_of([row(n, n * DAY_MS, cluster=name) for n, name in enumerate(["p", "", "q", "p", ""])])
    (positions,) = clusters_of(table)
    assert same_cluster(positions) == {(0, 3), (1,), (2,), (4,)}
    assert positions.window_ms is None


def test_decisions_with_the_same_facts_within_days_may_be_copies():
    many = [[f"a={n}", f"b={n % 7}"] for n in range(40)]
    rows = [row(f"{n}-{copy}", (n + 2 * copy) * HOUR_MS, facts) for n, facts in enumerate(many) for copy in (0, 1)]
    of_a_day, of_four_days = clusters_of(table_of(rows))
    assert of_four_days.count == 40
    assert 40 <= of_a_day.count <= 44


def copies_in_a_changing_market(copies, seed=0):
    """200 positions, one every two hours, each logged anew for two days with the market's facts of that time."""
    generator = np.random.default_rng(seed)
    trend = generator.integers(3, size=1_000)
    own = generator.integers(4, size=(200, 8))
    hours = (2 * np.arange(200)[:, None] + generator.integers(48, size=(200, copies))).ravel()
    order = np.argsort(hours, kind="stable")
    positions = np.repeat(np.arange(200), copies)[order]
    rows = []
    for n, (hour, position) in enumerate(zip(hours[order].tolist(), positions, strict=True)):
        facts = [f"own{key}={value}" for key, value in enumerate(own[position])]
        facts += [f"trend={trend[hour // 12]}", f"noise={generator.integers(3)}", f"tick={n}"]
        rows.append(row(n, hour * HOUR_MS + n, facts))
    return rows, positions


def test_copies_are_those_with_the_same_facts_of_their_own_whatever_the_market_does_meanwhile():
    rows, positions = copies_in_a_changing_market(copies=12)
    *_, of_a_day, of_four_days = clusters_of(table_of(rows))
    pairs = np.unique(np.column_stack([of_four_days.labels, positions]), axis=0)
    assert len(pairs) == of_four_days.count  # no two positions in one cluster
    assert 200 <= of_four_days.count < of_a_day.count < 600  # but for those that go on in the next days


def test_without_copies_no_facts_are_those_of_positions():
    rows, _ = copies_in_a_changing_market(copies=1)
    assert [one.count for one in clusters_of(table_of(rows))] == [200, 200]


def test_with_few_sets_of_facts_equal_ones_are_no_copies():
    assert clusters_of(table_of([row(n, n * HOUR_MS, [f"a={n % 3}"]) for n in range(100)])) == ()


def test_no_decisions_have_no_clusters():
    empty = table_of([Evidence("d", "QUERY", 0, None, ())])
    assert [one.count for one in clusters_of(empty, (60_000,))] == [0]
