"""Decisions, outcomes and reports for the contract tests."""

import secrets

from agent_memory.core.ids import new_decision_id
from agent_memory.model.decisions import Decision, Outcome
from agent_memory.model.outcomes import OutcomeUpdate
from agent_memory.ports.decisions import Selection

NOW = 1_795_176_000_000  # 2026-11-20 12:00 UTC
QUERIES = Selection("hunter", "QUERY")
BULLISH = "trend=bullish"


def decision(at_ms=NOW, kind="QUERY", agent="hunter", decision_id=None, shards=1, **context):
    return Decision(
        agent_id=agent,
        decision_id=decision_id or new_decision_id(kind, at_ms, write_shards=shards),
        decision_type=kind,
        timestamp_ms=at_ms,
        context={"market": {"trend": "bullish"}, **context},
        reasoning={"score": 0.5, "whole": 1.0, "count": 1},
    )


def key_of(one):
    return one.key


def outcome(success=True, at_ms=NOW, horizon=None, **details):
    return Outcome(success, details or {"quality": 1.0}, {"latency_ms": 12}, at_ms, horizon)


def record(stores, one, *, amend=False, headline=False, **about):
    """OutcomeUpdate one outcome of a decision and say what became of it."""
    (written,) = stores.decisions.record_outcomes([(key_of(one), OutcomeUpdate(outcome(**about), amend, headline))])
    return written


def stored(stores, one):
    """The decision as it is stored now."""
    return stores.decisions.get([key_of(one)])[0]


def write_day(archive, day, decisions):
    """The file of a day of the hunter's, not sealed."""
    packed = archive.pack(decisions)
    archive.write_file("hunter", day, packed)
    return packed


def fresh_agent():
    """An agent that no other example of a property has used."""
    return f"agent-{secrets.token_hex(6)}"
