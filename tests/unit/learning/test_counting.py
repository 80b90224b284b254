"""Counting in bits equals counting in a loop, and redundant combinations are those that a part of them implies."""

from itertools import combinations
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from agent_memory.learning import counting
from agent_memory.learning.counting import (
    CellCounter,
    CombinationCounts,
    FactBytes,
    count_combinations,
    remove_redundant,
)
from benchmarks.plain_counting import count_in_loop


def as_dict(counts: CombinationCounts) -> dict[tuple[int, ...], tuple[int, int]]:
    return {
        tuple(int(member) for member in members if member >= 0): (int(n), int(k))
        for members, n, k in zip(counts.members, counts.occurrences, counts.successes, strict=True)
    }


def counted_in_loop(rows, success, *, max_features=3, min_occurrences=2):
    decisions = [
        ([int(row) for row in np.flatnonzero(column)], bool(won)) for column, won in zip(rows.T, success, strict=True)
    ]
    return count_in_loop(decisions, max_features=max_features, min_occurrences=min_occurrences)


@st.composite
def records(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    features, decisions = draw(st.integers(0, 7)), draw(st.integers(0, 150))
    return draw(arrays(np.bool_, (features, decisions))), draw(arrays(np.bool_, decisions))


def has_decisions(record: tuple[np.ndarray, np.ndarray]) -> bool:
    return len(record[1]) > 0


@given(records(), st.integers(1, 3), st.integers(1, 6))
@settings(max_examples=150, deadline=None)
def test_equals_the_loop(record, max_features, min_occurrences):
    rows, success = record
    limits = {"max_features": max_features, "min_occurrences": min_occurrences}
    assert as_dict(count_combinations(rows, success, **limits)) == counted_in_loop(rows, success, **limits)


@given(
    records().filter(has_decisions),
    st.integers(1, 5),
    st.integers(0, 2**32),
    st.sampled_from([1, 64, 1 << 16]),
)
@settings(max_examples=100, deadline=None)
def test_counts_by_cell_are_those_of_the_decisions_of_each_cell(record, cells, seed, block_words):
    rows, success = record
    of = np.unique(np.random.default_rng(seed).integers(cells, size=len(success)), return_inverse=True)[1]
    counted = count_combinations(rows, success).members
    with patch.object(counting, "_BLOCK_WORDS", block_words):
        occurrences, successes = CellCounter(FactBytes(rows, success), of.astype(np.int32)).count(counted)
    for members, *of_members in zip(counted, occurrences, successes, strict=True):
        matching = rows[members[members >= 0]].all(axis=0)
        for found, chosen in zip(of_members, (matching, matching & success), strict=True):
            assert found.tolist() == np.bincount(of[chosen], minlength=len(found)).tolist()


@pytest.mark.slow
def test_equals_the_loop_beyond_one_block():
    # More than 256 pairs, and more than 256 words of 64 decisions for both outcomes.
    generator = np.random.default_rng(5)
    rows = generator.random((25, 40_000)) < 0.03
    success = generator.random(40_000) < 0.5
    assert as_dict(count_combinations(rows, success, min_occurrences=2)) == counted_in_loop(rows, success)


@pytest.mark.slow
@given(records())
@settings(max_examples=100, deadline=None)
def test_redundant_combinations_are_those_with_a_part_that_matches_the_same_decisions(record):
    rows, success = record
    expected = counted_in_loop(rows, success)
    not_redundant = {
        members: counts
        for members, counts in expected.items()
        if all(
            expected[part][0] != counts[0] for size in range(1, len(members)) for part in combinations(members, size)
        )
    }
    counts = count_combinations(rows, success, min_occurrences=2)
    assert as_dict(remove_redundant(counts, len(rows))) == not_redundant
