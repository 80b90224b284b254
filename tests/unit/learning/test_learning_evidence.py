"""From a decision to the facts that patterns are combinations of."""

import subprocess
import sys
from dataclasses import replace

import pytest

from agent_memory.core.clock import DAY_MS, HOUR_MS, to_iso
from agent_memory.core.errors import InvalidInput
from agent_memory.core.ids import decision_id_for
from agent_memory.learning.evidence import (
    CLUSTERS,
    MAX_QUESTION_CHARACTERS,
    evidence_from_records,
    evidence_of,
    evidence_row,
    features_of,
    key_of,
    question_of,
    value_of,
)
from agent_memory.model.decisions import Decision, Outcome
from agent_memory.model.evidence import Evidence
from agent_memory.model.outcomes import OutcomeUpdate, apply_outcome

DECISION = Decision(
    agent_id="market-hunter",
    decision_id="d-1",
    decision_type="SOURCE_SELECTION",
    timestamp_ms=1_795_170_600_123,
    context={"market": {"volatility": "high", "trend": "bullish"}, "cycle": 142, "symbol": "AAPL"},
    reasoning={
        "scores": {"derivatives": 0.87},
        "selected": ["whaleMovements", "derivatives"],
        "exploration_triggered": False,
        "fallback": None,
    },
    metadata={"version": "1.0"},
)


def resolved(success):
    return replace(DECISION, outcome=Outcome(success, {"quality": "good"}, {}, 0))


def test_a_decision_becomes_evidence():
    assert evidence_of(resolved(success=True)) == Evidence(
        decision_id="d-1",
        decision_type="SOURCE_SELECTION",
        timestamp_ms=1_795_170_600_123,
        success=True,
        features=(
            "context.market.trend=bullish",
            "context.market.volatility=high",
            "context.symbol=AAPL",
            "reasoning.exploration_triggered=false",
            "reasoning.fallback=null",
            "source=derivatives",
            "source=whaleMovements",
        ),
        numbers=(("context.cycle", 142.0), ("reasoning.scores.derivatives", 0.87)),
    )


def test_a_decision_without_an_outcome_is_not_evidence():
    assert evidence_of(DECISION) is None


def test_a_failure_is_evidence():
    failed = evidence_of(resolved(success=False))
    assert failed is not None
    assert failed.success is False


@pytest.mark.parametrize("success", [True, False])
def test_a_record_of_a_query_is_the_same_evidence(success):
    decision = resolved(success)
    assert list(evidence_from_records([DECISION.as_dict(), decision.as_dict()])) == [evidence_of(decision)]


FORECAST = {"source_family": "flow", "horizon": 4, "forecast": "range"}


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("direction", "direction"),
        (FORECAST, "forecast=range|horizon=4|source_family=flow"),
        (dict(reversed(FORECAST.items())) | {"horizon": 4.0}, "forecast=range|horizon=4|source_family=flow"),
        (["range", "4h"], "range|4h"),
        ({"forecast": {"of": "range", "in": "1h"}, "note": None}, "forecast=in=1h|of=range"),
        (None, ""),
        ({}, ""),
        (" ", ""),
    ],
)
@pytest.mark.parametrize("section", ["reasoning", "context", "metadata"])
def test_a_decision_names_its_question(section, question, expected):
    decision = resolved(success=True)
    asked = replace(decision, **{section: {**getattr(decision, section), "question": question}})
    row = evidence_of(asked)
    assert row == replace(evidence_of(decision), question=expected)  # it is no fact
    assert list(evidence_from_records([asked.as_dict()])) == [row]


def test_the_question_in_the_reasoning_comes_first_and_long_ones_stay_different():
    assert question_of({"question": "range"}, {"question": "direction"}) == "range"
    assert question_of(None, {"question": "direction"}) == "direction"
    one, other = (question_of({"question": "x" * 300 + end}) for end in "ab")
    assert one != other
    assert len(one) == len(other) == MAX_QUESTION_CHARACTERS


