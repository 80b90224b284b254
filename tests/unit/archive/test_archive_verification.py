"""Verification detects every tampering with the archive, and reports nothing for the product's own writes."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from archives import (
    AGENT,
    DAYS,
    FIRST,
    PER_DAY,
    TYPES,
    Tampering,
    archive_of,
    run_nightly_job,
    sealed_archive,
    sealed_with_versions,
)

from agent_memory.archive.verification import verify_archive
from agent_memory.core.clock import DAY_MS, FixedClock, day_start_ms
from agent_memory.core.errors import InvalidInput, Unavailable
from agent_memory.core.keys import ARCHIVE_CHAIN, archive_file_key, archive_manifest_key
from agent_memory.core.retention import EXPIRE_AFTER_DAYS
from agent_memory.decisions.log import DecisionLog
from agent_memory.model.seals import ROW_HASH, Chain, row_hash, short_hash
from agent_memory.nightly.archival import archive_due_days
from tests.faults import FailingOnce

LAST = FIRST + timedelta(days=DAYS - 1)


@pytest.fixture(scope="module")
def sealed():
    """Stores, clock, the archive's objects, and all their versions. Tests change copies only."""
    return sealed_with_versions()


def verify(sealed, objects, **days):
    stores, clock, *_ = sealed
    return verify_archive(AGENT, states=stores.states, archive=archive_of(objects), now_ms=clock.now_ms(), **days)


def kinds(verification):
    return [(str(one.kind), one.day) for one in verification.findings]


def test_an_archive_of_nightly_jobs_and_late_outcomes_is_clean(sealed):
    verification = verify(sealed, sealed[2])
    assert verification.findings == ()
    assert (verification.days, verification.decisions) == (DAYS, DAYS * len(TYPES) * PER_DAY)
    assert verification.manifests == DAYS + 3
    assert verification.head == Chain.from_state(sealed[0].states.get(AGENT, ARCHIVE_CHAIN)).head.hash


@pytest.mark.parametrize("seeds", [range(60), pytest.param(range(60, 1_000), marks=pytest.mark.slow)], ids=len)
def test_every_tampering_is_detected(sealed, seeds):
    *_, objects, versions = sealed
    missed, tried = [], Counter()
    for seed in seeds:
        tampering = Tampering(objects, versions, seed)
        assert tampering.objects != objects, (seed, tampering.name)
        tried[tampering.name] += 1
        if verify(sealed, tampering.objects).is_clean:
            missed.append((seed, tampering.name))
    assert missed == []
    assert len(tried) == 13


def changed(sealed, key, edit):
    """The objects with the rows of a file edited."""
    tampering = Tampering.__new__(Tampering)
    tampering.objects = dict(sealed[2])
    rows = tampering._rows(key)
    edit(rows)
    return tampering.with_rows(key, rows)


def test_a_changed_decision_is_named(sealed):
    key, seen = archive_file_key(AGENT, FIRST), []

    def edit(rows):
        seen.append(rows[3]["decision_id"])
        rows[3]["reasoning"] = '{"why":"because of something else"}'

    (finding,) = verify(sealed, changed(sealed, key, edit)).findings
    assert (str(finding.kind), finding.day) == ("changed", FIRST)
    assert finding.decision_id == seen[0]
    assert finding.as_dict()["day"] == "2026-07-01"


def test_the_day_of_a_decision_that_was_changed_with_its_hash_is_named(sealed):
    def edit(rows):
        rows[3]["reasoning"] = '{"why":"because of something else"}'
        rows[3][ROW_HASH] = short_hash(row_hash(rows[3]))
        assert len(rows[3][ROW_HASH]) == 3

    (finding,) = verify(sealed, changed(sealed, archive_file_key(AGENT, FIRST), edit)).findings
    assert (str(finding.kind), finding.day, finding.decision_id) == ("changed", FIRST, None)


@pytest.mark.parametrize(
    ("edit", "kind"),
    [
        (lambda rows: rows.pop(), "removed"),
        (lambda rows: rows.clear(), "removed"),
        (lambda rows: rows.append(rows[0]), "added"),
        (lambda rows: rows.reverse(), "reordered"),
        (lambda rows: rows.insert(0, rows.pop()), "reordered"),
    ],
)
def test_removed_added_and_reordered_decisions_are_distinguished(sealed, edit, kind):
    verification = verify(sealed, changed(sealed, archive_file_key(AGENT, FIRST), edit))
    assert (kind, FIRST) in kinds(verification)


def without(objects, *keys):
    return {key: body for key, body in objects.items() if key not in keys}


