"""Groups of decisions whose outcomes may be correlated."""

import numpy as np

from agent_memory.learning.clusters import clusterings
from agent_memory.learning.evidence_table import build_tables
from agent_memory.model.evidence import Evidence

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def table_of(rows):
    (table,) = build_tables(rows)
    return table


def row(n, at_ms, facts=(), cluster=""):
    return Evidence(f"d{n}", "QUERY", at_ms, True, tuple(sorted(facts)), cluster=cluster)


def same_cluster(clustering):
    return {tuple(np.flatnonzero(clustering.labels == label).tolist()) for label in range(clustering.count)}


def test_windows_group_decisions_by_time():
    table = table_of([row(n, at) for n, at in enumerate([5, 59_999, 60_000, DAY_MS, 2 * DAY_MS])])
    minute, day, two_days = clusterings(table, (60_000, DAY_MS, 2 * DAY_MS))
    assert same_cluster(minute) == {(0, 1), (2,), (3,), (4,)}
    assert same_cluster(day) == {(0, 1, 2), (3,), (4,)}
    assert same_cluster(two_days) == {(0, 1, 2, 3), (4,)}
    assert [one.window_ms for one in (minute, day, two_days)] == [60_000, DAY_MS, 2 * DAY_MS]


def test_a_position_that_the_record_names_is_a_cluster():
    table = table_of([row(n, n * DAY_MS, cluster=name) for n, name in enumerate(["p", "", "q", "p", ""])])
    (positions,) = clusterings(table, ())
    assert same_cluster(positions) == {(0, 3), (1,), (2,), (4,)}
    assert positions.window_ms is None


def test_decisions_with_the_same_facts_within_days_may_be_copies():
    many = [[f"a={n}", f"b={n % 7}"] for n in range(40)]
    rows = [row(f"{n}-{copy}", (n + 2 * copy) * HOUR_MS, facts) for n, facts in enumerate(many) for copy in (0, 1)]
    of_a_day, of_four_days = clusterings(table_of(rows), ())
    assert of_four_days.count == 40
    assert 40 <= of_a_day.count <= 44


def test_with_few_sets_of_facts_equal_ones_are_no_copies():
    assert clusterings(table_of([row(n, n * HOUR_MS, [f"a={n % 3}"]) for n in range(100)]), ()) == ()


def test_no_decisions_have_no_clusters():
    empty = table_of([Evidence("d", "QUERY", 0, None, ())])
    assert [one.count for one in clusterings(empty, (60_000,))] == [0]
