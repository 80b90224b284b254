"""Inputs, validated as the direct classes validate them, and serialized as JSON for the disk."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from agent_memory.core.clock import to_iso
from agent_memory.core.ids import check_decision_id, parse_decision_id
from agent_memory.decisions.inputs import check_outcome_time, parse_decision, parse_outcome
from agent_memory.model.decisions import OPTIONAL, Decision, Outcome
from agent_memory.model.records import MAX_DECISION_BYTES, check_size

_LARGE_BYTES = 100_000


def decision_payload(
    data: Mapping[str, Any], *, agent_id: str, now_ms: int, write_shards: int = 1
) -> tuple[Decision, bytes]:
    """Validate the input of a decision; returns the decision, and the input with the decision's id as JSON.

    Raises:
        InvalidInput: the same as from `DecisionLogger.log_decision`.
    """
    decision = parse_decision(data, agent_id=agent_id, now_ms=now_ms, path="", write_shards=write_shards)
    # The id contains the timestamp.
    fields: dict[str, Any] = {
        "decision_type": decision.decision_type,
        "context": decision.context,
        "reasoning": decision.reasoning,
        "decision_id": decision.decision_id,
    }
    if decision.metadata:
        fields["metadata"] = decision.metadata
    if decision.parent_ids:
        fields["parent_ids"] = decision.parent_ids
    if decision.memory_ids:
        fields["memory_ids"] = decision.memory_ids
    for name in OPTIONAL:
        if (value := getattr(decision, name)) is not None:
            fields[name] = value
    payload = _json(fields)
    if len(payload) > MAX_DECISION_BYTES:  # the content is never longer than the payload
        check_size(decision.content())
    return decision, payload


def outcome_payload(data: Mapping[str, Any], *, now_ms: int) -> tuple[Outcome, bytes]:
    """Validate the input of an outcome; returns the outcome, and the input as JSON with a timestamp, for retries.

    Raises:
        InvalidInput: the same as from `DecisionLogger.log_outcome`.
    """
    decision_id, update = parse_outcome(data, now_ms=now_ms, path="")
    outcome = update.outcome
    decision_id = check_decision_id(decision_id, "/decision_id")
    check_outcome_time(outcome, parse_decision_id(decision_id, "/decision_id").timestamp_ms)
    check_size(outcome.content())
    fields: dict[str, Any] = {
        "decision_id": decision_id,
        "outcome": outcome.details,
        "success": outcome.success,
        "timestamp": to_iso(outcome.recorded_ms),
    }
    if outcome.metrics:
        fields["metrics"] = outcome.metrics
    if outcome.horizon is not None:
        fields["horizon"] = outcome.horizon
    if update.amend:
        fields["amend"] = True
    if update.headline:
        fields["headline"] = True
    return outcome, _json(fields)


# The parsed documents consist of plain values and have a limited depth, so there are no circular references.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False).encode
_encode_fast = msgspec.json.Encoder().encode


def _json(document: Mapping[str, Any]) -> bytes:
    """The document as JSON. What is large is as the sinks write it, whose limits its size is compared with.

    msgspec takes a seventh of the time, and writes some numbers shorter: `1e16` for `1e+16`.
    """
    text = _encode_fast(document)
    return text if len(text) < _LARGE_BYTES else _encode(document).encode()
