"""Bit counting equals plain counting, and implied combinations are the ones that add no decision."""

import time
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from agent_memory.learning.counting import Counts, count_combinations, without_implied
from benchmarks.plain_counting import plain_counts


def as_dict(counts: Counts) -> dict[tuple[int, ...], tuple[int, int]]:
    return {
        tuple(int(member) for member in members if member >= 0): (int(n), int(k))
        for members, n, k in zip(counts.members, counts.occurrences, counts.successes, strict=True)
    }


@st.composite
def records(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    columns, decisions = draw(st.integers(0, 7)), draw(st.integers(0, 150))
    return draw(arrays(np.bool_, (columns, decisions))), draw(arrays(np.bool_, decisions))


@given(records(), st.integers(1, 3), st.integers(1, 6))
@settings(max_examples=150, deadline=None)
def test_equals_the_plain_loop(record, max_features, min_occurrences):
    rows, success = record
    counts = count_combinations(rows, success, max_features=max_features, min_occurrences=min_occurrences)
    assert as_dict(counts) == plain_counts(
        rows.tolist(), success.tolist(), max_features=max_features, min_occurrences=min_occurrences
    )


def test_equals_the_plain_loop_beyond_one_block():
    # More than 256 pairs and more than 256 words of 64 decisions on either side.
    generator = np.random.default_rng(5)
    rows = generator.random((25, 40_000)) < 0.03
    success = generator.random(40_000) < 0.5
    counts = count_combinations(rows, success, min_occurrences=2)
    assert as_dict(counts) == plain_counts(rows.tolist(), success.tolist(), max_features=3, min_occurrences=2)


@given(records())
@settings(max_examples=100, deadline=None)
def test_implied_combinations_are_those_with_a_part_that_matches_the_same_decisions(record):
    rows, success = record
    plain = plain_counts(rows.tolist(), success.tolist(), max_features=3, min_occurrences=2)
    expected = {
        members: counts
        for members, counts in plain.items()
        if all(plain[part][0] != counts[0] for size in range(1, len(members)) for part in combinations(members, size))
    }
    counts = count_combinations(rows, success, min_occurrences=2)
    assert as_dict(without_implied(counts, len(rows))) == expected


@pytest.mark.slow
def test_is_far_faster_than_the_plain_loop():
    generator = np.random.default_rng(1)
    rows = generator.random((36, 20_000)) < 0.3
    success = generator.random(20_000) < 0.5
    start = time.process_time()
    counts = count_combinations(rows, success, min_occurrences=30)
    fast = time.process_time() - start
    start = time.process_time()
    plain = plain_counts(rows.tolist(), success.tolist(), max_features=3, min_occurrences=30)
    slow = time.process_time() - start
    assert as_dict(counts) == plain
    assert slow > 20 * fast
