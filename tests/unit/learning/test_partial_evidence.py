"""A record read in parts: however it is divided and merged, learning sees exactly the record in one piece."""

import subprocess
import sys
from dataclasses import fields
from functools import reduce
from random import Random
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_memory.core.clock import DAY_MS
from agent_memory.learning import partial_evidence
from agent_memory.learning.evidence_table import build_tables, tables_of
from agent_memory.learning.identification import build_datasets, identify_in_datasets
from agent_memory.learning.monitoring import DriftMonitor, evaluate
from agent_memory.learning.partial_evidence import PartialEvidence, TypeEvidence, name_digest
from agent_memory.learning.patterns import PatternThresholds
from agent_memory.learning.performance import source_performance
from agent_memory.model.evidence import Evidence

names = st.text(alphabet="aé\ud800", max_size=2)
rows = st.builds(
    Evidence,
    decision_id=st.integers(0, 40).map("d-{}".format),
    decision_type=st.sampled_from(["QUERY", "LEARNING"]),
    timestamp_ms=st.integers(0, 5).map(lambda n: n * DAY_MS // 2),
    success=st.none() | st.booleans(),
    features=st.sets(names.map("key={}".format), max_size=4).map(sorted).map(tuple),
    known_ms=st.integers(0, 2**40),
    question=names,
    cluster=names | st.integers(0, 40).map("d-{}".format),
    earlier=st.lists(st.tuples(st.integers(0, 2**40), st.none() | st.booleans()), max_size=2).map(tuple),
)
records = st.lists(rows, max_size=25, unique_by=lambda row: row.decision_id)


def same(one: object, other: object) -> bool:
    """Whether two results are equal bit for bit, whatever dataclasses and arrays they are made of."""
    if isinstance(one, np.ndarray):
        assert isinstance(other, np.ndarray)
        return one.dtype == other.dtype and one.tobytes() == other.tobytes()
    if hasattr(one, "__dataclass_fields__"):
        return all(same(getattr(one, field.name), getattr(other, field.name)) for field in fields(one))  # type: ignore[arg-type]  it is a dataclass
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def divided(record: list[Evidence], parts: int, random: Random) -> list[PartialEvidence]:
    """The record in parts that have nothing to do with time, each read in another order."""
    of_parts: list[list[Evidence]] = [[] for _ in range(parts)]
    for row in random.sample(record, len(record)):
        random.choice(of_parts).append(row)
    return [PartialEvidence.of(iter(one)) for one in of_parts]


def merged_somehow(parts: list[PartialEvidence], random: Random) -> PartialEvidence:
    """The parts merged in a random order and grouping."""
    parts = list(parts)
    while len(parts) > 1:
        random.shuffle(parts)
        count = random.randint(2, len(parts))
        parts = [*parts[count:], PartialEvidence.merged(parts[:count])]
    return parts[0]


@given(records, st.integers(1, 6), st.randoms(use_true_random=False))
def test_any_division_and_any_order_of_merging_gives_the_same_tables(record, parts, random):
    merged = merged_somehow(divided(record, parts, random), random)
    assert same(merged, PartialEvidence.of(record))
    assert same(tables_of(merged), build_tables(record))


@given(records, st.integers(1, 5))
def test_how_many_rows_are_read_at_once_makes_no_difference(record, rows_at_once):
    expected = PartialEvidence.of(record)
    with patch.object(partial_evidence, "_ROWS_AT_ONCE", rows_at_once):
        assert same(PartialEvidence.of(record), expected)


@given(records, records, records)
def test_merging_is_associative_and_commutative(first, second, third):
    seen: set[str] = set()
    parts = []
    for record in (first, second, third):
        parts.append(PartialEvidence.of(row for row in record if row.decision_id not in seen))
        seen.update(row.decision_id for row in record)
    a, b, c = parts

    def merge(one: PartialEvidence, other: PartialEvidence) -> PartialEvidence:
        return PartialEvidence.merged([one, other])

    assert same(merge(a, merge(b, c)), merge(merge(a, b), c))
    assert same(merge(a, b), merge(b, a))
    assert same(merge(a, PartialEvidence.of([])), a)
    assert same(reduce(merge, [c, a, b]), PartialEvidence.merged([a, b, c]))


@settings(max_examples=20, deadline=None)
@given(record=records)
def test_another_process_reads_what_was_saved(tmp_path_factory, record):
    part, folder = PartialEvidence.of(record), tmp_path_factory.mktemp("part") / "0"
    part.save(folder)
    assert same(PartialEvidence.merged([PartialEvidence.load(folder)]), part)


def planted(seed: int, count: int = 1_500) -> list[Evidence]:
    """A record with an effect, questions, positions that last from day to day, and decisions without an outcome."""
    random, record = Random(seed), []
    for n in range(count):
        at_ms = n * 60 * DAY_MS // count
        facts = {f"fact{key}={random.randint(0, 2)}" for key in range(4)} | {f"source={random.choice('abc')}"}
        rate = 0.45 + 0.35 * ("fact0=1" in facts) - 0.2 * ("source=a" in facts)
        success = None if random.random() < 0.02 else random.random() < rate
        cluster = f"position_id={n // 3}" if random.random() < 0.3 else ""
        question = random.choice(["range", "trend"])
        record.append(Evidence(f"d-{n}", "QUERY", at_ms, success, tuple(sorted(facts)), -1, question, cluster))
    return record


def learned(evidence: PartialEvidence) -> object:
    """Everything that is computed of evidence: patterns, the state of a known one, and performance."""
    thresholds = PatternThresholds()
    datasets = build_datasets(tables_of(evidence), thresholds)
    identification = identify_in_datasets(datasets, thresholds)
    monitor = DriftMonitor(log_odds=0.5, through_ms=20 * DAY_MS)
    state = evaluate(
        datasets[0], ["fact0=1"], monitor, judged_from_ms=0, final_before_ms=50 * DAY_MS, thresholds=thresholds
    )
    return identification, state, list(source_performance(datasets, thresholds))


@pytest.mark.slow
@settings(max_examples=5, deadline=None)
@given(st.integers(0, 1_000), st.integers(2, 7))
def test_statements_estimates_and_monitoring_are_those_of_one_piece(seed, parts):
    record, random = planted(seed), Random(seed)
    expected = learned(PartialEvidence.of(record))
    assert expected[0].patterns
    assert same(learned(merged_somehow(divided(record, parts, random), random)), expected)


def test_a_cluster_that_spans_parts_is_one_cluster():
    record = [Evidence(f"d-{n}", "QUERY", n, True, (), cluster=f"position_id={n % 2}") for n in range(6)]
    (table,) = tables_of(PartialEvidence.merged([PartialEvidence.of([row]) for row in record]))
    assert table.cluster_codes.tolist() == [0, 1, 0, 1, 0, 1]


def test_digests_are_the_same_in_every_process():
    script = "from agent_memory.learning.partial_evidence import name_digest; print(name_digest('position_id=é'))"
    printed = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert int(printed) == name_digest("position_id=é") == -1146457892733989874


def test_an_empty_part_has_no_types():
    assert PartialEvidence.of([]).types == {}
    one = PartialEvidence.of([Evidence("d-1", "QUERY", 1, None, ())]).types["QUERY"]
    assert isinstance(one, TypeEvidence)
    assert (len(one.resolved), len(one.pending)) == (0, 1)
