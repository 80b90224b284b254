"""Examples for the OpenAPI document: a body for each request and response model, a value for each parameter."""

from collections.abc import Mapping
from typing import Any

from agent_memory.core.fields import Json
from agent_memory.core.ids import decision_id_for

AGENT_ID = "market-hunter"
TIMESTAMP = "2026-10-18T10:30:00.000Z"
DECISION_ID = decision_id_for("SOURCE_SELECTION", TIMESTAMP, "cycle 142")
PARENT_ID = decision_id_for("LEARNING", "2026-10-18T10:29:00Z", "cycle 141")

DECISION_INPUT: Json = {
    "decision_type": "SOURCE_SELECTION",
    "context": {"market": {"volatility": "high", "trend": "bullish"}, "cycle": 142, "trading_hours": "american"},
    "reasoning": {
        "scores": {"whaleMovements": 0.92, "derivatives": 0.87},
        "selected": ["whaleMovements", "derivatives"],
        "exploration_triggered": False,
    },
    "metadata": {"version": "1.0"},
    "decision_id": DECISION_ID,
    "parent_ids": [PARENT_ID],
    "memory_ids": ["whale_pump_correlation"],
}
_OUTCOME_INPUT: Json = {
    "outcome": {"signals_generated": 2},
    "success": True,
    "metrics": {"quality": 0.85, "latency_ms": 1200},
    "horizon": "1h",
}
_DECISION: Json = {
    **DECISION_INPUT,
    "agent_id": AGENT_ID,
    "timestamp": TIMESTAMP,
    **_OUTCOME_INPUT,
    "outcome_recorded_at": "2026-10-18T11:30:00.000Z",
    "other_outcomes": [],
    "superseded_outcomes": [],
}
_ANCESTOR: Json = {
    "decision_id": PARENT_ID,
    "decision_type": None,
    "timestamp": "2026-10-18T10:29:00.000Z",
    "relation": "ancestor",
    "distance": 1,
    "why": "named as a parent",
    "missing": True,
}
_TALLY: Json = {
    "count": 2,
    "with_outcome": 1,
    "succeeded": 1,
    "success_rate": 1.0,
    "low": 0.206,
    "high": 1.0,
    "latency_ms": {"count": 1, "mean": 1200.0, "median": 1200.0, "p95": 1200.0, "min": 1200.0, "max": 1200.0},
    "quality": None,
}
_MEMORY_DATA: Json = {"confidence": 0.7, "description": "whale movements predict pumps in bullish trends"}
_MEMORY: Json = {
    "agent_id": AGENT_ID,
    "pattern_id": "whale_pump_correlation",
    "memory_type": "PATTERN",
    **_MEMORY_DATA,
    "learned_at": TIMESTAMP,
    "updated_at": TIMESTAMP,
    "version": 1,
    "changed_by": AGENT_ID,
    "reason": None,
    "changed_as": None,
    "changed_by_claimed": False,
    "access_count": 0,
    "last_accessed": None,
}
_MEMORY_CHANGE: Json = {
    "version": 1,
    "at": TIMESTAMP,
    "changed_by": AGENT_ID,
    "changed_as": "arn:aws:sts::123456789012:assumed-role/market-hunter/session",
    "changed_by_claimed": False,
    "reason": "seen twice",
    "removed": False,
    "changes": {"confidence": {"before": None, "after": 0.7}},
}
_MARKET: Json = {"volatility": "high", "trend": "bullish"}
_QUERY: Json = {"source": "derivatives", "reading": 0.45}
_SIGNAL: Json = {"symbol": "BTC-USD", "expected": "up"}
_PERFORMANCE: Json = {"derivatives": {"bullish": {"success_rate": 0.71}}}
_CYCLE: Json = {
    "context": _MARKET,
    "queries": [_QUERY],
    "signals": [_SIGNAL],
    "performance": _PERFORMANCE,
    "decision_ids": [DECISION_ID],
}
_STATE_DATA: Json = {"current_cycle": 142, "configuration": {"learning_rate": 0.1}}
_STATE: Json = {"data": _STATE_DATA, "version": 1, "updated_at": TIMESTAMP}
_LOGGED_DECISION: Json = {"decision_id": DECISION_ID, "status": "created"}
_LOGGED_OUTCOME: Json = {"decision_id": DECISION_ID, "status": "recorded"}

_COMPLETE: Json = {"complete": True, "missing": [], "cursor": None}