@pytest.mark.parametrize("section", ["reasoning", "context", "metadata"])
def test_a_decision_names_what_shares_its_outcome(section):
    decision = resolved(success=True)
    for name in reversed(CLUSTERS):
        decision = replace(decision, **{section: {**getattr(decision, section), name: 17}})
        assert evidence_of(decision).cluster == f"{name}=17"  # a position before a trade before a cycle
    assert evidence_of(decision).features == evidence_of(resolved(success=True)).features


def test_a_chain_is_the_cluster_of_its_decisions():
    at_ms = DECISION.timestamp_ms
    root, parent = (decision_id_for("QUERY", to_iso(at_ms - hours * HOUR_MS), "x") for hours in (48, 1))
    old = decision_id_for("QUERY", to_iso(at_ms - 30 * DAY_MS), "x")
    decision = replace(resolved(success=True), parent_ids=(parent,))
    assert evidence_of(decision).cluster == parent
    assert evidence_of(replace(decision, ancestors={parent: 1, root: 2, old: 3})).cluster == root
    assert evidence_of(replace(decision, ancestors={old: 1}, parent_ids=(old,))).cluster == ""
    assert evidence_of(replace(decision, context={"cycle_id": "c-1"})).cluster == "cycle_id=c-1"


def test_evidence_keeps_when_its_outcome_became_known_and_what_it_was_before():
    at_ms = DECISION.timestamp_ms
    decision = apply_outcome(DECISION, OutcomeUpdate(Outcome(True, {}, {}, at_ms + 10)), at_ms + 11)
    decision = apply_outcome(decision, OutcomeUpdate(Outcome(False, {}, {}, at_ms + 20), amend=True), at_ms + 25)
    row = evidence_row(decision)
    assert row.results == ((at_ms + 10, True), (at_ms + 25, False))
    known = [row.known_before(at_ms + after) for after in (0, 1, 10, 11, 25, 26)]
    assert [one and one.success for one in known] == [None, None, None, True, True, False]
    assert [one is None for one in known] == [True, *[False] * 5]
    assert evidence_row(DECISION).results == ((at_ms, None),)


def test_a_decision_that_was_logged_late_is_not_known_before():
    row = Evidence("d", "QUERY", 1_000, True, (), known_ms=5_000, earlier=((3_000, None),))
    assert [row.known_before(end) and row.known_before(end).success for end in (3_000, 3_001, 5_001)] == [
        None,
        None,
        True,
    ]
    assert row.known_before(3_000) is None
    assert row.known_before(3_001).results == ((3_000, None),)


@pytest.mark.parametrize("timestamp", ["yesterday", "2026-11-20T10:30:00", None])
def test_an_invalid_timestamp_in_a_record_is_refused(timestamp):
    with pytest.raises(InvalidInput) as refused:
        list(evidence_from_records([resolved(success=True).as_dict() | {"timestamp": timestamp}]))
    assert refused.value.field == "timestamp"


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({"number": 3, "ratio": 0.5}, ()),
        ({"note": "x" * 65}, ()),
        ({"note": "x" * 64}, (f"context.note={'x' * 64}",)),
        ({"flags": ["a", "b", "a", 3]}, ("context.flags=a", "context.flags=b")),
        ({"flags": [str(i) for i in range(33)]}, ()),
        ({"a=b": "c=d"}, ("context.a_b=c=d",)),
        ({"k" * 120: "v"}, ()),
        ({"a": {"b": {"c": {"d": {"e": {"f": {"g": "deep"}}}}}}}, ()),
        (None, ()),
    ],
)
def test_which_values_are_facts(context, expected):
    assert features_of(context, {}) == expected


def test_of_the_metadata_only_the_strategy_is_a_fact():
    assert features_of({}, {}, {"strategy": "momentum", "version": "1.0"}) == ("metadata.strategy=momentum",)
    assert features_of({}, {}, {"strategy": None}) == ()


def test_a_feature_splits_at_its_first_equals_sign():
    assert key_of("context.a=b=c") == "context.a"
    assert value_of("context.a=b=c") == "b=c"


def test_evidence_does_not_load_numpy():
    modules = ", ".join(f"agent_memory.learning.{name}" for name in ("evidence", "intervals", "lifecycle"))
    script = f"import sys, {modules}; assert not {{'numpy', 'scipy'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)
