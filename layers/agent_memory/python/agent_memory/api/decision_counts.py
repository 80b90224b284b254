"""Counts new decisions from the stream of their table, whoever has written them.

A decision is one item, written once, so that its stream record is the one event that every way of logging has in
common: the HTTP API, a direct invocation, and the library in the agent's own process.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agent_memory.core import metric_names
from agent_memory.core.embedded_metrics import metric_document
from agent_memory.core.retention import ARCHIVE_AFTER_DAYS

SERVICE = "counter"
"""The function, which is the dimension of its metric."""

_MINUTE, _DAY = 60, 86_400


def count_documents(records: Sequence[Mapping[str, Any]], namespace: str) -> Iterator[dict[str, Any]]:
    """Documents of the embedded metric format: one for each minute in which decisions were written.

    A record that is delivered late, as after a failure of the function, counts for the minute of its write.

    Args:
        records: of a DynamoDB stream with new images.
        namespace: of the metric.
    """
    by_minute: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for record in records:
        if _is_new_decision(record):
            change = record["dynamodb"]
            by_minute[int(change["ApproximateCreationDateTime"]) // _MINUTE].append(change["NewImage"])
    for minute, items in sorted(by_minute.items()):
        yield metric_document(
            {metric_names.DECISIONS_LOGGED: len(items)},
            namespace=namespace,
            service=SERVICE,
            timestamp_ms=minute * _MINUTE * 1000,
            fields={
                "level": "INFO",
                "message": "decisions",
                "decision_types": Counter(item["decision_type"]["S"] for item in items),
                "influenced": sum("memory_ids" in item for item in items),
            },
        )


def _is_new_decision(record: Mapping[str, Any]) -> bool:
    """Whether a record is that of a decision's first write.

    A link has no id. A decision that is restored or imported has its outcomes when it is written, or is so old that
    the archive has it.
    """
    item = record["dynamodb"].get("NewImage", {})
    if record["eventName"] != "INSERT" or "decision_id" not in item or "success" in item:
        return False
    age = float(record["dynamodb"]["ApproximateCreationDateTime"]) - float(item["timestamp"]["N"])
    return age < ARCHIVE_AFTER_DAYS * _DAY
