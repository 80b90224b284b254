"""Late outcomes and amendments are noted for the nightly job, until it has read them."""

from contextlib import suppress
from dataclasses import replace

import pytest

from agent_memory.admin.importing.decisions import DecisionImport
from agent_memory.admin.importing.report import ImportReport
from agent_memory.core.clock import DAY_MS, HOUR_MS, FixedClock, date_of
from agent_memory.core.errors import Damaged, Unavailable
from agent_memory.core.ids import new_decision_id
from agent_memory.core.keys import late_outcomes_state_type
from agent_memory.decisions.log import DecisionLog
from agent_memory.nightly.days import LearnedDays
from agent_memory.nightly.late_outcomes import noted_outcomes, remove_notes
from tests.contract.samples import NOW, decision, new_agent
from tests.contract.samples import outcome as result

TODAY_MS = NOW - NOW % DAY_MS


def logged(log, days_ago, kind="QUERY"):
    decision_id = new_decision_id(kind, NOW - days_ago * DAY_MS)
    log.log_one({"decision_type": kind, "context": {}, "reasoning": {}, "decision_id": decision_id})
    return decision_id


def outcome(decision_id, pnl=1, **options):
    return {"decision_id": decision_id, "success": True, "outcome": {"pnl": pnl}, **options}


def start_learning(stores, agent, days_ago=1):
    """Announce the job of a day, as that does before it reads."""
    LearnedDays(agent, stores).start(date_of(NOW - days_ago * DAY_MS))


def ids_of(notes):
    return [key.decision_id for one in notes for key in one.keys]


def test_outcomes_are_noted_from_the_second_day_after_the_decision_on(stores, clock):
    agent = new_agent()
    log = DecisionLog(agent, stores, clock)
    start_learning(stores, agent)
    ids = [logged(log, days, kind) for days, kind in ((0, "QUERY"), (1, "QUERY"), (2, "LEARNING"), (40, "QUERY"))]
    log.record_outcomes([outcome(one) for one in ids])
    (note,) = noted_outcomes(stores.states, agent)
    assert {(key.decision_id, key.decision_type) for key in note.keys} == {(ids[2], "LEARNING"), (ids[3], "QUERY")}
    found = stores.decisions.get(note.keys)
    assert [one.outcome.details for one in found] == [{"pnl": 1}] * 2


def test_a_note_stays_until_it_was_read_when_it_was_old_enough(stores, clock):
    agent = new_agent()
    log = DecisionLog(agent, stores, clock)
    start_learning(stores, agent)
    ids = [logged(log, days_ago) for days_ago in (3, 40)]
    log.record_outcomes([outcome(one) for one in ids])
    log.record_outcomes([outcome(one, 3, amend=True) for one in ids])  # in the same period
    notes = noted_outcomes(stores.states, agent)
    assert sorted(ids_of(notes)) == sorted(ids)
    remove_notes(stores.states, agent, notes, clock.now_ms(), ())
    assert noted_outcomes(stores.states, agent) == notes
    read_ms = clock.now_ms()
    clock.advance(2 * HOUR_MS)
    log.record_outcome(outcome(ids[1], 4, amend=True))
    remove_notes(stores.states, agent, notes, read_ms, ())  # however long the job took
    assert len(noted_outcomes(stores.states, agent)) == 2
    remove_notes(stores.states, agent, notes, clock.now_ms(), {ids[0]})  # which is damaged
    assert len(noted_outcomes(stores.states, agent)) == 2
    remove_notes(stores.states, agent, noted_outcomes(stores.states, agent), clock.now_ms(), ())
    assert ids_of(noted_outcomes(stores.states, agent)) == [ids[1]]


def test_nothing_is_noted_before_anything_is_learned(stores, clock):
    agent = new_agent()
    log = DecisionLog(agent, stores, clock)
    decision_id = logged(log, 5)
    log.record_outcome(outcome(decision_id))
    log.record_outcome(outcome(decision_id, 2, amend=True))
    assert noted_outcomes(stores.states, agent) == []
    start_learning(stores, agent)
    log.record_outcome(outcome(decision_id, 3, amend=True))
    assert ids_of(noted_outcomes(stores.states, agent)) == [decision_id]


