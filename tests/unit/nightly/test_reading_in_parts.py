"""A job whose decisions were read in parts by several machines leads to the same memories as any other job."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_memory.core.clock import DAY_MS, Span
from agent_memory.core.errors import InvalidInput, Unavailable
from agent_memory.core.keys import ACTIVITY, LEARNING_PROGRESS, decisions_read_prefix
from agent_memory.model.evidence import Evidence
from agent_memory.model.listings import raise_error
from agent_memory.nightly.consolidation import consolidate, parts_of_job
from agent_memory.nightly.reading import Part, ReadDecision, _decoded, _encoded, parts_to_read, read_part
from agent_memory.storage.in_memory.blobs import InMemoryBlobs
from agent_memory.storage.parquet.evidence import ParquetEvidence
from tests.unit.nightly.test_days_in_any_order import AGENT, FIRST, TYPES, history

ROWS_PER_PART = 7


def in_parts(stores):
    """The stores with evidence in parts of a few decisions."""
    return replace(stores, evidence=ParquetEvidence(stores.blobs, rows_per_part=ROWS_PER_PART))


def run_in_parts(day, stores):
    """The job of a day as the state machine runs it; returns the parts that were read, and the figures."""
    parts = parts_of_job(AGENT, day, stores, most=ROWS_PER_PART)
    for part in reversed(parts):
        for _ in range(2):  # a part that is read again changes nothing
            read_part(Part.of_event(AGENT, day, part.as_event()["part"]), stores, raise_error)
    return parts, consolidate(AGENT, day, stores, parts=parts)


def stored(stores):
    """What a job leaves: memories with every version, evidence and states."""
    memories = {kind: [one.as_dict() for one in stores.memories.all_versions(AGENT, kind)] for kind in TYPES}
    states = [stores.states.get(AGENT, name).data for name in (LEARNING_PROGRESS, ACTIVITY)]
    return memories, list(stores.evidence.read(AGENT, Span(0, 2**52))), states


@pytest.mark.slow
def test_jobs_in_parts_lead_to_the_same_memories():
    (single, _), (divided, _) = history(), history()
    divided = in_parts(divided)
    read_in_parts = []
    for n in (20, 21, 24, 24):  # the first one, the next day, after missed days, and again
        day = FIRST + timedelta(days=n)
        expected = consolidate(AGENT, day, single)
        parts, figures = run_in_parts(day, divided)
        assert figures == expected
        read_in_parts.append(bool(parts))
        assert stored(divided) == stored(single)
    assert read_in_parts == [False, True, True, True]
    assert stored(single)[0]["PATTERN"]
    assert stored(single)[0]["STRATEGY"]


def test_a_part_that_was_not_read_is_an_error_and_nothing_is_learned():
    stores, _ = history()
    stores = in_parts(stores)
    consolidate(AGENT, FIRST, stores)
    day = FIRST + timedelta(days=1)
    parts = parts_of_job(AGENT, day, stores, most=ROWS_PER_PART)
    for part in parts[1:]:
        read_part(part, stores, raise_error)
    before = list(stores.evidence.read(AGENT, Span(0, 2**52)))
    with pytest.raises(Unavailable, match="were not read"):
        consolidate(AGENT, day, stores, parts=parts)
    assert list(stores.evidence.read(AGENT, Span(0, 2**52))) == before
    read_part(parts[0], stores, raise_error)
    assert consolidate(AGENT, day, stores, parts=parts)["days"] == 1
    assert consolidate(AGENT, day, stores, parts=parts)["days"] == 1  # the last day may be learned again
    later = day + timedelta(days=1)
    run_in_parts(later, stores)
    assert stores.blobs.list_keys(decisions_read_prefix(AGENT, day)) == []
    assert stores.blobs.list_keys(decisions_read_prefix(AGENT, later))


counts = st.lists(st.integers(1, 40), min_size=1, max_size=10)


@settings(max_examples=20, deadline=None)
@given(counts, st.integers(1, 20))
def test_parts_cover_every_day_once_and_hold_about_as_many_as_they_should(of_days, most):
    class Snapshot:
        def row_counts(self):
            return {Span(n * DAY_MS, (n + 1) * DAY_MS): count for n, count in enumerate(of_days)}

    span = Span(0, (len(of_days) + 1) * DAY_MS)  # with a day that the evidence does not have yet
    parts = parts_to_read(AGENT, date(1970, 2, 1), [span], Snapshot(), most)
    if max(of_days) <= most:
        assert parts == []
        return
    assert [one.span.start_ms for one in parts] == [0, *(one.span.end_ms for one in parts[:-1])]
    assert parts[-1].span.end_ms == span.end_ms
    for n, count in enumerate([*of_days, max(of_days[-7:])]):
        of_day = [one for one in parts if one.span.start_ms // DAY_MS == n]
        assert len(of_day) == -(-count // most)
        assert of_day[-1].span.end_ms == (n + 1) * DAY_MS


def test_an_hour_that_has_all_decisions_of_a_day_is_divided():
    hour, most = 3_600_000, 200_000
    bounds = [0, 10 * hour + hour // 3, 10 * hour + 2 * hour // 3, DAY_MS]

    class Snapshot:
        def row_counts(self):
            return {Span(*one): most for one in pairwise(bounds)}

    span = Span(0, 2 * DAY_MS)  # the second day is not in the evidence yet
    parts = parts_to_read(AGENT, date(1970, 1, 3), [span], Snapshot(), most)
    expected = [Span(start + shift, end + shift) for shift in (0, DAY_MS) for start, end in pairwise(bounds)]
    assert [one.span for one in parts] == expected


def test_evidence_in_one_file_is_read_by_one_machine():
    snapshot = ParquetEvidence(InMemoryBlobs()).snapshot(AGENT)
    assert parts_to_read(AGENT, FIRST, [Span(0, DAY_MS)], snapshot, 1) == []


@pytest.mark.parametrize(
    "part", [None, {}, {"start_ms": 1}, {"start_ms": 2, "end_ms": 2}, {"start_ms": "1", "end_ms": 2}]
)
def test_an_event_names_a_part_or_is_refused(part):
    with pytest.raises(InvalidInput, match="start_ms and a later end_ms"):
        Part.of_event(AGENT, FIRST, part)


texts = st.text(max_size=3)
read_decisions = st.builds(
    ReadDecision,
    row=st.builds(
        Evidence,
        decision_id=texts,
        decision_type=texts,
        timestamp_ms=st.integers(0, 2**50),
        success=st.none() | st.booleans(),
        features=st.lists(texts, max_size=2).map(tuple),
        known_ms=st.integers(0, 2**50),
        cluster=texts,
        earlier=st.lists(st.tuples(st.integers(0, 2**50), st.none() | st.booleans()), max_size=2).map(tuple),
        propensity=st.none() | st.floats(0, 1),
        numbers=st.lists(st.tuples(texts, st.floats(allow_nan=False, allow_infinity=False)), max_size=2).map(tuple),
    ),
    uses_memory=st.booleans(),
    confidence=st.none() | st.floats(0, 1),
    first_recorded_ms=st.none() | st.integers(0, 2**50),
)


@given(st.lists(read_decisions, max_size=3))
def test_what_was_read_comes_back_as_it_was(rows):
    assert list(_decoded(_encoded(rows))) == rows
