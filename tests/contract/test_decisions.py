"""What every decision store promises."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_memory.core.clock import DAY_MS, Span
from agent_memory.core.errors import TooLarge
from agent_memory.core.ids import new_decision_id
from agent_memory.core.json_values import canonical_json
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.model.decisions import Decision
from agent_memory.model.outcomes import OutcomeUpdate
from agent_memory.ports.decisions import WriteStatus
from tests.contract.samples import NOW, QUERIES, decision, fresh_agent, key_of, outcome, record


def test_a_decision_comes_back_as_it_was_logged(stores):
    one = decision()
    assert stores.decisions.insert([one]) == [WriteStatus.CREATED]
    assert stores.decisions.get([key_of(one)]) == [one]


def test_the_same_decision_again_changes_nothing(stores):
    one = decision()
    stores.decisions.insert([one])
    stores.decisions.record_outcomes([(key_of(one), OutcomeUpdate(outcome()))])
    assert stores.decisions.insert([one]) == [WriteStatus.UNCHANGED]
    (found,) = stores.decisions.get([key_of(one)])
    assert found.outcome == outcome()


def test_the_same_id_with_other_content_is_refused(stores):
    one = decision()
    stores.decisions.insert([one])
    assert stores.decisions.insert([decision(decision_id=one.decision_id, cycle=2)]) == [WriteStatus.CONFLICT]
    assert stores.decisions.get([key_of(one)]) == [one]


def test_a_whole_number_is_not_the_same_as_a_whole_float(stores):
    one = decision(value=1)
    stores.decisions.insert([one])
    assert stores.decisions.insert([decision(decision_id=one.decision_id, value=1.0)]) == [WriteStatus.CONFLICT]


def test_a_batch_says_of_each_what_became_of_it(stores):
    known, changed, new = decision(NOW - 1), decision(NOW - 2), [decision(NOW + n) for n in range(60)]
    stores.decisions.insert([known, changed])
    batch = [known, decision(NOW - 2, decision_id=changed.decision_id, other=True), *new]
    assert stores.decisions.insert(batch) == [WriteStatus.UNCHANGED, WriteStatus.CONFLICT, *[WriteStatus.CREATED] * 60]
    assert stores.decisions.get([key_of(d) for d in new]) == new


def test_an_id_that_comes_twice_in_a_batch_is_stored_once(stores, clock):
    log = DecisionLog("hunter", stores, clock)
    decision_id = new_decision_id("QUERY", NOW)
    draft = {"decision_type": "QUERY", "context": {"n": 1}, "reasoning": {}, "decision_id": decision_id}
    results = log.log([draft, draft, {**draft, "context": {"n": 2}}])
    assert [one.status for one in results] == [WriteStatus.CREATED, WriteStatus.UNCHANGED, WriteStatus.CONFLICT]
    report = {"decision_id": decision_id, "outcome": {}, "success": True}
    told = log.record_outcomes([report, {**report, "success": False}, report])
    assert [one.status for one in told] == [WriteStatus.CREATED, WriteStatus.CONFLICT, WriteStatus.UNCHANGED]
    assert log.get(decision_id).context == {"n": 1}


def test_an_outcome_is_recorded_once(stores):
    one = decision()
    stores.decisions.insert([one])
    assert stores.decisions.record_outcomes([(key_of(one), OutcomeUpdate(outcome()))]) == [WriteStatus.CREATED]
    assert stores.decisions.record_outcomes([(key_of(one), OutcomeUpdate(outcome(at_ms=NOW + 5)))]) == [
        WriteStatus.UNCHANGED
    ]
    assert stores.decisions.record_outcomes([(key_of(one), OutcomeUpdate(outcome(success=False)))]) == [
        WriteStatus.CONFLICT
    ]
    (found,) = stores.decisions.get([key_of(one)])
    assert found.outcome == outcome()


def test_an_outcome_of_an_unknown_decision_invents_nothing(stores):
    ghost = decision()
    assert stores.decisions.record_outcomes([(key_of(ghost), OutcomeUpdate(outcome()))]) == [WriteStatus.NOT_FOUND]
    assert stores.decisions.get([key_of(ghost)]) == [None]


def test_a_batch_of_outcomes_says_of_each_what_became_of_it(stores):
    decisions = [decision(NOW + n) for n in range(40)]
    stores.decisions.insert(decisions)
    stores.decisions.record_outcomes(
        [(key_of(decisions[0]), OutcomeUpdate(outcome())), (key_of(decisions[1]), OutcomeUpdate(outcome()))]
    )
    reports = [(key_of(d), OutcomeUpdate(outcome())) for d in decisions]
    reports[1] = (key_of(decisions[1]), OutcomeUpdate(outcome(success=False)))
    reports.append((key_of(decision(NOW + 99)), OutcomeUpdate(outcome())))
    expected = [WriteStatus.UNCHANGED, WriteStatus.CONFLICT, *[WriteStatus.CREATED] * 38, WriteStatus.NOT_FOUND]
    assert stores.decisions.record_outcomes(reports) == expected


def test_a_span_is_read_in_order_and_without_its_end(stores):
    inside = [decision(NOW + n) for n in range(5)]
    other_type, other_agent = decision(NOW, kind="LEARNING"), decision(NOW, agent="other")
    stores.decisions.insert([*reversed(inside), decision(NOW - 1), decision(NOW + 5), other_type, other_agent])
    span = Span(NOW, NOW + 5)
    assert list(stores.decisions.scan(QUERIES, span, newest_first=False)) == inside
    assert list(stores.decisions.scan(QUERIES, span)) == inside[::-1]
    assert list(stores.decisions.scan(QUERIES, Span(NOW, NOW))) == []


def test_a_span_of_several_pages_is_whole(stores):
    large = [decision(NOW + n, text="x" * 30_000) for n in range(75)]  # over two pages of a megabyte
    stores.decisions.insert(large)
    found = stores.decisions.scan(QUERIES, Span(NOW, NOW + 1000), newest_first=False)
    assert [d.decision_id for d in found] == [d.decision_id for d in large]


def test_what_has_expired_is_not_shown_though_it_is_still_there(stores, clock):
    gone, later = decision(NOW), decision(NOW + 1)
    stores.decisions.insert([gone, later])
    stores.decisions.expire([gone, later], [clock.now_ms() - 1000, clock.now_ms() + DAY_MS])
    assert stores.decisions.get([key_of(gone), key_of(later)]) == [None, later]
    assert list(stores.decisions.scan(QUERIES, Span(NOW, NOW + 2))) == [later]
    assert stores.decisions.insert([gone]) == [WriteStatus.CONFLICT]
    assert stores.decisions.record_outcomes([(key_of(gone), OutcomeUpdate(outcome()))]) == [WriteStatus.NOT_FOUND]


def test_a_late_outcome_reaches_a_decision_that_is_due_to_expire(stores, clock):
    late = [decision(NOW + n) for n in range(3)]
    stores.decisions.insert(late)
    stores.decisions.expire(late, [clock.now_ms() + DAY_MS] * 3)
    assert (
        stores.decisions.record_outcomes([(key_of(d), OutcomeUpdate(outcome())) for d in late])
        == [WriteStatus.CREATED] * 3
    )
    assert [d.outcome for d in stores.decisions.get([key_of(d) for d in late])] == [outcome()] * 3


def test_large_parts_come_back_as_if_they_were_small(stores):
    """Five megabytes, several parts, and an outcome that does not fit beside them."""
    texts = {name: f"{name} " * 100_000 for name in ("a", "bc", "def")}
    one = replace(decision(NOW, **texts), reasoning={"why": "because " * 600_000, "whole": [1.0] * 3_000})
    small = decision(NOW + 1)
    assert stores.decisions.insert([small, one]) == [WriteStatus.CREATED] * 2
    assert stores.decisions.insert([one]) == [WriteStatus.UNCHANGED]
    assert record(stores, one, told="x" * 200_000) == WriteStatus.CREATED
    assert record(stores, one, horizon="1h", told="y" * 200_000) == WriteStatus.CREATED
    (found,) = stores.decisions.get([key_of(one)])
    assert (found.context, found.reasoning) == (one.context, one.reasoning)
    assert canonical_json(found.reasoning) == canonical_json(one.reasoning)
    assert [len(o.details["told"]) for o in (found.outcome, *found.other_outcomes)] == [200_000, 200_000]
    assert list(stores.decisions.scan(QUERIES, Span(NOW, NOW + 2), newest_first=False)) == [found, small]


def test_a_decision_of_more_than_ten_megabytes_is_refused_and_nothing_is_written(stores):
    huge, small = decision(NOW, text="x" * 10_000_000), decision(NOW + 1)
    with pytest.raises(TooLarge, match="10,000,000 bytes"):
        stores.decisions.insert([small, huge])
    assert stores.decisions.get([key_of(small), key_of(huge)]) == [None, None]


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
def test_any_json_comes_back_exactly(stores, context):
    one = Decision("hunter", new_decision_id("QUERY", NOW), "QUERY", NOW, context, {"r": [context]})
    stores.decisions.insert([one])
    (found,) = stores.decisions.get([key_of(one)])
    assert canonical_json([found.context, found.reasoning]) == canonical_json([one.context, one.reasoning])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sends=st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=12), min_size=1, max_size=6))
def test_retries_never_duplicate(stores, clock, sends):
    """Whatever is sent again, in whatever batches and order, each decision and each outcome is there once."""
    log = DecisionLog(fresh_agent(), stores, clock)
    ids = [new_decision_id("QUERY", NOW + n) for n in range(10)]
    seen = set()
    for batch in sends:
        drafts = [
            {"decision_type": "QUERY", "context": {"n": n}, "reasoning": {}, "decision_id": ids[n]} for n in batch
        ]
        reports = [{"decision_id": ids[n], "outcome": {"n": n}, "success": n % 2 == 0} for n in batch]
        for results in (log.log(drafts), log.record_outcomes(reports)):
            new = set(seen)
            for n, result in zip(batch, results, strict=True):
                assert result.status == (WriteStatus.UNCHANGED if n in new else WriteStatus.CREATED)
                new.add(n)
        seen |= set(batch)
    found = list(log.stream(DecisionFilter(), newest_first=False))
    assert [one.context["n"] for one in found] == sorted(seen)
    assert [(one.outcome.details["n"], one.superseded) for one in found] == [(n, ()) for n in sorted(seen)]
