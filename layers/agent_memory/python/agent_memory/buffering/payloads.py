"""Inputs, validated as the direct classes validate them, and serialized as JSON for the disk."""

import json
from collections.abc import Mapping
from typing import Any

from agent_memory.core.clock import to_iso
from agent_memory.core.ids import parse_decision_id
from agent_memory.core.json_values import check_json, mapping_as_dict
from agent_memory.decisions.inputs import parse_decision, parse_outcome
from agent_memory.model.records import MAX_DECISION_BYTES, check_size


def decision_payload(
    data: Mapping[str, Any], *, agent_id: str, now_ms: int, write_shards: int = 1
) -> tuple[str, bytes]:
    """Validate the input of a decision; returns the decision's id, and the input with the id as JSON.

    Raises:
        InvalidInput: the same as from `DecisionLogger.log_decision`.
    """
    decision = parse_decision(data, agent_id=agent_id, now_ms=now_ms, path="", write_shards=write_shards)
    check_json(decision.context, "/context")
    check_json(decision.reasoning, "/reasoning")
    check_json(decision.metadata, "/metadata")
    # The id contains the timestamp.
    fields = {name: value for name, value in data.items() if name != "timestamp"}
    payload = _json(fields | {"decision_id": decision.decision_id})
    if len(payload) > MAX_DECISION_BYTES:  # the content is never longer than the payload
        check_size(decision.content())
    return decision.decision_id, payload


def outcome_payload(data: Mapping[str, Any], *, now_ms: int) -> bytes:
    """Validate the input of an outcome; returns it as JSON with a timestamp, by which a retry is recognised.

    Raises:
        InvalidInput: the same as from `DecisionLogger.log_outcome`.
    """
    decision_id, update = parse_outcome(data, now_ms=now_ms, path="")
    parse_decision_id(decision_id, "/decision_id")
    check_json(update.outcome.details, "/outcome")
    check_json(update.outcome.metrics, "/metrics")
    check_size(update.outcome.content())
    return _json({**data, "timestamp": to_iso(update.outcome.recorded_ms)})


# `check_json` has limited the depth before, so there are no circular references.
_encode = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False, default=mapping_as_dict
).encode


def _json(document: Mapping[str, Any]) -> bytes:
    return _encode(document).encode()