BODIES: Mapping[str, Json] = {
    "Checkpoint": {"name": "before-open", "version": 1, "saved_at": TIMESTAMP},
    "Checkpoints": {"checkpoints": [{"name": "before-open", "version": 1, "saved_at": TIMESTAMP}], **_COMPLETE},
    "Configurations": {
        "configurations": [{"configuration": {"learning_rate": 0.1}, "state_version": 1, "since": TIMESTAMP}],
        **_COMPLETE,
    },
    "Consolidation": {"stm_key": "context:current", "pattern_type": "ARCHETYPE"},
    "ContextMemory": {
        "entries": [{**_DECISION, "level": "historical", "kind": "decision"}],
        **_COMPLETE,
        "levels": ["immediate", "recent", "historical", "archive"],
        "off": [],
    },
    "CurrentState": {"state": _STATE},
    "CycleInput": {**_CYCLE, "cycle_id": "cycle-142"},
    "CycleKept": {"cycle_id": "cycle-142"},
    "CyclesDict": {**_CYCLE, "queries": [[_QUERY]], "missing": [], "unreadable": {}},
    "DecisionBatch": {"decisions": [DECISION_INPUT]},
    "DecisionChain": {"chain": [_ANCESTOR], **_COMPLETE},
    "DecisionDict": _DECISION,
    "DecisionInput": DECISION_INPUT,
    "DecisionPage": {
        "decisions": [_DECISION],
        "complete": False,
        "missing": [
            {
                "id": DECISION_ID,
                "reason": "damaged",
                "why": "a large part of a decision is missing in the archive bucket",
            }
        ],
        "cursor": None,
    },
    "DecisionResults": {"results": [_LOGGED_DECISION]},
    "DecisionStatistics": {
        "agent_id": AGENT_ID,
        "decision_type": None,
        "time_range": [None, None],
        "group_by": "source",
        "interval": "Wilson score interval, 95 %",
        "total": _TALLY,
        "groups": [{**_TALLY, "group": "derivatives"}],
        "complete": True,
        "missing": [],
    },
    "Error": {"error": {"code": "invalid_input", "message": "/context: is missing", "field": "/context"}},
    "GatewayError": {"message": "Forbidden"},
    "LoggedDecision": _LOGGED_DECISION,
    "LoggedOutcome": _LOGGED_OUTCOME,
    "Memories": {"memories": [_MEMORY], **_COMPLETE},
    "MemoryData": _MEMORY_DATA,
    "MemoryDict": _MEMORY,
    "MemoryHistory": {"changes": [_MEMORY_CHANGE], **_COMPLETE},
    "NewConfidence": {"new_confidence": 0.9},
    "OutcomeBatch": {"outcomes": [{**_OUTCOME_INPUT, "decision_id": DECISION_ID}]},
    "OutcomeInput": _OUTCOME_INPUT,
    "OutcomeResults": {"results": [_LOGGED_OUTCOME]},
    "RateLimitDict": {"allowed": True, "remaining": 59, "resets_in_seconds": 300.0, "is_shared": True},
    "RateLimitInput": {"limit": 60, "window_seconds": 300},
    "RecallResult": {"found": [{"kind": "PATTERN", "score": 0.68, "memory": _MEMORY}], **_COMPLETE},
    "ShortTermErased": {"erased": 3},
    "ShortTermFound": {"key": "context:current", "data": _MARKET},
    "ShortTermKept": {"key": "context:current"},
    "ShortTermValue": {"data": _MARKET, "ttl_seconds": 3600},
    "SignalRemoval": {"signal": _SIGNAL},
    "SignalRemoved": {"removed": True},
    "StateData": _STATE_DATA,
    "StateDict": _STATE,
}

# By name; a dictionary is sent as JSON.
PARAMETERS: Mapping[str, Any] = {
    "agent_id": AGENT_ID,
    "as_of": "2026-11-01T00:00:00Z",
    "context": _MARKET,
    "context_type": "trend=bullish|volatility=high",
    "cursor": "MDEyMzQ1Njdu…",
    "cycles": 10,
    "decision_id": DECISION_ID,
    "decision_type": "SOURCE_SELECTION",
    "depth": 5,
    "end": "2026-12-01T00:00:00Z",
    "expected_version": 0,
    "explain": "false",
    "filters": {"min_confidence": 0.7, "status": "active"},
    "fresh": "false",
    "group_by": "source",
    "half_lives": {"PATTERN": 604_800},
    "key": "context:current",
    "kind": "PATTERN",
    "level": "immediate",
    "limit": 100,
    "memory_type": "PATTERN",
    "name": "before-open",
    "order": "newest",
    "pattern": "queries:*",
    "pattern_id": "whale_pump_correlation",
    "performance": {"derivatives": ["bullish"]},
    "query": "whales in a bull run",
    "reason": "held again",
    "signals_since": "2026-11-01T00:00:00Z",
    "source_id": "derivatives",
    "start": "2026-11-01T00:00:00Z",
    "success": "true",
    "symbol": "BTC-USD",
    "top_k": 5,
    "writer": "market-hunter",
}
