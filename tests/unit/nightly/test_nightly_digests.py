"""The nightly job digests the days that have no digest, and writes again what has changed."""

from datetime import date

import pytest

from agent_memory.core.clock import DAY_MS, HOUR_MS, date_of
from agent_memory.core.errors import Conflict, InColdStorage
from agent_memory.core.ids import new_decision_id
from agent_memory.core.keys import DIGESTS, archive_file_key, digest_key, digest_manifest_key
from agent_memory.core.retention import EXPIRE_AFTER_DAYS
from agent_memory.decisions.log import DecisionLog
from agent_memory.model.digests import DayDigest, DigestManifest, unpack
from agent_memory.nightly import rollups
from agent_memory.nightly.archival import archive_due_days
from agent_memory.nightly.digests import DigestWriter, RowsOfDay
from agent_memory.nightly.rollups import roll_up_days
from agent_memory.storage.factory import in_memory_stores

AGENT = "hunter"


@pytest.fixture
def stores(clock):
    return in_memory_stores(clock)


@pytest.fixture
def log(stores, clock):
    return DecisionLog(AGENT, stores, clock)


@pytest.fixture
def written(stores, monkeypatch):
    """The keys of objects that were written."""
    keys = []
    write = stores.blobs.write

    def noted(key, body):
        keys.append(key)
        write(key, body)

    monkeypatch.setattr(stores.blobs, "write", noted)
    return keys


def log_one(log, clock, days_ago, n=0):
    decision_id = new_decision_id("TRADE", clock.now_ms() - days_ago * DAY_MS + n)
    decision = {"decision_type": "TRADE", "context": {"n": n}, "reasoning": {}, "decision_id": decision_id}
    return log.log_one(decision).decision_id


def day_of(clock, days_ago):
    return date_of(clock.now_ms() - days_ago * DAY_MS)


def run_job(stores, clock):
    return roll_up_days(AGENT, day_of(clock, 1), stores)


def manifest(stores):
    name = digest_manifest_key(AGENT)
    body = stores.blobs.read(name)
    return None if body is None else DigestManifest.from_body(name, body)


def test_missing_days_are_digested_and_changed_ones_again(stores, clock, log, written):
    ids = [log_one(log, clock, days) for days in (5, 3, 3, 1)]
    run_job(stores, clock)
    keys = [digest_key(AGENT, day_of(clock, days)) for days in (5, 3, 1)]
    assert sorted(written) == sorted([*keys, digest_manifest_key(AGENT)])
    days = manifest(stores).days
    assert {day: one.rows for day, one in days.items()} == {
        day_of(clock, n): {3: 2, 5: 1, 1: 1}.get(n, 0) for n in range(1, 6)
    }
    assert (manifest(stores).through, manifest(stores).waiting) == (day_of(clock, 1), frozenset())
    for day, digest in days.items():
        if digest.rows:
            rows, version = unpack("day", stores.blobs.read(digest_key(AGENT, day)))
            assert (version, len(rows)) == (digest.version, digest.rows)
    written.clear()
    run_job(stores, clock)
    assert written == []
    log.record_outcome({"decision_id": ids[1], "success": True, "outcome": {}})
    clock.advance(2 * HOUR_MS)
    run_job(stores, clock)
    assert written == [keys[1], digest_manifest_key(AGENT)]
    changed = manifest(stores).days
    assert [day for day in days if changed[day] != days[day]] == [day_of(clock, 3)]


def test_days_that_were_counted_before_there_were_digests_are_digested(stores, clock, log):
    for days in (2, 5):
        log_one(log, clock, days)
    run_job(stores, clock)
    stores.blobs.erase(f"{DIGESTS}agent_id={AGENT}/", dry_run=False)
    assert run_job(stores, clock) == {"days": 5, "remaining_days": 0}
    assert [day for day, one in manifest(stores).days.items() if one.rows] == [day_of(clock, 5), day_of(clock, 2)]


def test_a_job_does_the_newest_days_and_names_the_others(stores, clock, log, monkeypatch):
    for days in (1, 2, 3, 4):
        log_one(log, clock, days)
    monkeypatch.setattr(rollups, "_MAX_DECISIONS", 2)
    assert run_job(stores, clock) == {"days": 2, "remaining_days": 2}
    found = manifest(stores)
    assert [*found.days] == [day_of(clock, 2), day_of(clock, 1)]
    assert found.waiting == {day_of(clock, 3), day_of(clock, 4)}
    run_job(stores, clock)
    assert manifest(stores).waiting == set()
    assert len(manifest(stores).days) == 4


