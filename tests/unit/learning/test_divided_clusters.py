"""Clusters divided by facts: the same groups as by sorting, and the same tests whether or not windows are added up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.core.clock import DAY_MS
from agent_memory.learning.clusters import Clustering
from agent_memory.learning.divided_clusters import distinct, divided_clusters
from agent_memory.learning.effect_tests import Cells, EffectTests

DAYS, PER_DAY = 64, 40


@given(st.lists(st.integers(0, 40), min_size=1), st.sampled_from((41, 10_000)), st.booleans())
def test_distinct_numbers_are_those_of_numpy(numbers, limit, is_ordered):
    keys = np.array(numbers)
    order = np.argsort(keys, kind="stable") if is_ordered else None
    for kind in (np.int64, np.int32, np.uint16):
        found = distinct(keys.astype(kind), limit, order)
        expected = np.unique(keys, return_inverse=True, return_counts=True)
        assert [one.tolist() for one in found] == [one.tolist() for one in expected]


def windows(days):
    labels = (np.arange(DAYS * PER_DAY) // (PER_DAY * days)).astype(np.int32)
    return Clustering(labels, int(DAYS / days), int(days * DAY_MS))


def draw(seed):
    """Outcomes, a fact and given facts that vary from day to day, and clusters that no window has."""
    generator = np.random.default_rng(seed)
    count = DAYS * PER_DAY
    luck = np.repeat(generator.uniform(0.3, 0.7, DAYS), PER_DAY)
    positions = generator.integers(count // 4, size=count).astype(np.int32)
    _, labels = np.unique(positions, return_inverse=True)
    clusters = Clustering(labels.astype(np.int32), 1 + int(labels.max()))
    matching, *given_facts = (generator.random(count) < luck for _ in range(3))
    return generator.random(count) < luck, matching, Cells.build(labels.astype(np.int32) % 2, given_facts), clusters


def test_windows_are_added_up_from_the_finest():
    found = divided_clusters([windows(16), windows(4), windows(1), draw(1)[3]])
    assert [one.finer for one in found] == [1, 2, None, None]
    assert found[0].of_finer.tolist() == np.repeat(range(4), 4).tolist()
    assert found[2].order is None
    assert np.all(np.diff(found[3].labels[found[3].order]) >= 0)


@given(st.integers(0, 2**32 - 1))
def test_each_clustering_counts_as_it_does_alone(seed):
    """Of windows of more than a day this depends on the shorter ones."""
    success, matching, cells, clusters = draw(seed)
    clusterings = [windows(1), windows(0.5), clusters, windows(0.25)]
    assert divided_clusters(sorted(clusterings, key=lambda one: one.count))[0].finer == 1
    together = EffectTests(success, clusterings, cells).test(matching)
    alone = [EffectTests(success, [one], cells).test(matching) for one in clusterings]
    assert together.design_effect == max(one.design_effect for one in alone)
    assert together.shared_design_effect == max(one.shared_design_effect for one in alone)
    assert together.degrees_of_freedom == min(one.degrees_of_freedom for one in alone)


def test_conditioning_on_other_facts_leaves_the_tests_unchanged():
    success, matching, cells, clusters = draw(3)
    tests = EffectTests(success, [windows(2), clusters], Cells.build(np.zeros(len(success), dtype=np.int32)))
    before = tests.test(matching)
    assert tests.beside(cells).test(matching) == EffectTests(success, [windows(2), clusters], cells).test(matching)
    assert tests.test(matching) == before


@given(st.integers(0, 2**32 - 1), st.floats(1e-12, 0.5), st.integers(1, 40), st.booleans())
def test_a_test_that_may_end_early_decides_as_one_that_does_not(seed, level, largest, is_by_facts):
    """Clusters of very different sizes, in which the fact and outcomes are correlated, and an effect of any size."""
    generator = np.random.default_rng(seed)
    count = int(generator.integers(60, 1_500))
    labels = np.unique(generator.integers(max(1, count // largest), size=count), return_inverse=True)[1]
    luck, kind = generator.uniform(0.1, 0.9, count), generator.uniform(0.1, 0.9, count)
    matching = generator.random(count) < kind[labels]
    success = generator.random(count) < np.clip(luck[labels] + generator.uniform(-0.6, 0.6) * matching, 0, 1)
    given_fact = generator.random(count) < 0.5
    clusters = Clustering(labels.astype(np.int32), 1 + int(labels.max()), is_by_facts=is_by_facts)
    clusterings = [clusters, *map(windows_of(count), (1, 7))]
    tests = EffectTests(success, clusterings, Cells.build((labels % 2).astype(np.int32), [given_fact]))
    final = tests.test(matching)
    early = tests.test(matching, stop_above=level, stop_below=level)
    assert (early.p_value <= level) == (final.p_value <= level)


@pytest.mark.parametrize("seed", [8, 18, 23])
def test_an_exact_p_value_that_falls_with_fewer_effective_decisions_ends_no_test(seed):
    """Of rare failures the counts are rounded, so that a larger design effect may lead to a smaller p-value."""
    generator = np.random.default_rng(seed)
    matching, failed = generator.random(600) < 0.1, np.repeat(generator.random(300) < 0.03, 2)
    tests = EffectTests(~failed, [*map(windows_of(600), (1, 3, 7))], Cells.build(np.zeros(600, dtype=np.int32)))
    final = tests.test(matching)
    assert tests.test(matching, stop_above=final.p_value) == final


def windows_of(count):
    """Windows of some days, of a record with ten decisions a day."""

    def window(days):
        labels = (np.arange(count) // (10 * days)).astype(np.int32)
        return Clustering(labels, 1 + int(labels.max()), days * DAY_MS)

    return window


def test_a_strong_effect_is_accepted_without_the_clusterings_that_cannot_change_it(monkeypatch):
    generator = np.random.default_rng(2)
    matching = generator.random(4_000) < 0.4
    success = generator.random(4_000) < 0.2 + 0.6 * matching
    pairs = Clustering((np.arange(4_000) // 2).astype(np.int32), 2_000)
    tests = EffectTests(success, [windows_of(4_000)(40), pairs], Cells.build(np.zeros(4_000, dtype=np.int32)))
    divided, divide = [], tests._clustering
    monkeypatch.setattr(tests, "_clustering", lambda number: divided.append(number) or divide(number))
    assert tests.test(matching, stop_above=1e-6, stop_below=1e-6).p_value < 1e-6
    assert len(divided) == 1
    tests.test(matching)
    assert len(divided) == 3
