"""Amendments of past decisions are recorded for the nightly job, until it has read them."""

from datetime import timedelta

from agent_memory.core.clock import DAY_MS, HOUR_MS, date_of
from agent_memory.core.ids import new_decision_id
from agent_memory.core.keys import LEARNING_PROGRESS
from agent_memory.decisions.log import DecisionLog
from agent_memory.nightly.amendments import recorded_amendments, remove_amendments
from tests.contract.samples import NOW, new_agent


def logged(log, days_ago):
    decision_id = new_decision_id("QUERY", NOW - days_ago * DAY_MS)
    log.log_one({"decision_type": "QUERY", "context": {}, "reasoning": {}, "decision_id": decision_id})
    log.record_outcome(outcome(decision_id, 1))
    return decision_id


def outcome(decision_id, pnl, **options):
    return {"decision_id": decision_id, "success": True, "outcome": {"pnl": pnl}, **options}


def has_learned(stores, agent):
    learned = {"learned_through": (date_of(NOW) - timedelta(days=1)).isoformat()}
    stores.states.put(agent, LEARNING_PROGRESS, learned, expected_version=0, now_ms=NOW)


def test_amendments_are_recorded_until_they_are_old_enough_to_be_removed(stores, clock):
    agent = new_agent()
    log = DecisionLog(agent, stores, clock)
    ids = [logged(log, days_ago) for days_ago in (0, 1, 40)]
    has_learned(stores, agent)
    log.record_outcomes([outcome(one, 2, amend=True) for one in ids])
    log.record_outcomes([outcome(one, 3, amend=True) for one in ids])  # in the same period
    recorded = recorded_amendments(stores.states, agent)
    assert {(one.key.decision_id, one.key.decision_type) for one in recorded} == {(one, "QUERY") for one in ids[1:]}
    found = stores.decisions.get([one.key for one in recorded])
    assert [one.outcome.details for one in found] == [{"pnl": 3}] * 2
    remove_amendments(stores.states, agent, recorded, clock.now_ms())
    assert recorded_amendments(stores.states, agent) == recorded
    clock.advance(2 * HOUR_MS)
    log.record_outcome(outcome(ids[1], 4, amend=True))
    remove_amendments(stores.states, agent, recorded, clock.now_ms())
    (later,) = recorded_amendments(stores.states, agent)
    assert later.key.decision_id == ids[1]


def test_nothing_is_recorded_of_first_outcomes_nor_before_anything_was_learned(stores, clock):
    agent = new_agent()
    log = DecisionLog(agent, stores, clock)
    decision_id = logged(log, 5)
    log.record_outcome(outcome(decision_id, 2, amend=True))
    assert recorded_amendments(stores.states, agent) == []
    has_learned(stores, agent)
    logged(log, 6)
    assert recorded_amendments(stores.states, agent) == []
    log.record_outcome(outcome(decision_id, 3, amend=True))
    assert len(recorded_amendments(stores.states, agent)) == 1
