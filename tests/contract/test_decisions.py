"""The contract of a store of decisions."""

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_memory.core.clock import DAY_MS, Span
from agent_memory.core.errors import Damaged, TooLarge
from agent_memory.core.ids import new_decision_id
from agent_memory.core.json_values import canonical_json
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.model.decisions import Decision
from agent_memory.model.outcomes import OutcomeUpdate
from agent_memory.ports.decisions import Selection, WriteStatus
from tests.contract.samples import NOW, QUERIES, decision, new_agent, outcome, record


def test_a_decision_is_read_back(stores):
    one = decision()
    assert stores.decisions.insert([one]) == [WriteStatus.CREATED]
    assert stores.decisions.get([one.key]) == [one]


def test_the_propensity_and_the_policy_of_a_decision_are_read_back(stores):
    one = replace(decision(), policy="thompson", policy_version="3", propensity=1.0, joint_propensity=0.1 + 0.2)
    stores.decisions.insert([one])
    assert stores.decisions.get([one.key]) == [one]
    assert stores.decisions.insert([one]) == [WriteStatus.UNCHANGED]
    assert stores.decisions.insert([replace(one, propensity=0.5)]) == [WriteStatus.CONFLICT]


def test_inserting_a_decision_again_changes_nothing(stores):
    one = decision()
    stores.decisions.insert([one])
    stores.decisions.record_outcomes([(one.key, OutcomeUpdate(outcome()))])
    assert stores.decisions.insert([one]) == [WriteStatus.UNCHANGED]
    (actual,) = stores.decisions.get([one.key])
    assert actual.outcome == outcome()


def test_the_same_id_with_different_content_is_refused(stores):
    one = decision()
    stores.decisions.insert([one])
    assert stores.decisions.insert([decision(decision_id=one.decision_id, cycle=2)]) == [WriteStatus.CONFLICT]
    assert stores.decisions.get([one.key]) == [one]


def test_an_integer_and_an_equal_float_are_different_content(stores):
    one = decision(value=1)
    stores.decisions.insert([one])
    assert stores.decisions.insert([decision(decision_id=one.decision_id, value=1.0)]) == [WriteStatus.CONFLICT]


def test_a_batch_returns_the_status_of_each_decision(stores):
    equal, changed, new = decision(NOW - 1), decision(NOW - 2), [decision(NOW + n) for n in range(60)]
    stores.decisions.insert([equal, changed])
    batch = [equal, decision(NOW - 2, decision_id=changed.decision_id, other=True), *new]
    assert stores.decisions.insert(batch) == [WriteStatus.UNCHANGED, WriteStatus.CONFLICT, *[WriteStatus.CREATED] * 60]
    assert stores.decisions.get([d.key for d in new]) == new


def test_an_id_that_occurs_twice_in_a_batch_is_stored_once(stores, clock):
    log = DecisionLog("hunter", stores, clock)
    decision_id = new_decision_id("QUERY", NOW)
    body = {"decision_type": "QUERY", "context": {"n": 1}, "reasoning": {}, "decision_id": decision_id}
    results = log.log([body, body, {**body, "context": {"n": 2}}])
    assert [one.status for one in results] == [WriteStatus.CREATED, WriteStatus.UNCHANGED, WriteStatus.CONFLICT]
    body = {"decision_id": decision_id, "outcome": {}, "success": True}
    results = log.record_outcomes([body, {**body, "success": False}, body])
    assert [one.status for one in results] == [WriteStatus.CREATED, WriteStatus.CONFLICT, WriteStatus.UNCHANGED]
    assert log.get(decision_id).context == {"n": 1}


def test_an_outcome_is_recorded_once(stores):
    one = decision()
    stores.decisions.insert([one])
    assert stores.decisions.record_outcomes([(one.key, OutcomeUpdate(outcome()))]) == [WriteStatus.CREATED]
    assert stores.decisions.record_outcomes([(one.key, OutcomeUpdate(outcome(at_ms=NOW + 5)))]) == [
        WriteStatus.UNCHANGED
    ]
    assert stores.decisions.record_outcomes([(one.key, OutcomeUpdate(outcome(success=False)))]) == [
        WriteStatus.CONFLICT
    ]
    (actual,) = stores.decisions.get([one.key])
    assert actual.outcome == outcome()