def recorded_while(log, stores, monkeypatch, decision_id, act):
    """Record an outcome; `act` is called just before it is written, and returns what is noted then."""
    record, noted = stores.decisions.record_outcomes, []

    def acting(updates):
        noted.extend(act())
        return record(updates)

    with monkeypatch.context() as patched:
        patched.setattr(stores.decisions, "record_outcomes", acting)
        log.record_outcome(outcome(decision_id))
    return noted


def test_an_outcome_is_noted_if_the_first_job_begins_while_it_is_written(stores, clock, monkeypatch):
    agent = new_agent()
    log = DecisionLog(agent, stores, clock)
    decision_id = logged(log, 5)
    recorded_while(log, stores, monkeypatch, decision_id, lambda: start_learning(stores, agent) or [])
    assert ids_of(noted_outcomes(stores.states, agent)) == [decision_id]


def fail(*_, **__):
    raise Unavailable("down")


def test_a_note_is_there_before_its_outcome(stores, clock, monkeypatch):
    agent = new_agent()
    log = DecisionLog(agent, stores, clock)
    start_learning(stores, agent)
    decision_id = logged(log, 5)
    with monkeypatch.context() as patched:
        patched.setattr(stores.decisions, "record_outcomes", fail)
        with suppress(Unavailable):
            log.record_outcome(outcome(decision_id))
    assert ids_of(noted_outcomes(stores.states, agent)) == [decision_id]


def test_an_outcome_that_cannot_be_noted_is_not_written(stores, clock, monkeypatch):
    agent = new_agent()
    log = DecisionLog(agent, stores, clock)
    start_learning(stores, agent)
    decision_id = logged(log, 5)
    with monkeypatch.context() as patched:
        patched.setattr(stores.states, "put", fail)
        with pytest.raises(Unavailable):
            log.record_outcome(outcome(decision_id))
    assert log.get(decision_id).outcome is None


@pytest.mark.parametrize(("minutes_before", "is_noted"), [(11, False), (9, True)])
def test_outcomes_of_the_last_minutes_before_a_job_are_noted_before_they_are_written(
    stores, monkeypatch, minutes_before, is_noted
):
    """The job of the next day reads all decisions of a day, but perhaps just before this outcome is written."""
    agent = new_agent()
    clock = FixedClock(TODAY_MS + 2 * DAY_MS - minutes_before * 60_000)
    log = DecisionLog(agent, stores, clock)
    start_learning(stores, agent, days_ago=0)
    decision_id = new_decision_id("QUERY", TODAY_MS + 1)
    log.log_one({"decision_type": "QUERY", "context": {}, "reasoning": {}, "decision_id": decision_id})
    noted = recorded_while(log, stores, monkeypatch, decision_id, lambda: noted_outcomes(stores.states, agent))
    assert ids_of(noted) == ids_of(noted_outcomes(stores.states, agent)) == ([decision_id] if is_noted else [])


@pytest.mark.parametrize("days_ago", [40, 39])
def test_what_a_job_may_miss_while_it_is_written_stays_noted(stores, clock, monkeypatch, days_ago):
    """The last job that reads all decisions of the day begins to read: that of the day before, or none, has begun."""
    agent = new_agent()
    log = DecisionLog(agent, stores, clock)
    start_learning(stores, agent, days_ago=days_ago + 1)
    decision_id = logged(log, 40)

    def begin():
        noted = noted_outcomes(stores.states, agent)
        start_learning(stores, agent, days_ago=39)
        return noted

    noted = recorded_while(log, stores, monkeypatch, decision_id, begin)
    assert ids_of(noted) == ([decision_id] if days_ago == 39 else [])
    assert ids_of(noted_outcomes(stores.states, agent)) == [decision_id]