def archive_all(stores, clock):
    while archive_due_days(AGENT, day_of(clock, 1), stores)["remaining_days"]:
        pass


def test_archived_days_of_any_age_are_digested(stores, clock, log):
    for days in (2, 120, 400, 2_000):
        log_one(log, clock, days)
    archive_all(stores, clock)
    run_job(stores, clock)
    assert [day for day, one in manifest(stores).days.items() if one.rows] == [
        day_of(clock, days) for days in (2_000, 400, 120, 2)
    ]


def test_days_in_cold_storage_wait_and_few_are_restored_at_once(stores, clock, log, monkeypatch):
    for days in range(400, 440):
        log_one(log, clock, days)
    archive_all(stores, clock)
    restored, read_range = [], stores.blobs.read_range

    def cold(key, *bounds):
        if key.startswith("decisions/"):
            raise InColdStorage(f"{key} is in cold storage")
        return read_range(key, *bounds)

    with monkeypatch.context() as patch:
        patch.setattr(stores.archive, "select", lambda agent, day, *_: cold(archive_file_key(agent, day)))
        patch.setattr(stores.archive, "restore_day", lambda _, day: restored.append(day))
        run_job(stores, clock)
    assert restored == [day_of(clock, days) for days in range(400, 431)]
    assert manifest(stores).waiting == {day_of(clock, days) for days in range(400, 440)}
    run_job(stores, clock)
    assert manifest(stores).waiting == set()
    assert sum(one.rows for one in manifest(stores).days.values()) == 40


def test_expired_days_are_removed(stores, clock, log):
    log_one(log, clock, 1)
    run_job(stores, clock)
    first = day_of(clock, 1)
    clock.advance(EXPIRE_AFTER_DAYS * DAY_MS)
    log_one(log, clock, 1)
    run_job(stores, clock)
    assert first in manifest(stores).days
    clock.advance(DAY_MS)
    run_job(stores, clock)
    assert first not in manifest(stores).days
    assert stores.blobs.read(digest_key(AGENT, first)) is None


def test_a_day_whose_decisions_are_gone_has_no_object(stores, clock):
    writer, day = DigestWriter(AGENT, stores.blobs), date(2026, 1, 1)
    from tests.contract.samples import decision

    rows = RowsOfDay()
    rows.add(decision())
    writer.put(day, rows, damaged=1)
    writer.finish(day, [])
    assert writer.missing([day], None, day) == {day}
    later = DigestWriter(AGENT, stores.blobs)
    assert later.missing([day], None, day) == {day}  # damaged decisions may have been restored
    later.put(day, RowsOfDay(), damaged=0)
    later.finish(day, [])
    assert stores.blobs.list_keys(f"{DIGESTS}agent_id={AGENT}/") == [digest_manifest_key(AGENT)]
    assert DigestWriter(AGENT, stores.blobs).missing([day], None, day) == set()


def test_two_jobs_at_once_keep_what_the_other_has_written(stores, monkeypatch):
    days = [date(2026, 1, n) for n in (1, 2)]
    one, other = (DigestWriter(AGENT, stores.blobs) for _ in days)
    one.put(days[0], RowsOfDay(), damaged=0)
    other.put(days[1], RowsOfDay(), damaged=0)
    replace = stores.blobs.replace
    failures = iter([Conflict("another writer came first")])

    def racing(key, body, *, tag):
        for error in failures:
            other.finish(days[1], [])
            raise error
        return replace(key, body, tag=tag)

    monkeypatch.setattr(stores.blobs, "replace", racing)
    one.finish(days[0], [])
    empty = DayDigest(manifest(stores).days[days[0]].version, 0)
    assert manifest(stores) == DigestManifest(dict.fromkeys(days, empty), days[1])


def test_an_agent_without_decisions_has_no_manifest(stores, clock):
    run_job(stores, clock)
    assert stores.blobs.list_keys(DIGESTS) == []


def test_a_job_of_an_earlier_day_leaves_what_a_later_one_has_found(stores):
    first, second = date(2026, 1, 1), date(2026, 1, 2)
    later = DigestWriter(AGENT, stores.blobs)
    later.put(first, RowsOfDay(), damaged=0)
    later.finish(second, [second])
    expected = manifest(stores)
    assert (expected.through, expected.waiting) == (second, {second})
    DigestWriter(AGENT, stores.blobs).finish(first, [])
    assert manifest(stores) == expected
