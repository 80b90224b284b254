"""From a decision to the facts that patterns are combinations of."""

import subprocess
import sys
from dataclasses import replace

import pytest

from agent_memory.core.errors import InvalidInput
from agent_memory.learning.evidence import evidence_from_records, evidence_of, features_of, key_of, value_of
from agent_memory.model.decisions import Decision, Outcome
from agent_memory.model.evidence import Evidence

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
    modules = ", ".join(
        f"agent_memory.learning.{name}" for name in ("evidence", "intervals", "lifecycle", "permutation")
    )
    script = f"import sys, {modules}; assert not {{'numpy', 'scipy'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)
