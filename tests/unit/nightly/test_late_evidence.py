"""Outcomes that come late and nights that were missed: what the evidence holds in the end."""

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
NIGHTS = st.integers(0, 200).map(lambda n: FIRST + timedelta(days=n))


def days_in(spans):
    return [date_of(ms) for span in spans for ms in range(span.start_ms, span.end_ms, DAY_MS)]


@pytest.fixture
def stores():
    return in_memory_stores(FixedClock(day_start_ms(FIRST + timedelta(days=60))))


@pytest.fixture
def log(stores):
    return DecisionLog(AGENT, stores, FixedClock(day_start_ms(FIRST + timedelta(days=60))))


def made(log, day, n=0):
    moment = datetime(day.year, day.month, day.day, 12, n, tzinfo=UTC)
    decision_id = decision_id_for("QUERY", moment, f"{n}")
    log.log_one({"decision_type": "QUERY", "context": {"n": n}, "reasoning": {}, "decision_id": decision_id})
    return decision_id


def resolve(log, decision_id, success=True, **settings):
    log.record_outcome({"decision_id": decision_id, "outcome": {"success": success}, "success": success, **settings})


def night(stores, day):
    return consolidate(AGENT, day, stores)


def evidence(stores):
    return {row.decision_id: row.success for row in stores.evidence.read(AGENT, Span(0, 2**52))}


@given(day=NIGHTS, missed=st.integers(0, 120))
def test_every_night_that_was_missed_is_made_up_for(day, missed):
    learned_through = day - timedelta(days=missed + 1)
    read = days_in(spans_to_read(day, learned_through))
    assert read == sorted(set(read))
    oldest = day - timedelta(days=EVIDENCE_DAYS - 1)
    for ago in LOOK_BACK_DAYS:
        for n in range(missed + 1):
            assert max(oldest, day - timedelta(days=n + ago)) in read
    assert min(read) >= oldest
    assert max(read) == day


def test_a_night_reads_a_few_days_and_the_first_one_all():
    told = days_in(spans_to_read(FIRST, FIRST - timedelta(days=1)))
    assert [(FIRST - one).days for one in told] == sorted(LOOK_BACK_DAYS, reverse=True)
    assert spans_to_read(FIRST, FIRST) == spans_to_read(FIRST, FIRST - timedelta(days=1))  # once more
    (everything,) = spans_to_read(FIRST, None)
    assert len(days_in([everything])) == EVIDENCE_DAYS


@pytest.mark.parametrize("days_late", [0, 1, 2, 3, 6, 13, 28])
def test_an_outcome_that_comes_late_is_learned_at_the_next_look(stores, log, days_late):
    decision_id = made(log, FIRST)
    for n in range(days_late):
        night(stores, FIRST + timedelta(days=n))
    assert evidence(stores) == {}
    resolve(log, decision_id)
    for n in range(days_late, 30):
        night(stores, FIRST + timedelta(days=n))
    assert evidence(stores) == {decision_id: True}


def test_an_amended_outcome_replaces_what_was_learned(stores, log):
    decision_id = made(log, FIRST)
    resolve(log, decision_id, horizon="exit")
    night(stores, FIRST)
    resolve(log, decision_id, success=False, horizon="exit", amend=True)
    for n in range(1, 4):
        night(stores, FIRST + timedelta(days=n))
    assert evidence(stores) == {decision_id: False}


def test_missed_nights_end_in_the_same_evidence(stores, log):
    ids = [made(log, FIRST + timedelta(days=n)) for n in range(20)]
    for one in ids:
        resolve(log, one)
    night(stores, FIRST)
    assert set(evidence(stores)) == set(ids[:1])
    figures = night(stores, FIRST + timedelta(days=19))
    assert (figures["decisions_read"], set(evidence(stores))) == (20, set(ids))
    # A night of before, by hand: nothing is lost, and the progress does not go back.
    night(stores, FIRST + timedelta(days=5))
    assert set(evidence(stores)) == set(ids)
    assert night(stores, FIRST + timedelta(days=19))["decisions_read"] == 5