def test_an_outcome_of_an_unknown_decision_is_not_stored(stores):
    unknown = decision()
    assert stores.decisions.record_outcomes([(unknown.key, OutcomeUpdate(outcome()))]) == [WriteStatus.NOT_FOUND]
    assert stores.decisions.get([unknown.key]) == [None]


def test_a_batch_of_outcomes_returns_the_status_of_each(stores):
    decisions = [decision(NOW + n) for n in range(40)]
    stores.decisions.insert(decisions)
    stores.decisions.record_outcomes(
        [(decisions[0].key, OutcomeUpdate(outcome())), (decisions[1].key, OutcomeUpdate(outcome()))]
    )
    updates = [(d.key, OutcomeUpdate(outcome())) for d in decisions]
    updates[1] = (decisions[1].key, OutcomeUpdate(outcome(success=False)))
    updates.append((decision(NOW + 99).key, OutcomeUpdate(outcome())))
    expected = [WriteStatus.UNCHANGED, WriteStatus.CONFLICT, *[WriteStatus.CREATED] * 38, WriteStatus.NOT_FOUND]
    assert stores.decisions.record_outcomes(updates) == expected


def test_a_span_is_read_in_order_and_without_its_end(stores):
    in_span = [decision(NOW + n) for n in range(5)]
    other_type, other_agent = decision(NOW, decision_type="LEARNING"), decision(NOW, agent="other")
    stores.decisions.insert([*reversed(in_span), decision(NOW - 1), decision(NOW + 5), other_type, other_agent])
    span = Span(NOW, NOW + 5)
    assert list(stores.decisions.scan(QUERIES, span, newest_first=False)) == in_span
    assert list(stores.decisions.scan(QUERIES, span)) == in_span[::-1]
    assert list(stores.decisions.scan(QUERIES, Span(NOW, NOW))) == []


def test_a_span_of_several_pages_is_read_completely(stores):
    large = [decision(NOW + n, text="x" * 30_000) for n in range(75)]  # over two pages of a megabyte
    stores.decisions.insert(large)
    actual = stores.decisions.scan(QUERIES, Span(NOW, NOW + 1000), newest_first=False)
    assert [d.decision_id for d in actual] == [d.decision_id for d in large]


def test_expired_decisions_that_are_not_deleted_yet_are_not_read(stores, clock):
    expired, later = decision(NOW), decision(NOW + 1)
    stores.decisions.insert([expired, later])
    stores.decisions.expire([expired, later], [clock.now_ms() - 1000, clock.now_ms() + DAY_MS])
    assert stores.decisions.get([expired.key, later.key]) == [None, later]
    assert list(stores.decisions.scan(QUERIES, Span(NOW, NOW + 2))) == [later]
    assert stores.decisions.insert([expired]) == [WriteStatus.CONFLICT]
    assert stores.decisions.record_outcomes([(expired.key, OutcomeUpdate(outcome()))]) == [WriteStatus.NOT_FOUND]


def test_an_outcome_is_added_to_a_decision_that_is_due_to_expire(stores, clock):
    expiring = [decision(NOW + n) for n in range(3)]
    stores.decisions.insert(expiring)
    stores.decisions.expire(expiring, [clock.now_ms() + DAY_MS] * 3)
    updates = [(d.key, OutcomeUpdate(outcome())) for d in expiring]
    assert stores.decisions.record_outcomes(updates) == [WriteStatus.CREATED] * 3
    assert [d.outcome for d in stores.decisions.get([d.key for d in expiring])] == [outcome()] * 3


def test_large_decisions_are_read_back(stores):
    """Five megabytes, several large parts, and an outcome that does not fit into the item."""
    texts = {name: f"{name} " * 100_000 for name in ("a", "bc", "def")}
    one = replace(decision(NOW, **texts), reasoning={"why": "because " * 600_000, "integral": [1.0] * 3_000})
    small = decision(NOW + 1)
    assert stores.decisions.insert([small, one]) == [WriteStatus.CREATED] * 2
    assert stores.decisions.insert([one]) == [WriteStatus.UNCHANGED]
    assert record(stores, one, text="x" * 200_000) == WriteStatus.CREATED
    assert record(stores, one, horizon="1h", text="y" * 200_000) == WriteStatus.CREATED
    (actual,) = stores.decisions.get([one.key])
    assert (actual.context, actual.reasoning) == (one.context, one.reasoning)
    assert canonical_json(actual.reasoning) == canonical_json(one.reasoning)
    assert [len(o.details["text"]) for o in (actual.outcome, *actual.other_outcomes)] == [200_000, 200_000]
    assert list(stores.decisions.scan(QUERIES, Span(NOW, NOW + 2), newest_first=False)) == [actual, small]


