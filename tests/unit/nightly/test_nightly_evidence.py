"""The evidence after late outcomes and missed nightly jobs."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.core.clock import DAY_MS, FixedClock, Span, date_of, day_start_ms
from agent_memory.core.ids import decision_id_for
from agent_memory.core.retention import EVIDENCE_DAYS
from agent_memory.decisions.log import DecisionLog
from agent_memory.nightly.consolidation import consolidate
from agent_memory.nightly.evidence import LOOK_BACK_DAYS, spans_to_read
from agent_memory.storage.factory import in_memory_stores

AGENT = "market-hunter"
FIRST = date(2026, 7, 1)
DAYS = st.integers(0, 200).map(lambda n: FIRST + timedelta(days=n))


def days_in(spans):
    return [date_of(ms) for span in spans for ms in range(span.start_ms, span.end_ms, DAY_MS)]


@pytest.fixture
def stores():
    return in_memory_stores(FixedClock(day_start_ms(FIRST + timedelta(days=60))))


@pytest.fixture
def log(stores):
    return DecisionLog(AGENT, stores, FixedClock(day_start_ms(FIRST + timedelta(days=60))))


def log_decision(log, day, n=0):
    moment = datetime(day.year, day.month, day.day, 12, n, tzinfo=UTC)
    decision_id = decision_id_for("QUERY", moment, f"{n}")
    log.log_one({"decision_type": "QUERY", "context": {"n": n}, "reasoning": {}, "decision_id": decision_id})
    return decision_id


def resolve(log, decision_id, success=True, **settings):
    log.record_outcome({"decision_id": decision_id, "outcome": {"success": success}, "success": success, **settings})


def run_job(stores, day):
    return consolidate(AGENT, day, stores)


def evidence(stores):
    return {row.decision_id: row.success for row in stores.evidence.read(AGENT, Span(0, 2**52))}


@given(day=DAYS, missed=st.integers(0, 120))
def test_every_missed_job_is_caught_up_on(day, missed):
    learned_through = day - timedelta(days=missed + 1)
    read = days_in(spans_to_read(day, learned_through))
    assert read == sorted(set(read))
    oldest = day - timedelta(days=EVIDENCE_DAYS - 1)
    for ago in LOOK_BACK_DAYS:
        for n in range(missed + 1):
            assert max(oldest, day - timedelta(days=n + ago)) in read
    assert min(read) >= oldest
    assert max(read) == day


def test_a_job_reads_a_few_days_and_the_first_job_all():
    read = days_in(spans_to_read(FIRST, FIRST - timedelta(days=1)))
    assert [(FIRST - one).days for one in read] == sorted(LOOK_BACK_DAYS, reverse=True)
    assert spans_to_read(FIRST, FIRST) == spans_to_read(FIRST, FIRST - timedelta(days=1))  # again
    (everything,) = spans_to_read(FIRST, None)
    assert len(days_in([everything])) == EVIDENCE_DAYS


@pytest.mark.slow
@pytest.mark.parametrize("days_late", [0, 1, 2, 3, 6, 13, 28])
def test_a_late_outcome_is_learned_from_at_the_next_age_that_is_read(stores, log, days_late):
    decision_id = log_decision(log, FIRST)
    for n in range(days_late):
        run_job(stores, FIRST + timedelta(days=n))
    assert evidence(stores) == {}
    resolve(log, decision_id)
    for n in range(days_late, 30):
        run_job(stores, FIRST + timedelta(days=n))
    assert evidence(stores) == {decision_id: True}


def test_an_amended_outcome_replaces_the_evidence(stores, log):
    decision_id = log_decision(log, FIRST)
    resolve(log, decision_id, horizon="exit")
    run_job(stores, FIRST)
    resolve(log, decision_id, success=False, horizon="exit", amend=True)
    for n in range(1, 4):
        run_job(stores, FIRST + timedelta(days=n))
    assert evidence(stores) == {decision_id: False}


def test_missed_jobs_lead_to_the_same_evidence(stores, log):
    ids = [log_decision(log, FIRST + timedelta(days=n)) for n in range(20)]
    for one in ids:
        resolve(log, one)
    run_job(stores, FIRST)
    assert set(evidence(stores)) == set(ids[:1])
    figures = run_job(stores, FIRST + timedelta(days=19))
    assert (figures["days"], set(evidence(stores))) == (19, set(ids))
    # The job of an earlier day, by hand: nothing is lost, and the progress does not go back.
    run_job(stores, FIRST + timedelta(days=5))
    assert set(evidence(stores)) == set(ids)
    assert run_job(stores, FIRST + timedelta(days=19))["decisions_read"] == 5


def test_decisions_based_on_memories_are_counted_on_their_own_day(stores, log):
    """Later jobs read the same decisions again, for late outcomes."""
    for n, memory_ids in enumerate([["pump"], ["pump", "dump"], []]):
        moment = datetime(FIRST.year, FIRST.month, FIRST.day, 12, n, tzinfo=UTC)
        log.log_one(
            {
                "decision_type": "QUERY",
                "context": {},
                "reasoning": {},
                "memory_ids": memory_ids,
                "decision_id": decision_id_for("QUERY", moment, f"{n}"),
            }
        )
    assert run_job(stores, FIRST)["influenced"] == 2
    later = run_job(stores, FIRST + timedelta(days=1))
    assert (later["decisions_read"], later["influenced"]) == (3, 0)
    assert run_job(stores, FIRST)["influenced"] == 0
