"""Files of evidence: every field comes back, and files of earlier versions are read."""

from dataclasses import replace
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from agent_memory.core.clock import DAY_MS, END_OF_TIME_MS, Span
from agent_memory.model.evidence import Evidence
from agent_memory.storage.in_memory.blobs import InMemoryBlobs
from agent_memory.storage.parquet import files
from agent_memory.storage.parquet.evidence import ParquetEvidence, evidence_rows
from agent_memory.storage.parquet.evidence_rows import COLUMNS, OPTIONAL
from agent_memory.storage.parquet.files import stream_parquet, to_parquet
from agent_memory.storage.parquet.kept_rows import KeptRows

ALL = Span(0, END_OF_TIME_MS)
# With what JSON escapes, and what separates the texts of a list in it.
texts = st.text(alphabet='aé=|",\\\n[', max_size=4)
results = st.lists(st.tuples(st.integers(0, 2**40), st.none() | st.booleans()), max_size=3).map(tuple)
rows = st.builds(
    Evidence,
    decision_id=st.integers(0, 9).map("d-{}".format),
    decision_type=st.sampled_from(["QUERY", "LEARNING"]),
    timestamp_ms=st.integers(0, 1_000),
    success=st.none() | st.booleans(),
    features=st.lists(texts, max_size=3).map(tuple),
    known_ms=st.integers(0, 2**40),
    question=texts,
    cluster=texts,
    earlier=results,
    numbers=st.dictionaries(texts, st.floats(allow_nan=False, allow_infinity=False), max_size=3).map(
        lambda numbers: tuple(sorted(numbers.items()))
    ),
    policy=texts,
    policy_version=texts,
    propensity=st.none() | st.floats(1e-9, 1),
    joint_propensity=st.none() | st.floats(1e-9, 1),
    ancestors=st.lists(texts, max_size=2).map(tuple),
    experiments=st.lists(texts, max_size=1).map(tuple),
    memory_ids=st.lists(texts, max_size=1).map(tuple),
    rewards=st.sampled_from([(), (("outcome.pnl", -1.5),)]),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(rows, max_size=6, unique_by=lambda row: row.decision_id), st.sampled_from([1, 2, 256]))
def test_every_field_of_a_row_comes_back(written, rows_at_once):
    blobs = InMemoryBlobs()
    with patch.object(files, "_ROWS_AT_ONCE", rows_at_once):
        returned = list(ParquetEvidence(blobs).snapshot("hunter").merge(iter(written), oldest_ms=0).rows(ALL))
    assert returned == sorted(written, key=lambda row: (row.timestamp_ms, row.decision_id))
    assert returned == list(ParquetEvidence(blobs).read("hunter", ALL))


def with_id_of_its_time(row):
    time = f"{row.timestamp_ms:012x}"
    return replace(row, decision_id=f"{time[:8]}-{time[8:]}-7000-8000-{row.decision_id[2:]:0>12}")


spans = st.tuples(st.integers(0, 1_000), st.integers(1, 1_000)).map(lambda one: Span(one[0], sum(one)))
written_rows = st.lists(rows.map(with_id_of_its_time), max_size=6, unique_by=lambda row: row.decision_id)
merges = st.tuples(written_rows, st.integers(0, 500))


@settings(max_examples=25, deadline=None)
@given(st.lists(merges, max_size=4), spans, st.sampled_from([3, 100]))
def test_rows_that_are_kept_are_those_of_the_files(batches, span, rows_per_part):
    ids = [row.decision_id for written, _ in batches for row in written][1::2]

    def answers(kept):
        blobs = InMemoryBlobs()
        evidence = ParquetEvidence(blobs, rows_per_part=rows_per_part, kept=kept)
        for written, oldest_ms in batches:
            after = evidence.snapshot("hunter").merge(iter(written), oldest_ms=oldest_ms)
            yield list(after.rows(span)), list(after.rows_of(ids))
            yield list(evidence.read("hunter", ALL)), list(evidence.of_experiments("hunter", span))
        yield {key: blobs.read(key) for key in blobs.list_keys("")}

    assert list(answers(KeptRows())) == list(answers(KeptRows(max_bytes=0)))


