"""What callers log, checked as the direct classes check it, as JSON text for the disk."""

import json
from collections.abc import Mapping
from typing import Any

from agent_memory.codec import check
from agent_memory.decision_drafts import decision_of, outcome_of
from agent_memory.ids import parse_decision_id
from agent_memory.stores.dynamodb_items import MAX_ITEM_BYTES, decision_item

# An item's keys, ids and times, generously.
_FIXED_BYTES = 5_000


def present(**optional: Any) -> dict[str, Any]:
    """The fields that say something: neither None nor False nor an empty list or mapping."""
    return {name: value for name, value in optional.items() if value or isinstance(value, str)}


def decision_payload(draft: Mapping[str, Any], *, agent_id: str, now_ms: int) -> tuple[str, bytes]:
    """The id of the decision that a draft describes, and the draft with that id as JSON.

    Raises:
        InvalidInput: as `DecisionLogger.log_decision` raises it.
    """
    decision = decision_of(draft, agent_id=agent_id, now_ms=now_ms, path="")
    check(decision.context, "/context")
    check(decision.reasoning, "/reasoning")
    check(decision.metadata, "/metadata")
    # The id carries the time.
    timeless = {name: value for name, value in draft.items() if name != "timestamp"}
    payload = _json(timeless | {"decision_id": decision.decision_id})
    if _may_be_too_large(payload):
        decision_item(decision)
    return decision.decision_id, payload


def outcome_payload(report: Mapping[str, Any], *, now_ms: int) -> bytes:
    """A report of an outcome as JSON.

    Raises:
        InvalidInput: as `DecisionLogger.log_outcome` raises it.
    """
    decision_id, outcome = outcome_of(report, now_ms=now_ms, path="")
    parse_decision_id(decision_id, "/decision_id")
    check(outcome.details, "/outcome")
    check(outcome.metrics, "/metrics")
    return _json(report)


def _may_be_too_large(payload: bytes) -> bool:
    """Whether the item could exceed its limit, going by the JSON alone: exact sizes cost ten times the check.

    An item takes at most three bytes for one of its JSON, and the path of each whole float beside it, which is at
    most twice as long as the JSON. Whole floats end in `.0` or have a positive exponent.
    """
    whole_floats = payload.count(b".0") + payload.count(b"e+")
    return len(payload) * (3 + 2 * whole_floats) > MAX_ITEM_BYTES - _FIXED_BYTES


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
