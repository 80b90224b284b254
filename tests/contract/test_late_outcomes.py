"""What is logged about an archived day reaches the archive with the next night, wherever the decision lies."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agent_memory.archive.rewrites import rewrite_requests
from agent_memory.archive.verification import verify_archive
from agent_memory.core.clock import DAY_MS, HOUR_MS, date_of, day_start_ms
from agent_memory.core.errors import Conflict, NotFound, Unavailable
from agent_memory.core.ids import new_decision_id, timestamp_of
from agent_memory.core.keys import archive_file_key
from agent_memory.decisions.log import DecisionLog
from agent_memory.model.decisions import DecisionKey
from agent_memory.nightly.archival import archive_due_days
from tests.contract.samples import NOW
from tests.faults import FailingOnce

AGENT = "hunter"
TODAY = date_of(NOW)
OLD, OLDER = TODAY - timedelta(days=40), TODAY - timedelta(days=100)


@pytest.fixture
def log(stores, clock):
    return DecisionLog(AGENT, stores, clock)


def night(stores, day, **other):
    return archive_due_days(AGENT, day, replace(stores, **other))


def moment(day, hour=9):
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def logged(log, day, n=0, **about):
    decision = {
        "decision_type": "QUERY",
        "context": {"n": n},
        "reasoning": {},
        "timestamp": moment(day, 9 + n),
        **about,
    }
    return log.log_one(decision).decision_id


def report(decision_id, n=1, **about):
    return {"decision_id": decision_id, "outcome": {"n": n}, "success": True, **about}


def is_as_sealed(stores, clock):
    return verify_archive(AGENT, states=stores.states, archive=stores.archive, now_ms=clock.now_ms()).is_clean


def archived(stores, day):
    return {one.decision_id: one for one in stores.archive.read_day(AGENT, day)}


def in_table(stores, decision_id):
    return stores.decisions.get([DecisionKey(AGENT, "QUERY", timestamp_of(decision_id), decision_id)])[0]


@pytest.fixture
def days(stores, clock, log):
    """Two decisions on each of two days, both days archived; the older has left the table."""
    ids = {day: [logged(log, day, n) for n in range(2)] for day in (OLDER, OLD)}
    night(stores, TODAY - timedelta(days=1))
    night(stores, TODAY - timedelta(days=1))
    assert set(archived(stores, OLD)) == set(ids[OLD])
    assert set(archived(stores, OLDER)) == set(ids[OLDER])
    assert in_table(stores, ids[OLDER][0]) is None
    clock.advance(6 * HOUR_MS)
    return ids


@pytest.mark.parametrize("day", [OLD, OLDER])
def test_a_late_outcome_is_in_the_archive_after_the_next_night(stores, log, clock, days, day):
    first, second = days[day]
    log.record_outcomes([report(first), report(second, horizon="1h")])
    assert log.get(first).outcome.details == {"n": 1}
    assert archived(stores, day)[first].outcome is None
    clock.advance(2 * HOUR_MS)
    figures = night(stores, TODAY)
    assert (figures["rewritten"], figures["postponed"]) == (1, [])
    clock.advance(30 * DAY_MS)
    assert archived(stores, day)[first].outcome.details == {"n": 1}
    assert archived(stores, day)[second].outcome.horizon == "1h"
    assert (in_table(stores, first) is None) == (day == OLDER)
    assert log.get(first).outcome.details == {"n": 1}
    assert stores.archive.manifest(AGENT, day).revision == 2
    assert is_as_sealed(stores, clock)
    assert archived(stores, OLD if day == OLDER else OLDER)[days[OLD if day == OLDER else OLDER][0]].outcome is None


def test_a_late_outcome_leaves_the_day_s_other_types_as_they_were(stores, log, clock, days):
    (first, _) = days[OLDER]
    other = logged(log, OLDER, 3, decision_type="LEARNING")
    for n in range(2):
        night(stores, TODAY + timedelta(days=n))
        clock.advance(DAY_MS)
    assert log.get(other) == archived(stores, OLDER)[other]
    log.record_outcome(report(first))
    night(stores, TODAY + timedelta(days=2))
    clock.advance(DAY_MS)
    assert set(archived(stores, OLDER)) == {*days[OLDER], other}
    assert archived(stores, OLDER)[first].outcome.details == {"n": 1}
    assert log.get(other).context == {"n": 3}
    assert stores.archive.manifest(AGENT, OLDER).revision == 3
    assert is_as_sealed(stores, clock)


@pytest.mark.parametrize("day", [OLD, OLDER])
def test_a_late_amendment_is_and_what_it_replaces_stays(stores, log, clock, days, day):
    (first, _) = days[day]
    log.record_outcome(report(first))
    night(stores, TODAY)
    clock.advance(DAY_MS)
    assert str(log.record_outcome(report(first)).status) == "unchanged"
    with pytest.raises(Conflict):
        log.record_outcome(report(first, 2))
    log.record_outcome(report(first, 2, amend=True))
    night(stores, TODAY + timedelta(days=1))
    found = archived(stores, day)[first]
    assert (found.outcome.details, [one.outcome.details for one in found.superseded]) == ({"n": 2}, [{"n": 1}])
    assert stores.archive.manifest(AGENT, day).revision == 3


@pytest.mark.parametrize("day", [OLD, OLDER])
def test_a_decision_that_is_logged_late_is(stores, log, clock, days, day):
    late = logged(log, day, 5)
    clock.advance(2 * HOUR_MS)
    night(stores, TODAY)
    assert set(archived(stores, day)) == {*days[day], late}
    clock.advance(60 * DAY_MS)
    assert in_table(stores, late) is None
    assert log.get(late).context == {"n": 5}


def test_a_decision_is_known_again_after_it_has_left_the_table(stores, log, days):
    (first, _) = days[OLDER]
    decision = {"decision_type": "QUERY", "context": {"n": 0}, "reasoning": {}, "decision_id": first}
    same, other, new = log.log([decision, {**decision, "context": {"n": 9}}, {**decision, "decision_id": None}])
    assert [str(one.status) for one in (same, other, new)] == ["unchanged", "conflict", "created"]
    assert in_table(stores, first) is None
    with pytest.raises(NotFound):
        log.record_outcome(report(new_decision_id("QUERY", day_start_ms(OLDER) + 1)))


def test_what_a_writer_without_the_archive_logs_again_takes_nothing_from_it(stores, log, clock, days):
    first, second = days[OLDER]
    log.record_outcomes([report(first), report(second)])
    night(stores, TODAY)
    clock.advance(DAY_MS)
    stores.decisions.erase(AGENT, dry_run=False)  # as expiry does, hours or days late
    blind = DecisionLog(AGENT, replace(stores, archive=None), clock)
    for n, one in enumerate((first, second)):
        blind.log_one({"decision_type": "QUERY", "context": {"n": n}, "reasoning": {}, "decision_id": one})
    blind.record_outcome(report(second, 5))
    night(stores, TODAY + timedelta(days=1))
    assert [archived(stores, OLDER)[one].outcome.details for one in (first, second)] == [{"n": 1}, {"n": 1}]
    assert in_table(stores, first) is None
    assert in_table(stores, second).outcome.details == {"n": 5}


def test_what_is_logged_in_time_marks_nothing_and_what_is_late_marks_its_day_once(stores, log, days):
    logged(log, TODAY - timedelta(days=28))
    log.record_outcome(report(logged(log, TODAY - timedelta(days=2))))
    assert rewrite_requests(stores.states, AGENT) == []
    for decision_id in days[OLD]:
        log.record_outcome(report(decision_id))
    assert [mark.day for mark in rewrite_requests(stores.states, AGENT)] == [OLD]


def test_a_mark_goes_with_its_night_and_a_fresh_one_with_the_night_after(stores, log, clock, days):
    log.record_outcome(report(days[OLD][0]))
    assert night(stores, TODAY - timedelta(days=1))["rewritten"] == 1
    assert night(stores, TODAY)["rewritten"] == 1
    clock.advance(DAY_MS)
    assert night(stores, TODAY + timedelta(days=1))["rewritten"] == 0
    assert rewrite_requests(stores.states, AGENT) == []
    assert stores.archive.manifest(AGENT, OLD).revision == 2


class OutcomeBeforeExpiry:
    """Decisions, one of which gets an outcome while a night is between reading it and letting it expire."""

    def __init__(self, inner, log, decision_id):
        self._inner, self._log, self._decision_id = inner, log, decision_id

    def __getattr__(self, name):
        return getattr(self._inner, name)

    def expire(self, decisions, at_ms):
        if self._decision_id in {one.decision_id for one in decisions}:
            self._log.record_outcome(report(self._decision_id))
        return self._inner.expire(decisions, at_ms)


def test_an_outcome_that_comes_in_the_middle_of_a_night_is_not_lost(stores, log, clock):
    day = TODAY - timedelta(days=31)
    decision_id = logged(log, day)
    night(stores, TODAY - timedelta(days=1), decisions=OutcomeBeforeExpiry(stores.decisions, log, decision_id))
    assert rewrite_requests(stores.states, AGENT) != []
    night(stores, TODAY)
    clock.advance(70 * DAY_MS)
    assert in_table(stores, decision_id) is None
    assert log.get(decision_id).outcome.details == {"n": 1}


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
def test_a_rewriting_that_breaks_is_done_again(stores, log, clock, days, day, store, method, calls_before, after):
    log.record_outcome(report(days[day][0]))
    clock.advance(2 * HOUR_MS)
    broken = {store: FailingOnce(getattr(stores, store), method, calls_before, after=after)}
    with suppress(Unavailable):
        assert night(stores, TODAY, **broken)["postponed"] != []
    night(stores, TODAY + timedelta(days=1))
    (first, second) = days[day]
    found = archived(stores, day)
    assert (found[first].outcome.details, found[second].outcome) == ({"n": 1}, None)
    assert stores.archive.manifest(AGENT, day).revision == 2
    assert is_as_sealed(stores, clock)
    assert rewrite_requests(stores.states, AGENT) == []
    clock.advance(60 * DAY_MS)
    assert [in_table(stores, one) for one in days[day]] == [None, None]
    assert log.get(first).outcome.details == {"n": 1}


def test_a_day_that_was_changed_behind_our_back_is_not_sealed_anew(stores, log, clock, days):
    first = days[OLDER][0]
    log.record_outcome(report(first))
    packed = stores.archive.pack([one for one in archived(stores, OLDER).values() if one.decision_id == first])
    stores.blobs.write(archive_file_key(AGENT, OLDER), packed.body)
    clock.advance(2 * HOUR_MS)
    figures = night(stores, TODAY)
    assert figures["rewritten"] == 0
    (postponed,) = figures["postponed"]
    assert postponed["date"] == OLDER.isoformat()
    assert "differs from its seal" in postponed["why"]
    assert stores.blobs.read(archive_file_key(AGENT, OLDER)) == packed.body
    assert [mark.day for mark in rewrite_requests(stores.states, AGENT)] == [OLDER]
    assert log.get(first).outcome.details == {"n": 1}
