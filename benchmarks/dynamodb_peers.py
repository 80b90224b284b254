"""`python -m benchmarks.dynamodb_peers [--json]`: CPU time of logging to DynamoDB, beside other writers.

DynamoDB accepts everything at once, so that only the writers' own work is measured. LangGraph's store is measured where
`langgraph-checkpoint-aws` is installed. It and boto3's `Table` refuse floats, and get decimals.
"""

import importlib
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from agent_memory import new_decision_id
from agent_memory.decisions.log import DecisionLog
from agent_memory.storage.factory import open_stores
from benchmarks.example_decision import EXAMPLE
from benchmarks.instant_dynamodb import instant_session

_ROUNDS, _CALLS = 7, 300
_DECIMALS: dict[str, Any] = json.loads(json.dumps(EXAMPLE), parse_float=Decimal)

Write = Callable[[int], Any]


def agent_memory() -> Write:
    """`DecisionLog`."""
    log = DecisionLog("hunter", open_stores(dynamodb_client=_session().client("dynamodb")))
    return lambda _: log.log_one(EXAMPLE)


def boto3_table() -> Write:
    """A `put_item` of boto3's `Table`."""
    table = _session().resource("dynamodb").Table("agent_decisions")

    def put(_: int) -> None:
        now_ms = time.time_ns() // 1_000_000
        decision_id = new_decision_id(EXAMPLE["decision_type"], now_ms)
        table.put_item(Item=_DECIMALS | {"pk": "hunter", "sk": decision_id, "timestamp": now_ms})

    return put


def langgraph() -> Write:
    """LangGraph's `DynamoDBStore`; `ImportError` if it is not installed."""
    module = importlib.import_module("langgraph_checkpoint_aws")
    store = module.DynamoDBStore("decisions", boto3_session=_session())
    return lambda n: store.put(("hunter", EXAMPLE["decision_type"]), str(n), _DECIMALS)


SUBJECTS: Mapping[str, Callable[[], Write]] = {
    "agent-memory": agent_memory,
    "boto3": boto3_table,
    "langgraph": langgraph,
}


def _session() -> Any:
    return instant_session(parameter_validation=False)


def cpu_medians() -> dict[str, dict[str, float]]:
    """Milliseconds of CPU time by subject, of the rounds in which the subjects take turns."""
    writes: dict[str, Write] = {}
    for name, start in SUBJECTS.items():
        try:
            writes[name] = start()
        except ImportError:
            continue
    rounds: dict[str, list[float]] = {name: [] for name in writes}
    for _ in range(_ROUNDS):
        for name, write in writes.items():
            started = time.process_time()
            for number in range(_CALLS):
                write(number)
            rounds[name].append((time.process_time() - started) * 1_000 / _CALLS)
    return {name: {"log": statistics.median(times)} for name, times in rounds.items()}


if __name__ == "__main__":
    times = cpu_medians()
    if sys.argv[1:] == ["--json"]:
        sys.stdout.write(json.dumps(times))
    else:
        for name, found in times.items():
            sys.stdout.write(f"{name:<14} {found['log']:.3f} ms\n")