def test_only_so_many_bytes_are_kept():
    kept = KeptRows(max_bytes=10)
    first, second = ([Evidence(name, "QUERY", 7, True, ())] for name in ("d-1", "d-2"))
    assert kept.of(b"123456", lambda: first) is first
    assert kept.of(b"123456", lambda: second) is first
    assert kept.of(b"654321", lambda: second) is second
    assert kept.of(b"123456", lambda: second) is second  # the older one gave way
    assert kept.of(b"more than ten", lambda: first) is None


def test_to_read_a_day_does_not_decode_all_rows_of_a_file():
    kept, blobs = KeptRows(), InMemoryBlobs()
    written = [Evidence(f"d-{at_ms}", "QUERY", at_ms, True, ()) for at_ms in (7, 8, DAY_MS)]
    ParquetEvidence(blobs).snapshot("hunter").merge(written, oldest_ms=0)
    (key,) = blobs.list_keys("")
    evidence = ParquetEvidence(blobs, kept=kept)
    assert list(evidence.read("hunter", Span(0, DAY_MS))) == written[:2]
    assert kept.found(blobs.read(key)) is None
    assert list(evidence.read("hunter", ALL)) == kept.found(blobs.read(key)) == written


def test_a_file_from_before_decisions_had_policies_lacks_nothing():
    with_policy = Evidence("d-1", "QUERY", 7, True, ("a=b",), policy="thompson", propensity=0.5)
    blobs = InMemoryBlobs()
    ParquetEvidence(blobs).snapshot("hunter").merge([with_policy], oldest_ms=0)
    columns = {name: kind for name, kind in COLUMNS.items() if name not in OPTIONAL}
    (key,) = blobs.list_keys("")
    rows = [dict(zip(columns, row, strict=True)) for row in stream_parquet(blobs.read(key), columns)]
    blobs.write(key, to_parquet(rows, columns))
    snapshot = ParquetEvidence(blobs).snapshot("hunter")
    assert snapshot.is_complete
    assert list(snapshot.rows(ALL)) == [replace(with_policy, policy="", propensity=None)]


def test_a_file_of_an_earlier_version_is_read_and_merged():
    columns = {
        "decision_id": "VARCHAR",
        "decision_type": "VARCHAR",
        "timestamp_ms": "BIGINT",
        "success": "BOOLEAN",
        "features": "VARCHAR[]",
    }
    old = {"decision_id": "d-1", "decision_type": "QUERY", "timestamp_ms": 7, "success": True, "features": ["a=b"]}
    body = to_parquet([old], columns)
    before = Evidence("d-1", "QUERY", 7, True, ("a=b",), known_ms=7)
    assert list(evidence_rows(body, ALL)) == [before]
    blobs = InMemoryBlobs()
    blobs.write("evidence/agent_id=hunter/evidence.parquet", body)
    new = Evidence("d-2", "QUERY", 9, None, (), question="range", cluster="position_id=1")
    snapshot = ParquetEvidence(blobs).snapshot("hunter")
    assert not snapshot.is_complete
    after = snapshot.merge([new], oldest_ms=0)
    assert after.is_complete
    assert list(after.rows(ALL)) == [before, new]
    assert list(after.rows_of(["d-2", "d-3"])) == [new]
    assert list(after.merge([], oldest_ms=8).rows(ALL)) == [new]


def test_rows_of_experiments_are_those_that_belong_to_one():
    evidence = ParquetEvidence(InMemoryBlobs())
    written = [Evidence(f"d-{n}", "QUERY", n, True, (), experiments=(("e",), ())[n % 2]) for n in range(4)]
    evidence.snapshot("hunter").merge(written, oldest_ms=0)
    assert list(evidence.of_experiments("hunter", ALL)) == [written[0], written[2]]
    assert list(evidence.of_experiments("hunter", Span(1, 3))) == [written[2]]
