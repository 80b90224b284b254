"""The evidence after late outcomes and missed nightly jobs."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.core.clock import DAY_MS, FixedClock, Span, date_of, day_start_ms
from agent_memory.core.errors import Unavailable
from agent_memory.core.ids import decision_id_for, timestamp_of
from agent_memory.core.retention import EVIDENCE_DAYS
from agent_memory.decisions.log import DecisionLog
from agent_memory.model.evidence import Evidence
from agent_memory.nightly.consolidation import consolidate
from agent_memory.nightly.evidence import LOOK_BACK_DAYS, merged, spans_to_read
from agent_memory.nightly.late_outcomes import noted_outcomes
from agent_memory.storage.factory import in_memory_stores

AGENT = "market-hunter"
FIRST = date(2026, 7, 1)
DAYS = st.integers(0, 200).map(lambda n: FIRST + timedelta(days=n))


def days_in(spans):
    return [date_of(ms) for span in spans for ms in range(span.start_ms, span.end_ms, DAY_MS)]


@pytest.fixture
def stores():
    return in_memory_stores(FixedClock(day_start_ms(FIRST + timedelta(days=100))))


@pytest.fixture
def log(stores):
    return DecisionLog(AGENT, stores, stores.clock)


def log_decision(log, day, n=0):
    moment = datetime(day.year, day.month, day.day, 12, n, tzinfo=UTC)
    decision_id = decision_id_for("QUERY", moment, f"{n}")
    log.log_one({"decision_type": "QUERY", "context": {"n": n}, "reasoning": {}, "decision_id": decision_id})
    return decision_id


def resolve(log, decision_id, success=True, *, days_late=0, **settings):
    known = timestamp_of(decision_id) / 1000 + days_late * DAY_MS // 1000
    outcome = {"decision_id": decision_id, "outcome": {"success": success}, "success": success, "timestamp": known}
    log.record_outcome({**outcome, **settings})


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
@pytest.mark.parametrize("days_late", [0, 1, 2, 3, 6, 13, 28, 31, 60, 89])
def test_a_late_outcome_is_learned_from_by_the_next_job(stores, log, days_late):
    decision_id, early = log_decision(log, FIRST), log_decision(log, FIRST, 1)
    resolve(log, early)
    jobs = sorted({0, *range(max(0, days_late - 2), days_late)} - {days_late})
    for n in jobs:
        run_job(stores, FIRST + timedelta(days=n))
    assert evidence(stores).get(decision_id) is None
    resolve(log, decision_id, days_late=days_late)
    figures = run_job(stores, FIRST + timedelta(days=days_late))
    assert evidence(stores) == {decision_id: True, early: True}
    assert figures["evidence_rows"] == 2


@pytest.mark.slow
@pytest.mark.parametrize("age", [2, 31, 60])
def test_an_amendment_at_any_age_corrects_what_was_learned_and_not_what_was_known(stores, log, age):
    decision_id = log_decision(log, FIRST)
    resolve(log, decision_id, horizon="exit")
    for n in (0, age - 1):
        run_job(stores, FIRST + timedelta(days=n))
    stores.clock.advance(-(100 - age) * DAY_MS + DAY_MS // 2)
    resolve(log, decision_id, False, horizon="exit", amend=True, days_late=age)
    stores.clock.advance((100 - age) * DAY_MS)
    run_job(stores, FIRST + timedelta(days=age))
    (row,) = stores.evidence.read(AGENT, Span(0, 2**52))
    assert (row.success, date_of(row.known_ms)) == (False, FIRST + timedelta(days=age))
    assert [row.known_before(day_start_ms(FIRST + timedelta(days=n))).success for n in (1, age, age + 1)] == [
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("age", [2, 31, 60])
def test_an_amendment_of_a_number_alone_is_learned_by_the_next_job(stores, log, age):
    decision_id = log_decision(log, FIRST)
    resolve(log, decision_id, outcome={"pnl": 1.0})
    for n in (0, age - 1):
        run_job(stores, FIRST + timedelta(days=n))
    stores.clock.advance(-(100 - age) * DAY_MS + DAY_MS // 2)
    resolve(log, decision_id, outcome={"pnl": -2.0}, amend=True, days_late=age)
    stores.clock.advance((100 - age) * DAY_MS)
    run_job(stores, FIRST + timedelta(days=age))
    (row,) = stores.evidence.read(AGENT, Span(0, 2**52))
    assert (row.rewards, row.success) == ((("outcome.pnl", -2.0),), True)
    assert row.known_before(day_start_ms(FIRST + timedelta(days=age))).rewards == (("outcome.pnl", 1.0),)
    assert noted_outcomes(stores.states, AGENT) == []


def test_an_amendment_that_a_job_could_not_learn_from_is_left_for_the_next_one(stores, log, monkeypatch):
    decision_id = log_decision(log, FIRST)
    resolve(log, decision_id, outcome={"pnl": 1.0})
    for n in (0, 20):
        run_job(stores, FIRST + timedelta(days=n))
    resolve(log, decision_id, outcome={"pnl": -2.0}, amend=True, days_late=21)
    stores.clock.advance(DAY_MS)
    with monkeypatch.context() as patched:
        patched.setattr(stores.evidence, "snapshot", unavailable)
        with pytest.raises(Unavailable):
            run_job(stores, FIRST + timedelta(days=21))
    assert len(noted_outcomes(stores.states, AGENT)) == 1
    run_job(stores, FIRST + timedelta(days=21))
    (row,) = stores.evidence.read(AGENT, Span(0, 2**52))
    assert row.rewards == (("outcome.pnl", -2.0),)
    assert noted_outcomes(stores.states, AGENT) == []


def test_an_outage_of_the_record_leaves_the_outcome_as_it_was(stores, log, monkeypatch):
    decision_id = log_decision(log, FIRST)
    resolve(log, decision_id, outcome={"pnl": 1.0})
    run_job(stores, FIRST)
    monkeypatch.setattr(stores.states, "put", unavailable)
    with pytest.raises(Unavailable):
        resolve(log, decision_id, outcome={"pnl": -2.0}, amend=True)
    assert log.get(decision_id).outcome.details == {"pnl": 1.0}


def unavailable(*_, **__):
    raise Unavailable("down")


def test_what_a_job_could_not_see_is_not_seen_by_its_repetition(stores, log):
    """An outcome that a buffer held back, and a decision that was logged for a day of the past."""
    first = log_decision(log, FIRST)
    resolve(log, first)
    assert run_job(stores, FIRST)["evidence_rows"] == 1
    late = log_decision(log, FIRST, 1)
    resolve(log, late)
    for n, expected in ((0, 1), (1, 2), (1, 2)):
        assert run_job(stores, FIRST + timedelta(days=n))["evidence_rows"] == expected
    by_id = {row.decision_id: row for row in stores.evidence.read(AGENT, Span(0, 2**52))}
    assert by_id[late].known_before(day_start_ms(FIRST + timedelta(days=1))) is None
    assert by_id[late].success is True


@given(
    decided=st.integers(0, 5),
    versions=st.lists(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=3), min_size=1, max_size=4),
)
def test_what_was_seen_of_a_decision_stays_whatever_is_recorded_later(decided, versions):
    """Each version of a decision is read by the job at 2, 4, …; its results may claim any time."""
    row, seen = None, {}
    for n, version in enumerate(versions):
        now = Evidence("d", "QUERY", decided, None, ())
        if version:
            now = now.with_results(sorted({max(decided, at): success for at, success in version}.items()))
        row = merged(row, now, 2 * n)
        end = 2 * (n + 1)
        for at, success in seen.items():
            known = row.known_before(at)
            assert (known and known.success) is success
        known = row.known_before(end)
        seen[end] = known and known.success
        if known is not None and version and now.known_ms < end:
            assert known.success is now.success
        assert [at for at, _ in row.results] == sorted({at for at, _ in row.results})


def test_an_amended_outcome_replaces_the_evidence(stores, log):
    decision_id = log_decision(log, FIRST)
    resolve(log, decision_id, horizon="exit")
    run_job(stores, FIRST)
    resolve(log, decision_id, success=False, horizon="exit", amend=True)
    for n in range(1, 4):
        run_job(stores, FIRST + timedelta(days=n))
    assert evidence(stores) == {decision_id: False}


@pytest.mark.slow
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


def test_a_history_that_has_just_been_recorded_is_learned_day_by_day(stores, log):
    """Nobody said when its outcomes became known."""
    ids = [log_decision(log, FIRST + timedelta(days=day), n) for day in range(4) for n in range(3)]
    log.record_outcomes([{"decision_id": one, "outcome": {}, "success": True} for one in ids])
    for day in range(4):
        figures = run_job(stores, FIRST + timedelta(days=day))
        assert figures["evidence_rows"] == 3 * (day + 1)


def test_outcomes_that_were_recorded_over_time_are_known_only_then(stores, log):
    """One of them shows that this is no history: the others were recorded late."""
    first, second = log_decision(log, FIRST), log_decision(log, FIRST + timedelta(days=1))
    resolve(log, first)
    log.record_outcome({"decision_id": second, "outcome": {}, "success": True})
    assert run_job(stores, FIRST + timedelta(days=1))["evidence_rows"] == 1