def test_a_lost_file_a_lost_manifest_and_a_lost_day_are_distinguished(sealed):
    objects = sealed[2]
    file, manifest = archive_file_key(AGENT, LAST), archive_manifest_key(AGENT, LAST, 1)
    assert kinds(verify(sealed, without(objects, file))) == [("removed", LAST)]
    assert kinds(verify(sealed, without(objects, manifest))) == [("missing_manifest", LAST)] * 2
    assert kinds(verify(sealed, without(objects, file, manifest))) == [("missing_manifest", LAST)]


@pytest.mark.parametrize(
    "name", ["date=2026-07-01/_manifest-00001.json", "date=2026-07-01/more.parquet", "date=2026-7-1/x"]
)
def test_an_object_that_the_archive_did_not_write_is_reported(sealed, name):
    key = archive_file_key(AGENT, FIRST).replace("date=2026-07-01/decisions.parquet", name)
    copied = sealed[2][archive_manifest_key(AGENT, FIRST, 1)]
    (finding,) = verify(sealed, {**sealed[2], key: copied}).findings
    assert str(finding.kind) == "added"
    assert key in finding.message


def test_the_loss_of_the_entire_archive_is_detected(sealed):
    assert kinds(verify(sealed, {})) == [("missing_manifest", FIRST), ("missing_manifest", None)]


def test_without_its_head_in_the_table_no_manifest_is_confirmed(sealed):
    stores, clock = sealed_archive()
    stores.states.remove(AGENT, ARCHIVE_CHAIN)
    verification = verify_archive(AGENT, states=stores.states, archive=stores.archive, now_ms=clock.now_ms())
    assert Counter(str(one.kind) for one in verification.findings) == {
        "added": 6,
        "missing_manifest": 3,
        "rolled_back": 1,
    }
    assert verification.head is None


def test_days_outside_the_range_are_not_read(sealed):
    objects = without(sealed[2], archive_file_key(AGENT, FIRST))
    assert verify(sealed, objects, first=FIRST + timedelta(days=1)).is_clean
    assert verify(sealed, objects, last=FIRST, first=FIRST).days == 1
    assert not verify(sealed, objects, last=FIRST).is_clean


@pytest.mark.parametrize("method", ["file", "objects", "manifest_body"])
def test_an_unreadable_store_is_an_error(sealed, method):
    stores, clock, objects, _ = sealed
    broken = FailingOnce(archive_of(objects), method, 0, after=False)
    with pytest.raises(Unavailable):
        verify_archive(AGENT, states=stores.states, archive=broken, now_ms=clock.now_ms())
    with pytest.raises(InvalidInput):
        verify_archive("No Agent", states=stores.states, archive=stores.archive, now_ms=0)


def test_objects_that_expired_after_seven_years_are_not_reported(sealed):
    stores, clock, objects, _ = sealed
    manifests = [archive_manifest_key(AGENT, FIRST + timedelta(days=n), 1) for n in range(DAYS)]
    remaining = archive_of(without(objects, archive_file_key(AGENT, LAST), *manifests))
    later = clock.now_ms() + EXPIRE_AFTER_DAYS * DAY_MS
    assert not verify_archive(AGENT, states=stores.states, archive=remaining, now_ms=later - 40 * DAY_MS).is_clean
    assert verify_archive(AGENT, states=stores.states, archive=remaining, now_ms=later).is_clean
    nothing_left = verify_archive(AGENT, states=stores.states, archive=archive_of({}), now_ms=later)
    assert (nothing_left.status, nothing_left.is_clean) == ("nothing_checked", False)


@pytest.mark.parametrize("method", ["write_file", "write_manifest"])
def test_an_interrupted_write_is_reported_as_unfinished_and_completed_by_the_next_job(method):
    stores, clock = sealed_archive()
    log = DecisionLog(AGENT, stores, clock)
    decision_id = stores.archive.read_day(AGENT, FIRST)[2].decision_id
    log.record_outcome({"decision_id": decision_id, "outcome": {}, "success": False, "horizon": "late"})
    broken = FailingOnce(stores.archive, method, 0, after=True)
    day = FIRST + timedelta(days=60)
    job_clock = FixedClock(day_start_ms(day) + DAY_MS)
    archive_due_days(AGENT, day, replace(stores, archive=broken, clock=job_clock))
    arguments = {"states": stores.states, "archive": stores.archive, "now_ms": clock.now_ms()}
    assert ("unfinished", FIRST) in kinds(verify_archive(AGENT, **arguments))
    run_nightly_job(stores, clock)
    assert verify_archive(AGENT, **arguments).is_clean
    assert stores.archive.manifest(AGENT, FIRST).revision == 4
