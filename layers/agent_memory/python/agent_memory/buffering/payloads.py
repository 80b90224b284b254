"""What callers log, checked as the direct classes check it, as JSON text for the disk."""

import json
from collections.abc import Mapping
from typing import Any

from agent_memory.core.clock import to_iso
from agent_memory.core.ids import parse_decision_id
from agent_memory.core.json_values import check_json
from agent_memory.decisions.inputs import parse_decision, parse_outcome
from agent_memory.model.records import MAX_DECISION_BYTES, check_size


def decision_payload(
    data: Mapping[str, Any], *, agent_id: str, now_ms: int, write_shards: int = 1
) -> tuple[str, bytes]:
    """The id of the decision that an input describes, and the input with that id as JSON.

    Raises:
        InvalidInput: as `DecisionLogger.log_decision` raises it.
    """
    decision = parse_decision(data, agent_id=agent_id, now_ms=now_ms, path="", write_shards=write_shards)
    check_json(decision.context, "/context")
    check_json(decision.reasoning, "/reasoning")
    check_json(decision.metadata, "/metadata")
    # The id carries the time.
    timeless = {name: value for name, value in data.items() if name != "timestamp"}
    payload = _json(timeless | {"decision_id": decision.decision_id})
    if len(payload) > MAX_DECISION_BYTES:  # the content alone is never longer
        check_size(decision.content())
    return decision.decision_id, payload


def outcome_payload(data: Mapping[str, Any], *, now_ms: int) -> bytes:
    """An outcome's input as JSON. It carries its time, by which it is known again when it is sent again.

    Raises:
        InvalidInput: as `DecisionLogger.log_outcome` raises it.
    """
    decision_id, update = parse_outcome(data, now_ms=now_ms, path="")
    parse_decision_id(decision_id, "/decision_id")
    check_json(update.outcome.details, "/outcome")
    check_json(update.outcome.metrics, "/metrics")
    check_size(update.outcome.content())
    return _json({**data, "timestamp": to_iso(update.outcome.recorded_ms)})


def _plain(value: Any) -> Any:
    """Mappings that are no dict, which the codec takes and the encoder of JSON does not."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not a JSON type")


# Depth is bounded by then, so that nothing can contain itself.
_encode = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False, default=_plain
).encode


def _json(document: Mapping[str, Any]) -> bytes:
    return _encode(document).encode()