def test_of_a_replayed_history_only_what_comes_after_its_job_is_noted(stores, clock):
    """The job of a day and the next one read what was logged before them, whatever the clock says."""
    agent = new_agent()
    log = DecisionLog(agent, stores, clock)
    start_learning(stores, agent, days_ago=41)
    noted = []
    for days_ago in range(40, 30, -1):
        of_today, of_yesterday = logged(log, days_ago), logged(log, days_ago + 1)
        log.record_outcomes([outcome(of_today), outcome(of_yesterday)])
        noted.append(of_yesterday)
        assert sorted(ids_of(noted_outcomes(stores.states, agent))) == sorted(noted)
        start_learning(stores, agent, days_ago=days_ago)


def test_what_was_perhaps_written_is_noted(stores, clock, monkeypatch):
    agent = new_agent()
    log = DecisionLog(agent, stores, clock)
    decision_id = logged(log, 5)

    def fail_as_the_first_job_begins(_):
        start_learning(stores, agent)
        raise Unavailable("no answer")

    with monkeypatch.context() as patched, suppress(Unavailable):
        patched.setattr(stores.decisions, "record_outcomes", fail_as_the_first_job_begins)
        log.record_outcome(outcome(decision_id))
    assert ids_of(noted_outcomes(stores.states, agent)) == [decision_id]


def test_a_damaged_note_is_named_and_kept(stores, clock):
    agent = new_agent()
    log = DecisionLog(agent, stores, clock)
    start_learning(stores, agent)
    ids = [logged(log, 5), logged(log, 6)]
    name = late_outcomes_state_type(0, "0")
    stores.states.put(agent, name, {}, expected_version=0, now_ms=0)
    log.record_outcomes([outcome(one) for one in ids])
    unreadable = []
    notes = noted_outcomes(stores.states, agent, on_unreadable=unreadable.append)
    assert sorted(ids_of(notes)) == sorted(ids)
    assert [one.id for one in unreadable] == [name]
    with pytest.raises(Damaged, match=name):
        noted_outcomes(stores.states, agent)
    clock.advance(2 * HOUR_MS)
    remove_notes(stores.states, agent, notes, clock.now_ms(), ())
    assert stores.states.get(agent, name) is not None


def test_many_late_outcomes_take_few_notes_and_a_job_reads_the_oldest_first(stores, clock):
    agent = new_agent()
    log = DecisionLog(agent, stores, clock)
    start_learning(stores, agent)
    inputs = [new_decision_id("QUERY", NOW - (10 + n % 50) * DAY_MS - n) for n in range(600)]
    log.log([{"decision_type": "QUERY", "context": {}, "reasoning": {}, "decision_id": one} for one in inputs])
    log.record_outcomes([outcome(one) for one in inputs])
    clock.advance(HOUR_MS)
    log.record_outcome(outcome(inputs[0], 2, amend=True))
    notes = noted_outcomes(stores.states, agent)
    assert sorted(len(one.keys) for one in notes[:2]) == [100, 500]
    assert sorted(ids_of(notes[:2])) == sorted(inputs)
    assert ids_of(notes[2:]) == inputs[:1]
    assert noted_outcomes(stores.states, agent, most=600) == notes[:2]


def test_an_import_notes_what_it_changes(stores, clock):
    agent = new_agent()
    start_learning(stores, agent)
    pending, known, same = (decision(NOW - (5 + n) * DAY_MS, agent=agent) for n in range(3))
    late, missing, same = (replace(one, outcome=result(at_ms=NOW - DAY_MS)) for one in (pending, known, same))
    stores.decisions.insert([pending])
    stores.decisions.restore([same])
    run = DecisionImport(agent, stores, clock, ImportReport(), write=True).run
    run([decision(NOW - 9 * DAY_MS, agent=agent), same, missing, late])
    assert sorted(ids_of(noted_outcomes(stores.states, agent))) == sorted([late.decision_id, missing.decision_id])
    assert stores.decisions.get([late.key, missing.key]) == [late, missing]
