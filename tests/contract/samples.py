"""Decisions and outcomes for the contract tests."""

import secrets

from agent_memory.core.ids import new_decision_id
from agent_memory.model.decisions import Decision, Outcome
from agent_memory.model.outcomes import OutcomeUpdate
from agent_memory.ports.decisions import Selection

NOW = 1_795_176_000_000  # 2026-11-20 12:00 UTC
QUERIES = Selection("hunter", "QUERY")
BULLISH = "trend=bullish"


def decision(at_ms=NOW, decision_type="QUERY", agent="hunter", decision_id=None, shards=1, **context):
    return Decision(
        agent_id=agent,
        decision_id=decision_id or new_decision_id(decision_type, at_ms, write_shards=shards),
        decision_type=decision_type,
        timestamp_ms=at_ms,
        context={"market": {"trend": "bullish"}, **context},
        reasoning={"score": 0.5, "integral": 1.0, "count": 1},
    )


def outcome(success=True, at_ms=NOW, horizon=None, **details):
    return Outcome(success, details or {"quality": 1.0}, {"latency_ms": 12}, at_ms, horizon)


def record(stores, one, *, amend=False, headline=False, **fields):
    """Record one outcome of a decision; returns the status."""
    (status,) = stores.decisions.record_outcomes([(one.key, OutcomeUpdate(outcome(**fields), amend, headline))])
    return status


def stored(stores, one):
    """The decision as it is stored now."""
    return stores.decisions.get([one.key])[0]


def write_day(archive, day, decisions):
    """Write the file of a day of the agent `hunter`, without a seal."""
    packed = archive.pack(decisions)
    archive.write_file("hunter", day, packed, replaced=archive.file("hunter", day))
    return packed


def new_agent():
    """An agent id that no other example of a property-based test uses."""
    return f"agent-{secrets.token_hex(6)}"
