"""The contract of a store of decisions for outcomes at several horizons, amendments and the headline outcome."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_memory.core.clock import DAY_MS, Span
from agent_memory.model.outcomes import OutcomeUpdate, current_outcomes
from agent_memory.ports.decisions import Selection, WriteStatus
from tests.contract.samples import NOW, decision, new_agent, outcome, record, stored

ALL = Span(0, NOW + DAY_MS)


@pytest.fixture
def one(stores):
    inserted = decision()
    stores.decisions.insert([inserted])
    return inserted


def by_success(stores, success):
    selection = Selection("hunter", "QUERY", success=success)
    return [d.decision_id for d in stores.decisions.scan(selection, ALL)]


def test_the_first_outcome_is_the_headline_until_another_claims_it(stores, one):
    assert record(stores, one, horizon="1h", success=False) == WriteStatus.CREATED
    assert record(stores, one, horizon="4h", success=True) == WriteStatus.CREATED
    assert stored(stores, one).outcome == outcome(False, horizon="1h")
    assert by_success(stores, False) == [one.decision_id]
    assert record(stores, one, horizon="exit", success=True, headline=True) == WriteStatus.CREATED
    actual = stored(stores, one)
    assert actual.outcome == outcome(True, horizon="exit")
    assert actual.other_outcomes == (outcome(False, horizon="1h"), outcome(True, horizon="4h"))
    assert (by_success(stores, False), by_success(stores, True)) == ([], [one.decision_id])


def test_an_outcome_without_horizon_is_the_headline(stores, one):
    record(stores, one, horizon="1h", success=False)
    assert record(stores, one, success=True) == WriteStatus.CREATED
    assert stored(stores, one).outcome == outcome(True)


def test_outcomes_of_different_horizons_are_independent(stores, one):
    record(stores, one, horizon="1h")
    record(stores, one, horizon="4h")
    for horizon in ("1h", "4h"):
        assert record(stores, one, horizon=horizon, at_ms=NOW + 7) == WriteStatus.UNCHANGED
        assert record(stores, one, horizon=horizon, success=False) == WriteStatus.CONFLICT
    assert current_outcomes(stored(stores, one)) == [outcome(horizon="1h"), outcome(horizon="4h")]


def test_another_outcome_becomes_the_headline_when_it_is_recorded_again_as_such(stores, one):
    record(stores, one, horizon="1h", success=False)
    record(stores, one, horizon="exit", success=True)
    assert record(stores, one, horizon="exit", success=True, headline=True) == WriteStatus.CREATED
    assert record(stores, one, horizon="exit", success=True, headline=True) == WriteStatus.UNCHANGED
    assert current_outcomes(stored(stores, one)) == [outcome(True, horizon="exit"), outcome(False, horizon="1h")]


def test_amendments_keep_every_version_with_its_time(stores, clock, one):
    record(stores, one, n=1)
    times = []
    for n in (2, 3):
        clock.advance(1_000)
        times.append(clock.now_ms())
        assert record(stores, one, n=n, success=False, amend=True, at_ms=NOW + n) == WriteStatus.CREATED
    actual = stored(stores, one)
    assert actual.outcome == outcome(False, NOW + 3, n=3)
    assert [earlier.outcome for earlier in actual.superseded] == [outcome(n=1), outcome(False, NOW + 2, n=2)]
    assert [earlier.replaced_ms for earlier in actual.superseded] == times
    assert by_success(stores, False) == [one.decision_id]


def test_a_retry_of_a_superseded_outcome_is_not_a_conflict(stores, one):
    record(stores, one, n=1)
    record(stores, one, n=2, amend=True, at_ms=NOW + 1)
    before = stored(stores, one)
    assert record(stores, one, n=1, at_ms=NOW + 9) == WriteStatus.UNCHANGED
    assert record(stores, one, n=2, amend=True, at_ms=NOW + 1) == WriteStatus.UNCHANGED
    assert stored(stores, one) == before


def test_retries_of_an_amendment_and_of_its_reversal_change_nothing(stores, one):
    updates = [{"n": 1}, {"n": 2, "amend": True, "at_ms": NOW + 1}, {"n": 1, "amend": True, "at_ms": NOW + 2}]
    assert [record(stores, one, **update) for update in updates] == [WriteStatus.CREATED] * 3
    before = stored(stores, one)
    assert [record(stores, one, **update) for update in updates] == [WriteStatus.UNCHANGED] * 3
    assert stored(stores, one) == before


def test_a_superseded_outcome_does_not_become_the_headline(stores, one):
    record(stores, one)
    record(stores, one, horizon="1h", n=1)
    record(stores, one, horizon="1h", n=2, amend=True)
    assert record(stores, one, horizon="1h", n=1, headline=True) == WriteStatus.UNCHANGED
    assert stored(stores, one).outcome == outcome()


def test_an_amendment_without_an_earlier_outcome_is_an_outcome(stores, one):
    assert record(stores, one, amend=True) == WriteStatus.CREATED
    assert stored(stores, one).superseded == ()


def test_amending_an_unknown_decision_stores_nothing(stores):
    unknown = decision()
    assert record(stores, unknown, amend=True, headline=True) == WriteStatus.NOT_FOUND
    assert stored(stores, unknown) is None


def test_a_decision_can_be_amended_until_it_has_expired(stores, clock):
    expiring, expired = decision(NOW), decision(NOW + 1)
    stores.decisions.insert([expiring, expired])
    for one in (expiring, expired):
        record(stores, one, n=1)
    is_set = stores.decisions.expire(
        [stored(stores, expiring), stored(stores, expired)], [clock.now_ms() + DAY_MS, clock.now_ms() - 1_000]
    )
    assert is_set == [True, True]
    assert record(stores, expiring, n=2, amend=True) == WriteStatus.CREATED
    assert record(stores, expired, n=2, amend=True) == WriteStatus.NOT_FOUND


def test_a_batch_may_have_several_horizons_and_amendments(stores):
    decisions = [decision(NOW + n) for n in range(4)]
    stores.decisions.insert(decisions)
    record(stores, decisions[0], n=1)
    record(stores, decisions[1], horizon="1h")
    updates = [
        (decisions[0].key, OutcomeUpdate(outcome(n=2), amend=True)),
        (decisions[1].key, OutcomeUpdate(outcome(horizon="exit"))),
        (decisions[2].key, OutcomeUpdate(outcome(horizon="1h"))),
        (decision(NOW + 9).key, OutcomeUpdate(outcome(), amend=True)),
    ]
    assert stores.decisions.record_outcomes(updates) == [*[WriteStatus.CREATED] * 3, WriteStatus.NOT_FOUND]
    assert [len(d.superseded) for d in stores.decisions.get([d.key for d in decisions])] == [1, 0, 0, 0]


update_lists = st.lists(
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
@given(updates=update_lists)
def test_every_accepted_outcome_is_stored_exactly_once(stores, updates):
    """The current and the superseded outcomes are exactly those that were accepted."""
    one = decision(agent=new_agent())
    stores.decisions.insert([one])
    accepted = []
    for index, update in enumerate(updates):
        before = current_outcomes(stored(stores, one))
        if record(stores, one, **update, at_ms=NOW + index) == WriteStatus.CREATED:
            new = outcome(update["success"], NOW + index, update["horizon"], n=update["n"])
            repeated = any(o.horizon == new.horizon and o.content() == new.content() for o in before)
            if not repeated:  # else it only became the headline
                accepted.append(new)
    actual = stored(stores, one)
    all_stored = [*current_outcomes(actual), *(earlier.outcome for earlier in actual.superseded)]
    assert sorted(map(repr, all_stored)) == sorted(map(repr, accepted))
    assert len({o.horizon for o in current_outcomes(actual)}) == len(current_outcomes(actual))
    for success in (True, False):
        listed = list(stores.decisions.scan(Selection(one.agent_id, one.decision_type, success=success), ALL))
        assert listed == ([actual] if actual.outcome and actual.outcome.success is success else [])


def run_concurrently(calls):
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def test_one_of_two_concurrent_writers_of_an_outcome_succeeds(atomic_stores):
    stores = atomic_stores
    for n in range(20):
        one = decision(NOW + n)
        stores.decisions.insert([one])
        statuses = run_concurrently([lambda one=one, s=s: record(stores, one, success=s) for s in (True, False)])
        assert sorted(statuses) == [WriteStatus.CONFLICT, WriteStatus.CREATED]
        assert stored(stores, one).outcome.success is (statuses[0] == WriteStatus.CREATED)


def test_concurrent_amendments_are_all_stored(atomic_stores):
    stores, one = atomic_stores, decision()
    stores.decisions.insert([one])
    record(stores, one, n=0)
    calls = [lambda n=n: record(stores, one, n=n, amend=True, at_ms=NOW + n) for n in range(1, 9)]
    assert run_concurrently(calls) == [WriteStatus.CREATED] * 8
    actual = stored(stores, one)
    versions = [actual.outcome, *(earlier.outcome for earlier in actual.superseded)]
    assert sorted(version.details["n"] for version in versions) == list(range(9))
    assert actual.revision == 8
