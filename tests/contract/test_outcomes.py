"""What every decision store promises about outcomes at several horizons, amendments and the headline."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_memory.core.clock import DAY_MS, Span
from agent_memory.model.outcomes import OutcomeUpdate, current_outcomes
from agent_memory.ports.decisions import Selection, WriteStatus
from tests.contract.samples import NOW, decision, fresh_agent, key_of, outcome, record, stored

ALL = Span(0, NOW + DAY_MS)


@pytest.fixture
def one(stores):
    made = decision()
    stores.decisions.insert([made])
    return made


def by_success(stores, success):
    return [d.decision_id for d in stores.decisions.scan(Selection("hunter", success=success), ALL)]


def test_the_first_horizon_is_the_headline_until_another_claims_it(stores, one):
    assert record(stores, one, horizon="1h", success=False) == WriteStatus.CREATED
    assert record(stores, one, horizon="4h", success=True) == WriteStatus.CREATED
    assert stored(stores, one).outcome == outcome(False, horizon="1h")
    assert by_success(stores, False) == [one.decision_id]
    assert record(stores, one, horizon="exit", success=True, headline=True) == WriteStatus.CREATED
    found = stored(stores, one)
    assert found.outcome == outcome(True, horizon="exit")
    assert found.other_outcomes == (outcome(False, horizon="1h"), outcome(True, horizon="4h"))
    assert (by_success(stores, False), by_success(stores, True)) == ([], [one.decision_id])


def test_an_outcome_without_horizon_is_the_headline(stores, one):
    record(stores, one, horizon="1h", success=False)
    assert record(stores, one, success=True) == WriteStatus.CREATED
    assert stored(stores, one).outcome == outcome(True)


def test_each_horizon_is_a_fact_of_its_own(stores, one):
    record(stores, one, horizon="1h")
    record(stores, one, horizon="4h")
    for horizon in ("1h", "4h"):
        assert record(stores, one, horizon=horizon, at_ms=NOW + 7) == WriteStatus.UNCHANGED
        assert record(stores, one, horizon=horizon, success=False) == WriteStatus.CONFLICT
    assert current_outcomes(stored(stores, one)) == [outcome(horizon="1h"), outcome(horizon="4h")]


def test_what_stood_beside_can_claim_the_headline_by_being_reported_again(stores, one):
    record(stores, one, horizon="1h", success=False)
    record(stores, one, horizon="exit", success=True)
    assert record(stores, one, horizon="exit", success=True, headline=True) == WriteStatus.CREATED
    assert record(stores, one, horizon="exit", success=True, headline=True) == WriteStatus.UNCHANGED
    assert current_outcomes(stored(stores, one)) == [outcome(True, horizon="exit"), outcome(False, horizon="1h")]


def test_an_amendment_keeps_every_version_with_its_time(stores, clock, one):
    record(stores, one, n=1)
    moments = []
    for n in (2, 3):
        clock.advance(1_000)
        moments.append(clock.now_ms())
        assert record(stores, one, n=n, success=False, amend=True, at_ms=NOW + n) == WriteStatus.CREATED
    found = stored(stores, one)
    assert found.outcome == outcome(False, NOW + 3, n=3)
    assert [earlier.outcome for earlier in found.superseded] == [outcome(n=1), outcome(False, NOW + 2, n=2)]
    assert [earlier.replaced_ms for earlier in found.superseded] == moments
    assert by_success(stores, False) == [one.decision_id]


def test_what_was_superseded_is_no_conflict_when_it_is_replayed(stores, one):
    record(stores, one, n=1)
    record(stores, one, n=2, amend=True, at_ms=NOW + 1)
    before = stored(stores, one)
    assert record(stores, one, n=1, at_ms=NOW + 9) == WriteStatus.UNCHANGED
    assert record(stores, one, n=2, amend=True, at_ms=NOW + 1) == WriteStatus.UNCHANGED
    assert stored(stores, one) == before


def test_a_replay_of_amendments_to_and_fro_changes_nothing(stores, one):
    reports = [{"n": 1}, {"n": 2, "amend": True, "at_ms": NOW + 1}, {"n": 1, "amend": True, "at_ms": NOW + 2}]
    assert [record(stores, one, **report) for report in reports] == [WriteStatus.CREATED] * 3
    before = stored(stores, one)
    assert [record(stores, one, **report) for report in reports] == [WriteStatus.UNCHANGED] * 3
    assert stored(stores, one) == before


def test_what_was_superseded_claims_no_headline(stores, one):
    record(stores, one)
    record(stores, one, horizon="1h", n=1)
    record(stores, one, horizon="1h", n=2, amend=True)
    assert record(stores, one, horizon="1h", n=1, headline=True) == WriteStatus.UNCHANGED
    assert stored(stores, one).outcome == outcome()


def test_an_amendment_of_nothing_is_an_outcome(stores, one):
    assert record(stores, one, amend=True) == WriteStatus.CREATED
    assert stored(stores, one).superseded == ()


def test_amending_what_is_not_there_invents_nothing(stores):
    ghost = decision()
    assert record(stores, ghost, amend=True, headline=True) == WriteStatus.NOT_FOUND
    assert stored(stores, ghost) is None


def test_amendments_reach_what_is_due_to_expire_and_not_what_has_expired(stores, clock):
    due, gone = decision(NOW), decision(NOW + 1)
    stores.decisions.insert([due, gone])
    for made in (due, gone):
        record(stores, made, n=1)
    expired = stores.decisions.expire(
        [stored(stores, due), stored(stores, gone)], [clock.now_ms() + DAY_MS, clock.now_ms() - 1_000]
    )
    assert expired == [True, True]
    assert record(stores, due, n=2, amend=True) == WriteStatus.CREATED
    assert record(stores, gone, n=2, amend=True) == WriteStatus.NOT_FOUND


def test_a_batch_settles_horizons_and_amendments_too(stores):
    made = [decision(NOW + n) for n in range(4)]
    stores.decisions.insert(made)
    record(stores, made[0], n=1)
    record(stores, made[1], horizon="1h")
    reports = [
        (key_of(made[0]), OutcomeUpdate(outcome(n=2), amend=True)),
        (key_of(made[1]), OutcomeUpdate(outcome(horizon="exit"))),
        (key_of(made[2]), OutcomeUpdate(outcome(horizon="1h"))),
        (key_of(decision(NOW + 9)), OutcomeUpdate(outcome(), amend=True)),
    ]
    assert stores.decisions.record_outcomes(reports) == [*[WriteStatus.CREATED] * 3, WriteStatus.NOT_FOUND]
    assert [len(d.superseded) for d in stores.decisions.get([key_of(m) for m in made])] == [1, 0, 0, 0]


reports_strategy = st.lists(
    st.fixed_dictionaries(
        {
            "horizon": st.sampled_from([None, "1h", "exit"]),
            "success": st.booleans(),
            "n": st.integers(0, 2),
            "amend": st.booleans(),
            "headline": st.booleans(),
        }
    ),
    max_size=8,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(reports=reports_strategy)
def test_whatever_was_accepted_is_kept_exactly_once(stores, reports):
    """Each accepted report is there, as an outcome that holds or as a superseded one; none other is."""
    one = decision(agent=fresh_agent())
    stores.decisions.insert([one])
    accepted = []
    for place, report in enumerate(reports):
        known = current_outcomes(stored(stores, one))
        if record(stores, one, **report, at_ms=NOW + place) == WriteStatus.CREATED:
            told = outcome(report["success"], NOW + place, report["horizon"], n=report["n"])
            repeated = any(o.horizon == told.horizon and o.content() == told.content() for o in known)
            if not repeated:  # else it only moved the headline
                accepted.append(told)
    found = stored(stores, one)
    kept = [*current_outcomes(found), *(earlier.outcome for earlier in found.superseded)]
    assert sorted(map(repr, kept)) == sorted(map(repr, accepted))
    assert len({o.horizon for o in current_outcomes(found)}) == len(current_outcomes(found))
    for success in (True, False):
        listed = list(stores.decisions.scan(Selection(one.agent_id, success=success), ALL))
        assert listed == ([found] if found.outcome and found.outcome.success is success else [])


def at_once(calls):
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def test_two_writers_of_one_outcome_end_in_one_truth(atomic_stores):
    stores = atomic_stores
    for n in range(20):
        one = decision(NOW + n)
        stores.decisions.insert([one])
        told = at_once([lambda one=one, s=s: record(stores, one, success=s) for s in (True, False)])
        assert sorted(told) == [WriteStatus.CONFLICT, WriteStatus.CREATED]
        assert stored(stores, one).outcome.success is (told[0] == WriteStatus.CREATED)


def test_racing_amendments_are_all_kept(atomic_stores):
    stores, one = atomic_stores, decision()
    stores.decisions.insert([one])
    record(stores, one, n=0)
    calls = [lambda n=n: record(stores, one, n=n, amend=True, at_ms=NOW + n) for n in range(1, 9)]
    assert at_once(calls) == [WriteStatus.CREATED] * 8
    found = stored(stores, one)
    versions = [found.outcome, *(earlier.outcome for earlier in found.superseded)]
    assert sorted(version.details["n"] for version in versions) == list(range(9))
    assert found.revision == 8
