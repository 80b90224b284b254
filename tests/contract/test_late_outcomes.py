"""Late decisions and outcomes reach the archive with the next nightly job, in whichever tier the decision is."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agent_memory.archive.rewrites import rewrite_requests
from agent_memory.archive.verification import verify_archive
from agent_memory.core.clock import DAY_MS, HOUR_MS, FixedClock, date_of, day_start_ms
from agent_memory.core.errors import Conflict, NotFound, Unavailable
from agent_memory.core.ids import new_decision_id, timestamp_of
from agent_memory.core.keys import archive_file_key
from agent_memory.decisions.log import DecisionLog
from agent_memory.model.decisions import DecisionKey
from agent_memory.nightly import archival
from agent_memory.nightly.archival import archive_due_days
from tests.contract.samples import NOW
from tests.faults import FailingOnce

AGENT = "hunter"
TODAY = date_of(NOW)
OLD, OLDER = TODAY - timedelta(days=40), TODAY - timedelta(days=100)


@pytest.fixture
def log(stores, clock):
    return DecisionLog(AGENT, stores, clock)


def run_archival(stores, day, **other):
    """Run the job of a day right after its end."""
    job_clock = FixedClock(day_start_ms(day) + DAY_MS)
    return archive_due_days(AGENT, day, replace(stores, clock=job_clock, **other))


def time_on(day, hour=9):
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def logged(log, day, n=0, **fields):
    decision = {
        "decision_type": "QUERY",
        "context": {"n": n},
        "reasoning": {},
        "timestamp": time_on(day, 9 + n),
        **fields,
    }
    return log.log_one(decision).decision_id


def outcome_input(decision_id, n=1, **fields):
    return {"decision_id": decision_id, "outcome": {"n": n}, "success": True, **fields}


def is_clean(stores, clock):
    return verify_archive(AGENT, states=stores.states, archive=stores.archive, now_ms=clock.now_ms()).is_clean


def archived(stores, day):
    return {one.decision_id: one for one in stores.archive.read_day(AGENT, day)}


def in_table(stores, decision_id):
    return stores.decisions.get([DecisionKey(AGENT, "QUERY", timestamp_of(decision_id), decision_id)])[0]


@pytest.fixture
def days(stores, clock, log):
    """Two decisions on each of two days, both archived; the older day has expired from the table."""
    ids = {day: [logged(log, day, n) for n in range(2)] for day in (OLDER, OLD)}
    run_archival(stores, TODAY - timedelta(days=1))
    run_archival(stores, TODAY - timedelta(days=1))
    assert set(archived(stores, OLD)) == set(ids[OLD])
    assert set(archived(stores, OLDER)) == set(ids[OLDER])
    assert in_table(stores, ids[OLDER][0]) is None
    clock.advance(6 * HOUR_MS)
    return ids


@pytest.mark.parametrize("day", [OLD, OLDER])
def test_a_late_outcome_is_in_the_archive_after_the_next_job(stores, log, clock, days, day):
    first, second = days[day]
    log.record_outcomes([outcome_input(first), outcome_input(second, horizon="1h")])
    assert log.get(first).outcome.details == {"n": 1}
    assert archived(stores, day)[first].outcome is None
    clock.advance(2 * HOUR_MS)
    figures = run_archival(stores, TODAY)
    assert (figures["rewritten"], figures["postponed"]) == (1, [])
    clock.advance(30 * DAY_MS)
    assert archived(stores, day)[first].outcome.details == {"n": 1}
    assert archived(stores, day)[second].outcome.horizon == "1h"
    assert (in_table(stores, first) is None) == (day == OLDER)
    assert log.get(first).outcome.details == {"n": 1}
    assert stores.archive.manifest(AGENT, day).revision == 2
    assert is_clean(stores, clock)
    assert archived(stores, OLD if day == OLDER else OLDER)[days[OLD if day == OLDER else OLDER][0]].outcome is None


def test_a_late_outcome_does_not_change_other_types_of_its_day(stores, log, clock, days):
    (first, _) = days[OLDER]
    other = logged(log, OLDER, 3, decision_type="LEARNING")
    for n in range(2):
        run_archival(stores, TODAY + timedelta(days=n))
        clock.advance(DAY_MS)
    assert log.get(other) == archived(stores, OLDER)[other]
    log.record_outcome(outcome_input(first))
    run_archival(stores, TODAY + timedelta(days=2))
    clock.advance(DAY_MS)
    assert set(archived(stores, OLDER)) == {*days[OLDER], other}
    assert archived(stores, OLDER)[first].outcome.details == {"n": 1}
    assert log.get(other).context == {"n": 3}
    assert stores.archive.manifest(AGENT, OLDER).revision == 3
    assert is_clean(stores, clock)


@pytest.mark.parametrize("day", [OLD, OLDER])
def test_a_late_amendment_is_archived_and_keeps_the_replaced_outcome(stores, log, clock, days, day):
    (first, _) = days[day]
    log.record_outcome(outcome_input(first))
    run_archival(stores, TODAY)
    clock.advance(DAY_MS)
    assert str(log.record_outcome(outcome_input(first)).status) == "unchanged"
    with pytest.raises(Conflict):
        log.record_outcome(outcome_input(first, 2))
    log.record_outcome(outcome_input(first, 2, amend=True))
    run_archival(stores, TODAY + timedelta(days=1))
    found = archived(stores, day)[first]
    assert (found.outcome.details, [one.outcome.details for one in found.superseded]) == ({"n": 2}, [{"n": 1}])
    assert stores.archive.manifest(AGENT, day).revision == 3


@pytest.mark.parametrize("day", [OLD, OLDER])
def test_a_late_decision_is_archived(stores, log, clock, days, day):
    late = logged(log, day, 5)
    clock.advance(2 * HOUR_MS)
    run_archival(stores, TODAY)
    assert set(archived(stores, day)) == {*days[day], late}
    clock.advance(60 * DAY_MS)
    assert in_table(stores, late) is None
    assert log.get(late).context == {"n": 5}


def test_a_repeated_decision_is_recognized_after_its_expiry_from_the_table(stores, log, days):
    (first, _) = days[OLDER]
    decision = {"decision_type": "QUERY", "context": {"n": 0}, "reasoning": {}, "decision_id": first}
    same, other, new = log.log([decision, {**decision, "context": {"n": 9}}, {**decision, "decision_id": None}])
    assert [str(one.status) for one in (same, other, new)] == ["unchanged", "conflict", "created"]
    assert in_table(stores, first) is None
    with pytest.raises(NotFound):
        log.record_outcome(outcome_input(new_decision_id("QUERY", day_start_ms(OLDER) + 1)))


def test_a_writer_without_the_archive_cannot_remove_archived_outcomes(stores, log, clock, days):
    first, second = days[OLDER]
    log.record_outcomes([outcome_input(first), outcome_input(second)])
    run_archival(stores, TODAY)
    clock.advance(DAY_MS)
    stores.decisions.erase(AGENT, dry_run=False)  # as expiry does, hours or days late
    log_without_archive = DecisionLog(AGENT, replace(stores, archive=None), clock)
    for n, one in enumerate((first, second)):
        log_without_archive.log_one(
            {"decision_type": "QUERY", "context": {"n": n}, "reasoning": {}, "decision_id": one}
        )
    log_without_archive.record_outcome(outcome_input(second, 5))
    run_archival(stores, TODAY + timedelta(days=1))
    assert [archived(stores, OLDER)[one].outcome.details for one in (first, second)] == [{"n": 1}, {"n": 1}]
    assert in_table(stores, first) is None
    assert in_table(stores, second).outcome.details == {"n": 5}


def test_only_late_writes_request_a_rewrite_once_per_day(stores, log, days):
    logged(log, TODAY - timedelta(days=28))
    log.record_outcome(outcome_input(logged(log, TODAY - timedelta(days=2))))
    assert rewrite_requests(stores.states, AGENT) == []
    for decision_id in days[OLD]:
        log.record_outcome(outcome_input(decision_id))
    assert [request.day for request in rewrite_requests(stores.states, AGENT)] == [OLD]


def test_a_request_is_removed_by_its_job_and_a_recent_one_by_the_next_job(stores, log, clock, days):
    log.record_outcome(outcome_input(days[OLD][0]))
    assert run_archival(stores, TODAY - timedelta(days=1))["rewritten"] == 1
    assert run_archival(stores, TODAY)["rewritten"] == 1
    clock.advance(DAY_MS)
    assert run_archival(stores, TODAY + timedelta(days=1))["rewritten"] == 0
    assert rewrite_requests(stores.states, AGENT) == []
    assert stores.archive.manifest(AGENT, OLD).revision == 2


class OutcomeBeforeExpiry:
    """A store in which a decision gets an outcome after a nightly job has read it and before it sets the expiry."""

    def __init__(self, inner, log, decision_id):
        self._inner, self._log, self._decision_id = inner, log, decision_id

    def __getattr__(self, name):
        return getattr(self._inner, name)

    def expire(self, decisions, at_ms):
        if self._decision_id in {one.decision_id for one in decisions}:
            self._log.record_outcome(outcome_input(self._decision_id))
        return self._inner.expire(decisions, at_ms)


def test_an_outcome_logged_during_a_nightly_job_is_not_lost(stores, log, clock):
    day = TODAY - timedelta(days=31)
    decision_id = logged(log, day)
    run_archival(stores, TODAY - timedelta(days=1), decisions=OutcomeBeforeExpiry(stores.decisions, log, decision_id))
    assert rewrite_requests(stores.states, AGENT) != []
    run_archival(stores, TODAY)
    clock.advance(70 * DAY_MS)
    assert in_table(stores, decision_id) is None
    assert log.get(decision_id).outcome.details == {"n": 1}


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    ("store", "method", "calls_before"),
    [
        *[("states", "put", n) for n in range(2)],
        *[("archive", name, 0) for name in ("file", "write_file", "write_manifest")],
        ("decisions", "expire", 0),
        ("states", "remove", 0),
    ],
)
@pytest.mark.parametrize("day", [OLD, OLDER])
def test_a_failed_rewrite_is_repeated(stores, log, clock, days, day, store, method, calls_before, after):
    log.record_outcome(outcome_input(days[day][0]))
    clock.advance(2 * HOUR_MS)
    broken = {store: FailingOnce(getattr(stores, store), method, calls_before, after=after)}
    with suppress(Unavailable):
        assert run_archival(stores, TODAY, **broken)["postponed"] != []
    run_archival(stores, TODAY + timedelta(days=1))
    (first, second) = days[day]
    found = archived(stores, day)
    assert (found[first].outcome.details, found[second].outcome) == ({"n": 1}, None)
    assert stores.archive.manifest(AGENT, day).revision == 2
    assert is_clean(stores, clock)
    assert rewrite_requests(stores.states, AGENT) == []
    clock.advance(60 * DAY_MS)
    assert [in_table(stores, one) for one in days[day]] == [None, None]
    assert log.get(first).outcome.details == {"n": 1}


def test_a_tampered_day_is_not_sealed_again(stores, log, clock, days):
    first = days[OLDER][0]
    log.record_outcome(outcome_input(first))
    packed = stores.archive.pack([one for one in archived(stores, OLDER).values() if one.decision_id == first])
    stores.blobs.write(archive_file_key(AGENT, OLDER), packed.body)
    clock.advance(2 * HOUR_MS)
    figures = run_archival(stores, TODAY)
    assert figures["rewritten"] == 0
    (postponed,) = figures["postponed"]
    assert postponed["date"] == OLDER.isoformat()
    assert "differs from its seal" in postponed["why"]
    assert stores.blobs.read(archive_file_key(AGENT, OLDER)) == packed.body
    assert [request.day for request in rewrite_requests(stores.states, AGENT)] == [OLDER]
    assert log.get(first).outcome.details == {"n": 1}


def test_a_day_with_more_decisions_than_fit_into_memory_waits_and_others_do_not(stores, log, clock, monkeypatch):
    before = OLD - timedelta(days=1)
    large, small = [logged(log, before, n) for n in range(4)], [logged(log, OLD, n) for n in range(3)]
    monkeypatch.setattr(archival, "MAX_DECISIONS_PER_DAY", 3)
    figures = run_archival(stores, TODAY)
    (postponed,) = figures["postponed"]
    assert (postponed["date"], postponed["code"]) == (before.isoformat(), "day_too_large")
    assert "more than 3 decisions" in postponed["why"]
    assert set(archived(stores, OLD)) == set(small)
    assert archived(stores, before) == {}
    clock.advance(400 * DAY_MS)
    assert all(in_table(stores, one) for one in large)
    monkeypatch.undo()
    assert run_archival(stores, TODAY + timedelta(days=1))["postponed"] == []
    assert set(archived(stores, before)) == set(large)