@given(st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_large_part_that_differs_from_the_digest_in_its_name_is_named(stores, data):
    agent = new_agent()
    one = decision(NOW, agent=agent, text="x" * 400_000)
    stores.decisions.insert([one])
    keys = stores.blobs.list_keys(f"large/agent_id={agent}/")
    if not keys:
        pytest.skip("memory keeps decisions in one piece")
    record(stores, one, horizon="4h")  # so that a further outcome has to read the decision
    body = stores.blobs.read(keys[0])
    position = data.draw(st.integers(0, len(body) - 1))
    changed = data.draw(st.sampled_from([body[:position], body[:position] + b"y" + body[position:], b"{}", b""]))
    stores.blobs.write(keys[0], changed)
    for read in (
        lambda: stores.decisions.get([one.key]),
        lambda: list(stores.decisions.scan(Selection(agent, "QUERY"), Span(NOW, NOW + 1))),
        lambda: record(stores, one, horizon="1h", text="y" * 200_000),
    ):
        with pytest.raises(Damaged, match=re.escape(keys[0])):
            read()
    stores.blobs.erase(keys[0], dry_run=False)
    with pytest.raises(Damaged, match=re.escape(keys[0])):
        stores.decisions.get([one.key])
    stores.blobs.write(keys[0], body)
    assert stores.decisions.get([one.key])[0].context == one.context


def test_a_decision_of_more_than_ten_megabytes_is_refused_and_nothing_is_written(stores):
    huge, small = decision(NOW, text="x" * 10_000_000), decision(NOW + 1)
    with pytest.raises(TooLarge, match="10,000,000 bytes"):
        stores.decisions.insert([small, huge])
    assert stores.decisions.get([small.key, huge.key]) == [None, None]


json_numbers = st.integers(-(10**37), 10**37) | st.floats(allow_nan=False, allow_infinity=False).filter(
    lambda x: x == 0 or 1e-129 < abs(x) < 1e125
)
json_values = st.recursive(
    st.none() | st.booleans() | json_numbers | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1, max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(context=st.dictionaries(st.text(min_size=1, max_size=8), json_values, max_size=4))
def test_any_json_is_read_back_exactly(stores, context):
    one = Decision("hunter", new_decision_id("QUERY", NOW), "QUERY", NOW, context, {"r": [context]})
    stores.decisions.insert([one])
    (actual,) = stores.decisions.get([one.key])
    assert canonical_json([actual.context, actual.reasoning]) == canonical_json([one.context, one.reasoning])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sends=st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=12), min_size=1, max_size=6))
def test_retries_never_duplicate(stores, clock, sends):
    """In whatever batches and order requests are retried, each decision and each outcome is stored once."""
    log = DecisionLog(new_agent(), stores, clock)
    ids = [new_decision_id("QUERY", NOW + n) for n in range(10)]
    seen = set()
    for batch in sends:
        decisions = [
            {"decision_type": "QUERY", "context": {"n": n}, "reasoning": {}, "decision_id": ids[n]} for n in batch
        ]
        outcomes = [{"decision_id": ids[n], "outcome": {"n": n}, "success": n % 2 == 0} for n in batch]
        for results in (log.log(decisions), log.record_outcomes(outcomes)):
            new = set(seen)
            for n, result in zip(batch, results, strict=True):
                assert result.status == (WriteStatus.UNCHANGED if n in new else WriteStatus.CREATED)
                new.add(n)
        seen |= set(batch)
    actual = list(log.stream(DecisionFilter(), newest_first=False))
    assert [one.context["n"] for one in actual] == sorted(seen)
    assert [(one.outcome.details["n"], one.superseded) for one in actual] == [(n, ()) for n in sorted(seen)]
