"""The contract of an archive's days."""

from dataclasses import replace
from datetime import date

import pytest

from agent_memory.core.clock import Span
from agent_memory.core.errors import Conflict, InColdStorage
from agent_memory.core.json_values import canonical_json
from agent_memory.core.keys import archive_day_prefix, archive_prefix
from agent_memory.model.decisions import SupersededOutcome
from agent_memory.storage.parquet.decision_rows import COLUMNS
from agent_memory.storage.parquet.files import to_parquet
from agent_memory.storage.s3.blobs import S3Blobs
from tests.contract.samples import NOW, decision, outcome, write_day

DAY = date(2026, 11, 20)
FIRST_COLUMNS = list(COLUMNS)[:10]


def test_a_file_is_written_only_in_place_of_the_one_that_was_read(stores):
    one, other = decision(NOW), decision(NOW + 1)
    archive = stores.archive
    archive.write_file("hunter", DAY, archive.pack([one]), replaced=None)
    for stale in (None, replace(archive.file("hunter", DAY), tag='"0123456789abcdef0123456789abcdef"')):
        with pytest.raises(Conflict):
            archive.write_file("hunter", DAY, archive.pack([other]), replaced=stale)
        assert archive.read_day("hunter", DAY) == [one]
    before = archive.file("hunter", DAY)
    archive.write_file("hunter", DAY, archive.pack([one, other]), replaced=before)
    assert archive.read_day("hunter", DAY) == [one, other]
    with pytest.raises(Conflict):
        archive.write_file("hunter", DAY, archive.pack([one]), replaced=before)
    with pytest.raises(Conflict):
        archive.write_file("hunter", date(2026, 11, 21), archive.pack([one]), replaced=before)


def test_decisions_of_a_file_are_the_same_objects_as_equal_ones(stores):
    one, changed = decision(NOW), decision(NOW + 1)
    write_day(stores.archive, DAY, [one, changed])
    like = {one.decision_id: one, changed.decision_id: replace(changed, outcome=outcome())}
    first, second = stores.archive.decisions(stores.archive.file("hunter", DAY), like)
    assert first is one
    assert second == changed


def test_every_field_of_a_decision_is_read_back(stores):
    plain = decision(NOW, integral=1.0, text="ü\n", nothing=None)
    rich = replace(
        decision(NOW + 1),
        outcome=outcome(False, NOW + 2, "exit", integral=2.0),
        other_outcomes=(outcome(True, NOW + 3, "1h"), outcome(True, NOW + 4)),
        superseded=(SupersededOutcome(outcome(True, NOW + 5, "exit", n=1), NOW + 6),),
        revision=3,
        parent_ids=(plain.decision_id,),
        memory_ids=("whale_pump", "a=b+c"),
        policy="thompson",
        policy_version="3",
        propensity=0.1,
        joint_propensity=1.0,
    )
    packed = write_day(stores.archive, DAY, [rich, plain])
    actual = stores.archive.read_day("hunter", DAY)
    assert actual == [plain, rich]
    assert canonical_json([one.as_dict() for one in actual]) == canonical_json([plain.as_dict(), rich.as_dict()])
    assert packed.with_outcome == 1


def test_a_day_has_all_types_and_is_read_by_time_or_by_type(stores):
    kinds = ("QUERY", "LEARNING", "SIGNAL_GENERATION")
    decisions = [decision(NOW + n, kinds[n % 3]) for n in range(9)]
    write_day(stores.archive, DAY, decisions[::-1])
    assert stores.archive.read_day("hunter", DAY) == decisions
    assert stores.archive.read_day("hunter", DAY, None, ["LEARNING"]) == decisions[1::3]
    assert stores.archive.read_day("hunter", DAY, Span(NOW + 2, NOW + 6), ["QUERY", "SIGNAL_GENERATION"]) == [
        decisions[2],
        decisions[3],
        decisions[5],
    ]
    assert stores.archive.read_day("hunter", DAY, None, ["NONE_SUCH"]) == []
    in_file = [row["decision_type"] for row in stores.archive.file("hunter", DAY).rows]
    assert in_file == sorted(in_file)
    assert stores.archive.decisions(stores.archive.file("hunter", DAY)) == decisions


def test_objects_with_other_names_are_not_listed_as_days(stores):
    write_day(stores.archive, DAY, [decision()])
    for stray in ("date=soon", "decision_type=QUERY", "date=2026-11-2", "date=2026-02-30"):
        stores.blobs.write(f"{archive_prefix('hunter')}{stray}/x", b"x")
    assert stores.archive.days("hunter") == [DAY]


def test_a_file_without_newer_columns_can_be_read(stores):
    row = dict.fromkeys(FIRST_COLUMNS) | {
        "decision_id": (one := replace(decision(NOW), outcome=outcome())).decision_id,
        "decision_type": "QUERY",
        "timestamp_ms": NOW,
        **{name: canonical_json(getattr(one, name)) for name in ("context", "reasoning", "metadata")},
        "success": True,
        "outcome": canonical_json(one.outcome.details),
        "metrics": canonical_json(one.outcome.metrics),
        "outcome_recorded_ms": NOW,
    }
    body = to_parquet([row], {name: COLUMNS[name] for name in FIRST_COLUMNS})
    stores.blobs.write(f"{archive_day_prefix('hunter', DAY)}decisions.parquet", body)
    assert stores.archive.read_day("hunter", DAY) == [one]


def test_a_day_in_glacier_has_to_be_restored_first(stores):
    if not isinstance(stores.blobs, S3Blobs):
        pytest.skip("cold storage is a storage class of S3; this store keeps files")
    one = decision()
    write_day(stores.archive, DAY, [one])
    bucket, key = stores.blobs._bucket, f"{archive_day_prefix('hunter', DAY)}decisions.parquet"
    client = stores.blobs._client
    frozen = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    client.put_object(Bucket=bucket, Key=key, Body=frozen, StorageClass="GLACIER")
    for read in (
        lambda: stores.archive.read_day("hunter", DAY),
        lambda: stores.archive.get("hunter", DAY, [one.key]),
        lambda: stores.archive.file("hunter", DAY),
    ):
        with pytest.raises(InColdStorage, match="is in cold storage"):
            read()
    for _ in range(2):
        stores.archive.restore_day("hunter", DAY)
    assert client.head_object(Bucket=bucket, Key=key)["Restore"]
    stores.archive.restore_day("hunter", date(2020, 1, 1))
