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
    "policy": "thompson",
    "policy_version": "1",
    "joint_propensity": 0.31,
}
_OUTCOME_INPUT: Json = {
    "outcome": {"signals_generated": 2},
    "success": True,
    "metrics": {"quality": 0.85, "latency_ms": 1200},
    "horizon": "1h",
}
_DECISION: Json = {
    **DECISION_INPUT,
    "propensity": None,
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
_ONE_OF_ONE: Json = {"with_outcome": 1, "succeeded": 1, "success_rate": 1.0, "low": 0.206, "high": 1.0}
_SIGNALS: Json = {"decision_type": "SIGNAL_GENERATION", "decisions": 2, **_ONE_OF_ONE}
_SELECTIONS: Json = {**_SIGNALS, "decision_type": "SOURCE_SELECTION"}
_PATTERN_RATE: Json = {"success_rate": 0.7, "low": 0.642, "high": 0.752, "base_rate": 0.49, "sample_size": 265}
_PATTERN: Json = {
    "pattern_id": "whale_pump_correlation",
    "description": "Signal generation in bullish markets with source whale movements: 70% of 265 succeeded, "
    "against 49% otherwise",
    "status": "active",
    "confidence": 0.97,
    "effect": 0.21,
    "learned_at": "2026-11-20T00:00:00.000Z",
    **_PATTERN_RATE,
}
_TALLY: Json = {
    "count": 2,
    **_ONE_OF_ONE,
    "by_type": [{"decision_type": "SOURCE_SELECTION", "count": 2, **_ONE_OF_ONE}],
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

_QUARANTINE: Json = {
    "memory_id": "whale_pump_correlation",
    "by": AGENT_ID,
    "reason": "written by an intruder",
    "at": TIMESTAMP,
}
_QUARANTINED: Json = {"memory_type": "PATTERN", "version": 2}

_WORD_COUNTS: Json = {"entries": 49, "length": 980.0, "containing": {"whale": 12}}
_COMPLETE: Json = {"complete": True, "missing": [], "cursor": None}

_CLAIM: Json = {
    "agent_id": AGENT_ID,
    "memory_id": "signal_generation+context.market.trend=bullish+reasoning.source=derivatives",
    "status": "active",
    "confidence": 0.93,
    "features": ["context.market.trend=bullish", "reasoning.source=derivatives"],
    "description": "Source derivatives in bullish markets: 71% of 140 succeeded, against 55% otherwise",
    "success_rate": 0.71,
}
_LOG_WITH: Json = {
    "memory_ids": ["SIGNAL_GENERATION:reasoning.source", _CLAIM["memory_id"]],
    "policy": "thompson",
    "policy_version": "1",
    "joint_propensity": 0.64,
}
_ADVICE: Json = {
    "decision_type": "SOURCE_SELECTION",
    "result": "success",
    "facts": ["context.market.trend=bullish", "context.market.volatility=high"],
    "estimated_from": {
        "agent_id": AGENT_ID,
        "memory_id": "SIGNAL_GENERATION:reasoning.source",
        "version": 31,
        "updated_at": "2026-10-18T00:00:00.000Z",
        "decision_type": "SIGNAL_GENERATION",
        "choice": "reasoning.source",
        "decisions": 4320,
        "half_life_days": 30.0,
        "reward": "outcome.pnl",
        "recent_results": 48,
    },
    "options": [
        {
            "option": "derivatives",
            "expected": 0.66,
            "deviation": 0.03,
            "interval": [0.6, 0.72],
            "is_prior": False,
            "effective_decisions": 312.5,
            "reward": {
                "expected": 41.5,
                "deviation": 6.0,
                "interval": [29.7, 53.3],
                "is_prior": False,
                "effective_decisions": 312.5,
            },
            "claims": [_CLAIM],
        }
    ],
    "claims": [],
    "choice": {
        "chosen": ["derivatives", "macro"],
        "policy": "thompson",
        "policy_version": "1",
        "propensities": [{"option": "derivatives", "propensity": 0.97}, {"option": "macro", "propensity": 0.66}],
        "joint_propensity": 0.64,
        "propensity_error": 1e-6,
        "seed": "cycle-142",
    },
    "memory_ids": _LOG_WITH["memory_ids"],
    "log_with": _LOG_WITH,
    "missing": [],
}

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
    "ConfidenceTrend": {
        "versions": [
            {
                "at": "2026-11-20T00:00:00.000Z",
                "version": 1,
                "confidence": 0.97,
                "status": "active",
                "removed": False,
                **_PATTERN_RATE,
            }
        ],
        **_COMPLETE,
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
    "CrowdingDict": {
        "agent_id": AGENT_ID,
        "date": "2026-11-20",
        "measured": True,
        "memories": [
            {
                "memory_id": "bullish-breakout",
                "agents": 6,
                "decisions": 8,
                "start": "2026-11-20T14:02:11.000Z",
                "end": "2026-11-20T14:48:05.000Z",
                "alike": 0.93,
                "alike_otherwise": 0.41,
                "crowded": True,
            }
        ],
    },
    "InfluenceDict": {
        "memory_id": "whale_pump_correlation",
        "quarantined": False,
        "outcomes": {
            "QUERY": {
                "decisions": 1,
                "with_outcome": 1,
                "succeeded": 1,
                "success_rate": 1.0,
                "low": 0.206,
                "high": 1.0,
            }
        },
        "fed": [{"memory_type": "PATTERN", "pattern_id": "bullish-whales", "decisions": 1, "matching": 1}],
        "decisions": [{"decision_id": DECISION_ID, "decision_type": "QUERY", "timestamp": TIMESTAMP, "success": True}],
        **_COMPLETE,
    },
    "LoggedDecision": _LOGGED_DECISION,
    "LoggedOutcome": _LOGGED_OUTCOME,
    "Memories": {"memories": [_MEMORY], **_COMPLETE},
    "Advice": _ADVICE,
    "MemoryData": _MEMORY_DATA,
    "MemoryDict": _MEMORY,
    "MemoryRemoved": {
        "agent_id": AGENT_ID,
        "memory_type": "PATTERN",
        "pattern_id": "whale_pump_correlation",
        "version": 4,
        "removed_at": TIMESTAMP,
        "changed_by": AGENT_ID,
        "reason": "a test's data",
    },
    "MemoryHistory": {"changes": [_MEMORY_CHANGE], **_COMPLETE},
    "NewConfidence": {"new_confidence": 0.9},
    "OutcomeBatch": {"outcomes": [{**_OUTCOME_INPUT, "decision_id": DECISION_ID}]},
    "OutcomeInput": _OUTCOME_INPUT,
    "OutcomeResults": {"results": [_LOGGED_OUTCOME]},
    "PatternList": {"patterns": [_PATTERN], **_COMPLETE},
    "Performance": {
        "agent_id": AGENT_ID,
        "time_range": ["2026-11-01T00:00:00.000Z", None],
        "interval": "Wilson score interval, 95 %",
        "decisions": 4,
        "with_outcome": 2,
        "by_type": [_SIGNALS, _SELECTIONS],
        "by_day": [{**_SIGNALS, "date": "2026-11-20"}, {**_SELECTIONS, "date": "2026-11-20"}],
        "by_context": [{**_SIGNALS, "context_type": "trend=bullish|volatility=high"}],
        "by_source": [{**_SIGNALS, "source": "whaleMovements"}],
        "by_selection": [{**_SELECTIONS, "source": "whaleMovements"}],
        **_COMPLETE,
    },
    "QuarantineDict": {"agent_id": AGENT_ID, **_QUARANTINE, "memories": [_QUARANTINED]},
    "QuarantineInput": {"reason": "written by an intruder"},
    "QuarantineList": {"quarantines": [_QUARANTINE]},
    "RateLimitDict": {"allowed": True, "remaining": 59, "resets_in_seconds": 300.0, "is_shared": True},
    "RateLimitInput": {"limit": 60, "window_seconds": 300},
    "RecallResult": {
        "found": [{"kind": "PATTERN", "score": 0.68, "memory": _MEMORY}],
        "statistics": {**_WORD_COUNTS, "ranked_at": TIMESTAMP},
        **_COMPLETE,
    },
    "SimilarResult": {
        "similar": [
            {"similarity": 0.83, "decision": {"decision_id": DECISION_ID, "context": _MARKET, "success": True}}
        ],
        "decisions": 1,
        "with_outcome": 1,
        "success_rate": 1.0,
        "interval": [0.21, 1.0],
        "base_decisions": 412,
        "base_with_outcome": 400,
        "base_success_rate": 0.55,
        "base_interval": [0.5, 0.6],
        "as_of": TIMESTAMP,
        "complete": True,
        "missing": [],
    },
    "Released": {"agent_id": AGENT_ID, "memory_id": "whale_pump_correlation", "memories": [_QUARANTINED]},
    "ShortTermErased": {"erased": 3},
    "ShortTermFound": {"key": "context:current", "data": _MARKET},
    "ShortTermKept": {"key": "context:current"},
    "ShortTermValue": {"data": _MARKET, "ttl_seconds": 3600},
    "SignalRemoval": {"signal": _SIGNAL},
    "SignalRemoved": {"removed": True},
    "StateData": _STATE_DATA,
    "StateDict": _STATE,
}

# By name; a dictionary or a list is sent as JSON.
PARAMETERS: Mapping[str, Any] = {
    "recent": True,
    "withhold": {"memory_type": "ESTIMATE"},
    "agent_id": AGENT_ID,
    "choice": "reasoning.source",
    "choose": "thompson",
    "count": 2,
    "exploration": 0.1,
    "matches": {"market": _MARKET},
    "options": ["whaleMovements", "derivatives", "macro"],
    "result": "success",
    "seed": "cycle-142",
    "as_of": "2026-11-01T00:00:00Z",
    "context": _MARKET,
    "context_type": "trend=bullish|volatility=high",
    "cursor": "MDEyMzQ1Njdu…",
    "cycles": 10,
    "date": "2026-11-20",
    "decision_id": DECISION_ID,
    "decision_type": "SOURCE_SELECTION",
    "depth": 5,
    "end": "2026-12-01T00:00:00Z",
    "expected_version": 0,
    "decisions": "false",
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
    "min_occurrences": 30,
    "exact": False,
    "min_similarity": 0.5,
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
    "statistics": _WORD_COUNTS,
    "status": "active",
    "success": "true",
    "symbol": "BTC-USD",
    "tags": ["whales"],
    "text": "whale pump",
    "top_k": 5,
    "writer": "market-hunter",
    "weights": {"importance": 0.5},
}
