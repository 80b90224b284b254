"""Decisions, memories and states as DynamoDB items and back."""

from typing import Any

from agent_memory import keys
from agent_memory.clock import to_iso
from agent_memory.codec import AttributeValue, decode, encode
from agent_memory.errors import InvalidInput
from agent_memory.models import Decision, Memory, Outcome
from agent_memory.schema import BY_CONTEXT, BY_OUTCOME
from agent_memory.stores.base import DecisionKey

Item = dict[str, AttributeValue]

MAX_ITEM_BYTES = 350_000


def text(value: str) -> AttributeValue:
    """A string attribute."""
    return {"S": value}


def number(value: float) -> AttributeValue:
    """A number attribute; whole floats read back as ints, so only for attributes of one kind."""
    return encode(value)[0]


def seconds(ms: int) -> AttributeValue:
    """A Unix timestamp in seconds, to the millisecond."""
    return {"N": f"{ms / 1000:.3f}".rstrip("0").rstrip(".")}


def milliseconds(value: AttributeValue) -> int:
    """What `seconds` wrote."""
    return round(float(value["N"]) * 1000)


def documents(**values: Any) -> Item:
    """JSON documents as attributes, and the list of their whole floats where there are any."""
    item: Item = {}
    whole_floats: list[str] = []
    for name, value in values.items():
        item[name], found = encode(value, f"/{name}")
        whole_floats += found
    if whole_floats:
        item["whole_floats"] = {"L": [text(path) for path in whole_floats]}
    return item


def document(item: Item, name: str, whole_floats: str = "whole_floats") -> Any:
    """The JSON document that `documents` wrote, or None."""
    if name not in item:
        return None
    listed = [entry["S"] for entry in item.get(whole_floats, {"L": []})["L"]]
    return decode(item[name], listed, f"/{name}")


def item_bytes(value: Any) -> int:
    """Size of an item or attribute value by DynamoDB's rules, within a few bytes."""
    if isinstance(value, dict):
        return sum(len(str(name).encode()) + item_bytes(member) + 1 for name, member in value.items())
    if isinstance(value, list):
        return 3 + sum(item_bytes(member) + 1 for member in value)
    return len(value.encode()) if isinstance(value, str) else 1


def decision_key_item(key: DecisionKey) -> Item:
    """Primary key of a decision."""
    return {
        "pk": text(keys.decision_pk(key.agent_id, key.decision_type)),
        "sk": text(keys.decision_sk(key.timestamp_ms, key.decision_id)),
    }


def decision_item(decision: Decision) -> Item:
    """A decision as it is first written, without its outcome.

    Raises:
        InvalidInput: a value that cannot be stored, or more than 350,000 bytes in all.
    """
    item = decision_key_item(DecisionKey.of(decision)) | {
        "decision_id": text(decision.decision_id),
        "agent_id": text(decision.agent_id),
        "decision_type": text(decision.decision_type),
        "timestamp": seconds(decision.timestamp_ms),
        "iso_timestamp": text(to_iso(decision.timestamp_ms)),
    }
    item |= documents(context=decision.context, reasoning=decision.reasoning, metadata=decision.metadata)
    context_type = keys.context_type_of(decision.context)
    if context_type is not None:
        item[BY_CONTEXT.partition.name] = text(keys.context_pk(decision.agent_id, context_type))
    if item_bytes(item) > MAX_ITEM_BYTES:
        raise InvalidInput(
            "decision", f"larger than {MAX_ITEM_BYTES:,} bytes; keep large data elsewhere and refer to it"
        )
    return item


def outcome_attributes(key: DecisionKey, outcome: Outcome) -> Item:
    """The attributes that an outcome adds to its decision."""
    added = documents(outcome=outcome.details, metrics=outcome.metrics)
    if "whole_floats" in added:
        added["outcome_whole_floats"] = added.pop("whole_floats")
    return added | {
        "success": {"BOOL": outcome.success},
        "outcome_recorded": seconds(outcome.recorded_ms),
        BY_OUTCOME.partition.name: text(keys.outcome_pk(key.agent_id, success=outcome.success)),
    }


def decision_from(item: Item) -> Decision:
    """The decision that an item holds."""
    return Decision(
        agent_id=item["agent_id"]["S"],
        decision_id=item["decision_id"]["S"],
        decision_type=item["decision_type"]["S"],
        timestamp_ms=milliseconds(item["timestamp"]),
        context=document(item, "context"),
        reasoning=document(item, "reasoning"),
        metadata=document(item, "metadata"),
        outcome=outcome_from(item),
    )


def outcome_from(item: Item) -> Outcome | None:
    """The outcome that an item holds, if it is known."""
    if "success" not in item:
        return None
    return Outcome(
        success=item["success"]["BOOL"],
        details=document(item, "outcome", "outcome_whole_floats"),
        metrics=document(item, "metrics", "outcome_whole_floats"),
        recorded_ms=milliseconds(item["outcome_recorded"]),
    )


def memory_item(memory: Memory) -> Item:
    """A memory's current version."""
    return documents(data=memory.data) | {
        "pk": text(keys.memory_pk(memory.agent_id, memory.memory_type)),
        "sk": text(memory.pattern_id),
        "pattern_id": text(memory.pattern_id),
        "agent_id": text(memory.agent_id),
        "memory_type": text(memory.memory_type),
        "confidence": number(memory.confidence),
        "learned_at": seconds(memory.learned_ms),
        "updated_at": seconds(memory.updated_ms),
        "version": number(memory.version),
    }


def history_item(memory: Memory) -> Item:
    """The same version as it stays in the history; it has no place in the index by confidence."""
    item = memory_item(memory)
    item["pk"] = text(keys.history_pk(memory.agent_id, memory.memory_type))
    item["sk"] = text(keys.history_sk(memory.pattern_id, memory.version))
    item["known_confidence"] = item.pop("confidence")
    return item


def memory_from(item: Item) -> Memory:
    """The version of a memory that an item holds."""
    confidence = item.get("confidence") or item["known_confidence"]
    return Memory(
        agent_id=item["agent_id"]["S"],
        memory_type=item["memory_type"]["S"],
        pattern_id=item["pattern_id"]["S"],
        confidence=float(confidence["N"]),
        data=document(item, "data"),
        learned_ms=milliseconds(item["learned_at"]),
        updated_ms=milliseconds(item["updated_at"]),
        version=int(item["version"]["N"]),
    )
