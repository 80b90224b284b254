"""Values, documents and memories as DynamoDB items and back; decisions have a module of their own."""

from typing import Any

from agent_memory.core import keys
from agent_memory.model.memories import Memory
from agent_memory.storage.dynamodb.attribute_values import AttributeValue, decode, encode

Item = dict[str, AttributeValue]


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


# What a memory's version may lack, and what is no part of a version.
OPTIONAL_IN_MEMORY = ("changed_by", "reason", "changed_as", "whole_floats")
ACCESSES_OF_MEMORY = ("access_count", "last_accessed", "accesses_through")


def memory_item(memory: Memory) -> Item:
    """A memory's current version, without its accesses."""
    said = {"changed_by": memory.changed_by, "reason": memory.reason, "changed_as": memory.changed_as}
    item = documents(data=memory.data) | {name: text(value) for name, value in said.items() if value is not None}
    return item | {
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
    if memory.is_removed:
        item["is_removed"] = {"BOOL": True}
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
        changed_by=item["changed_by"]["S"] if "changed_by" in item else None,
        reason=item["reason"]["S"] if "reason" in item else None,
        changed_as=item["changed_as"]["S"] if "changed_as" in item else None,
        is_removed="is_removed" in item,
        access_count=int(item["access_count"]["N"]) if "access_count" in item else 0,
        last_accessed_ms=milliseconds(item["last_accessed"]) if "last_accessed" in item else None,
    )
