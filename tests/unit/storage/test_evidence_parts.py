"""Evidence in parts: the same rows come back however many parts there are, and no day rewrites another one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_memory.core.clock import DAY_MS, END_OF_TIME_MS, Span, to_iso
from agent_memory.core.errors import Conflict, InvalidInput
from agent_memory.core.ids import decision_id_for
from agent_memory.core.keys import evidence_key
from agent_memory.model.evidence import Evidence
from agent_memory.storage.in_memory.blobs import InMemoryBlobs
from agent_memory.storage.parquet.evidence import ParquetEvidence

ALL = Span(0, END_OF_TIME_MS)
AGENT = "hunter"
DAY = 20_000 * DAY_MS


def row(n: int, at_ms: int, success: bool | None = None) -> Evidence:
    return Evidence(decision_id_for("QUERY", to_iso(at_ms), str(n)), "QUERY", at_ms, success, ("a=b",))


def store(rows_per_part: int) -> tuple[InMemoryBlobs, ParquetEvidence]:
    blobs = InMemoryBlobs()
    return blobs, ParquetEvidence(blobs, rows_per_part=rows_per_part)


def merge(evidence: ParquetEvidence, *batches: list[Evidence], oldest_ms: int = 0) -> None:
    for batch in batches:
        evidence.snapshot(AGENT).merge(iter(batch), oldest_ms=oldest_ms)


# The same few moments again and again, so that rows share a millisecond, an hour or a day.
moments = st.builds(
    lambda day, hour, ms: DAY + day * DAY_MS + hour * 3_600_000 + ms,
    st.integers(0, 3),
    st.sampled_from([0, 7, 23]),
    st.integers(0, 3),
)
batches = st.lists(
    st.lists(st.builds(row, st.integers(0, 3), moments, st.none() | st.booleans()), max_size=6), max_size=3
)


@settings(max_examples=15, deadline=None)
@given(batches, st.integers(1, 5), st.integers(0, 2))
def test_parts_have_the_rows_that_one_file_would_have(written, rows_per_part, oldest_day):
    blobs, parts = store(rows_per_part)
    _, single = store(1_000)
    for batch in written:
        unique = list({one.decision_id: one for one in batch}.values())
        for evidence in (parts, single):
            merge(evidence, unique, oldest_ms=DAY + oldest_day * DAY_MS)
    expected = list(single.read(AGENT, ALL))
    snapshot = parts.snapshot(AGENT)
    assert list(snapshot.rows(ALL)) == expected
    assert sorted(one.decision_id for one in snapshot.rows_of([one.decision_id for one in expected])) == sorted(
        one.decision_id for one in expected
    )
    span = Span(DAY + DAY_MS // 2, DAY + 2 * DAY_MS)
    assert list(snapshot.rows(span)) == [one for one in expected if span.start_ms <= one.timestamp_ms < span.end_ms]
    for part, count in snapshot.row_counts().items():
        rows = list(snapshot.rows(part))
        assert len(rows) == count
        assert count <= rows_per_part or len({one.timestamp_ms for one in rows}) == 1
        assert part.start_ms // DAY_MS == (part.end_ms - 1) // DAY_MS
    # Nothing is left of parts that were replaced.
    counts = snapshot.row_counts()
    assert len(blobs.list_keys("evidence/")) == (len(counts) + 1 if counts else bool(written))


def test_writing_one_day_rewrites_no_other():
    blobs, evidence = store(3)
    merge(evidence, [row(n, DAY + n % 3 * DAY_MS + n) for n in range(9)])
    before = {key: blobs.read(key) for key in blobs.list_keys("evidence/")}
    merge(evidence, [row(100, DAY + 3 * DAY_MS), row(1, DAY + DAY_MS + 1, success=True)])
    after = {key: blobs.read(key) for key in blobs.list_keys("evidence/")}
    changed = {key for key in {*before, *after} if before.get(key) != after.get(key)}
    assert len(changed) == 4  # the list, the new day, and the old and the new version of the day that has changed
    assert not [key for key in changed if "date=2024-10-04" in key or "date=2024-10-06" in key]


def test_few_rows_stay_in_one_object():
    blobs, evidence = store(3)
    merge(evidence, [row(n, DAY + n * DAY_MS) for n in range(3)])
    assert blobs.list_keys("evidence/") == [evidence_key(AGENT)]
    assert evidence.snapshot(AGENT).row_counts() == {}


def test_of_two_writers_the_second_has_to_begin_again():
    _, evidence = store(2)
    merge(evidence, [row(n, DAY + n) for n in range(5)])
    first, second = evidence.snapshot(AGENT), evidence.snapshot(AGENT)
    first.merge([row(6, DAY + 6)], oldest_ms=0)
    with pytest.raises(Conflict, match="meanwhile"):
        second.merge([row(7, DAY + DAY_MS)], oldest_ms=0)
    assert len(list(evidence.read(AGENT, ALL))) == 6


def test_an_interrupted_writer_leaves_the_evidence_as_it_was(monkeypatch):
    blobs, evidence = store(2)
    merge(evidence, [row(n, DAY + n) for n in range(5)])
    before = list(evidence.read(AGENT, ALL))
    with monkeypatch.context() as patched:
        patched.setattr(blobs, "replace", lambda *_, **__: pytest.fail("killed"))
        with pytest.raises(pytest.fail.Exception):
            merge(evidence, [row(9, DAY + 9), row(0, DAY, success=True)])
    assert list(evidence.read(AGENT, ALL)) == before
    merge(evidence, [row(9, DAY + 9), row(0, DAY, success=True)])
    assert len(list(evidence.read(AGENT, ALL))) == 6


def test_a_part_holds_at_least_one_decision():
    with pytest.raises(InvalidInput, match="rows_per_part"):
        ParquetEvidence(InMemoryBlobs(), rows_per_part=0)
