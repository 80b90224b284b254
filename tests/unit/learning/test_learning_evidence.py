"""From a decision to the facts that patterns are made of."""

import subprocess
import sys

import pytest

from agent_memory.core.errors import InvalidInput
from agent_memory.learning.evidence import evidence_of, features_of, key_of, value_of
from agent_memory.model.evidence import Evidence


def decision(**changes: object) -> dict[str, object]:
    return {
        "decision_id": "d-1",
        "agent_id": "market-hunter",
        "timestamp": "2026-11-20T10:30:00.123Z",
        "decision_type": "SOURCE_SELECTION",
        "context": {"market": {"volatility": "high", "trend": "bullish"}, "cycle": 142, "symbol": "AAPL"},
        "reasoning": {
            "scores": {"derivatives": 0.87},
            "selected": ["whaleMovements", "derivatives"],
            "exploration_triggered": False,
            "fallback": None,
        },
        "outcome": {"quality": "good"},
        "success": True,
        "metadata": {"version": "1.0"},
        **changes,
    }


def test_a_decision_becomes_evidence():
    assert evidence_of(decision()) == Evidence(
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


def test_a_decision_without_an_outcome_is_no_evidence():
    assert evidence_of(decision(outcome=None, success=None)) is None


def test_a_failure_is_evidence():
    failed = evidence_of(decision(success=False))
    assert failed is not None
    assert failed.success is False


@pytest.mark.parametrize("timestamp", ["yesterday", "2026-11-20T10:30:00", None])
def test_a_time_that_means_nothing_is_refused(timestamp):
    with pytest.raises(InvalidInput) as refused:
        evidence_of(decision(timestamp=timestamp))
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
def test_what_counts_as_a_fact(context, expected):
    assert features_of({"context": context, "reasoning": {}}) == expected


def test_of_the_metadata_only_the_strategy_is_a_fact():
    metadata = {"strategy": "momentum", "version": "1.0"}
    assert features_of({"context": {}, "reasoning": {}, "metadata": metadata}) == ("metadata.strategy=momentum",)
    assert features_of({"context": {}, "reasoning": {}, "metadata": {"strategy": None}}) == ()


def test_a_feature_splits_at_its_first_equals_sign():
    assert key_of("context.a=b=c") == "context.a"
    assert value_of("context.a=b=c") == "b=c"


def test_evidence_needs_no_numpy():
    modules = ", ".join(f"agent_memory.learning.{name}" for name in ("evidence", "controls", "intervals", "life"))
    script = f"import sys, {modules}; assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)
