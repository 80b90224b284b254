"""`python -m benchmarks.dynamodb_peers [--json]`: CPU time of work on DynamoDB, beside other clients.

DynamoDB answers at once, so that only the clients' own work is measured: it accepts every write, and to every read it
has the same answer, a decision with its outcome or a page of a hundred. LangGraph's store is measured where
`langgraph-checkpoint-aws` is installed; its outcome is a get and a put, since it cannot change a part of an item, and
it has no statistics. It and boto3's `Table` refuse floats, and get decimals. Reads include the conversion to Python
values.
"""

import importlib
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple

from boto3.dynamodb.conditions import Attr, Key
from boto3.dynamodb.types import TypeSerializer

from agent_memory import new_decision_id
from agent_memory.core.clock import to_iso
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.model.decisions import Decision
from agent_memory.storage.dynamodb.items import decision_item, headline_attributes
from agent_memory.storage.factory import in_memory_stores, open_stores
from benchmarks.example_decision import EXAMPLE, OUTCOME
from benchmarks.instant_dynamodb import instant_session

_ROUNDS = 7
_QUERIED = 100
_CALLS = {"query_of_100": 20}
_OTHER_CALLS = 300
_DECIMALS: dict[str, Any] = json.loads(json.dumps(EXAMPLE), parse_float=Decimal)
_OUTCOME_DECIMALS: dict[str, Any] = json.loads(json.dumps(OUTCOME), parse_float=Decimal)
_DECISIONS, _STATES = "agent-memory-agent_decisions", "agent-memory-agent_state"
_AGENT, _TYPE = "hunter", EXAMPLE["decision_type"]

Call = Callable[[int], Any]


class Operations(NamedTuple):
    """What is measured, each called with a number from 0."""

    log: Call
    outcome: Call
    get: Call
    query_of_100: Call


def agent_memory() -> Operations:
    """`DecisionLog`."""
    stored = _decisions()
    items = [decision_item(replace(one, outcome=None)) | headline_attributes(one.outcome) for one in stored]  # type: ignore[arg-type]
    log = DecisionLog(_AGENT, open_stores(dynamodb_client=_session(_DECISIONS, items).client("dynamodb")))
    decision_id, criteria = stored[0].decision_id, DecisionFilter(_TYPE)
    return Operations(
        lambda _: log.log_one(EXAMPLE),
        lambda _: log.record_outcome(OUTCOME | {"decision_id": decision_id}),
        lambda _: log.get(decision_id).as_dict(),
        lambda _: log.page(criteria, limit=_QUERIED).listing,
    )


def boto3_table() -> Operations:
    """boto3's `Table`."""
    stored = [_DECIMALS | _OUTCOME_DECIMALS | {"pk": _AGENT, "sk": f"{n:036}", "timestamp": n} for n in range(_QUERIED)]
    table = _session(_DECISIONS, _serialized(stored)).resource("dynamodb").Table(_DECISIONS)

    def put(_: int) -> None:
        now_ms = time.time_ns() // 1_000_000
        table.put_item(Item=_DECIMALS | {"pk": _AGENT, "sk": new_decision_id(_TYPE, now_ms), "timestamp": now_ms})

    def add_outcome(n: int) -> None:
        table.update_item(
            Key={"pk": _AGENT, "sk": f"{n:036}"},
            UpdateExpression="SET outcome = :outcome, success = :success",
            ConditionExpression=Attr("pk").exists(),
            ExpressionAttributeValues={f":{name}": value for name, value in _OUTCOME_DECIMALS.items()},
        )

    return Operations(
        put,
        add_outcome,
        lambda n: table.get_item(Key={"pk": _AGENT, "sk": f"{n:036}"}, ConsistentRead=True)["Item"],
        lambda _: table.query(
            KeyConditionExpression=Key("pk").eq(_AGENT), Limit=_QUERIED, ScanIndexForward=False, ConsistentRead=True
        )["Items"],
    )


def langgraph() -> Operations:
    """LangGraph's `DynamoDBStore`; `ImportError` if it is not installed."""
    module = importlib.import_module("langgraph_checkpoint_aws")
    times = dict.fromkeys(("created_at", "updated_at"), to_iso(0))
    value = _DECIMALS | _OUTCOME_DECIMALS
    stored = [{"PK": f"{_AGENT}:{_TYPE}", "SK": str(n), "value": value, **times} for n in range(_QUERIED)]
    store = module.DynamoDBStore(_DECISIONS, boto3_session=_session(_DECISIONS, _serialized(stored)))
    names = (_AGENT, _TYPE)
    return Operations(
        lambda n: store.put(names, str(n), _DECIMALS),
        lambda n: store.put(names, str(n), store.get(names, str(n)).value | _OUTCOME_DECIMALS),
        lambda n: store.get(names, str(n)).value,
        lambda _: store.search(names, limit=_QUERIED),
    )


SUBJECTS: Mapping[str, Callable[[], Operations]] = {
    "agent-memory": agent_memory,
    "boto3": boto3_table,
    "langgraph": langgraph,
}


def _decisions() -> list[Decision]:
    """Decisions with their outcomes, newest first."""
    log = DecisionLog(_AGENT, in_memory_stores())
    ids = [log.log_one(EXAMPLE).decision_id for _ in range(_QUERIED)]
    for one in ids:
        log.record_outcome(OUTCOME | {"decision_id": one})
    return [log.get(one) for one in reversed(ids) if one]


def _serialized(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    serialize = TypeSerializer().serialize
    return [{name: serialize(value) for name, value in one.items()} for one in items]


def _session(table: str, items: list[Any]) -> Any:
    """A session for a table of items, and for the table of states with the registration that a query reads."""
    page = {"Items": items, "Count": len(items), "ScannedCount": len(items)}
    registration = {"Item": {"decision_types": {"SS": [_TYPE]}}}
    answers = {("GetItem", table): {"Item": items[0]}, ("Query", table): page, ("GetItem", _STATES): registration}
    return instant_session(answers, parameter_validation=False)


def _check(name: str, operations: Operations) -> None:
    """Check that what is measured does its work: reads find what they are asked for."""
    if not operations.get(0) or len(operations.query_of_100(0)) != _QUERIED:
        raise RuntimeError(f"{name} does not find the decisions")


def cpu_medians() -> dict[str, dict[str, float]]:
    """Milliseconds of CPU time by subject and operation, of the rounds in which the subjects take turns."""
    subjects: dict[str, Operations] = {}
    for name, start in SUBJECTS.items():
        try:
            subjects[name] = start()
        except ImportError:
            continue
        _check(name, subjects[name])
    rounds: dict[tuple[str, str], list[float]] = {}
    for _ in range(_ROUNDS):
        for operation in Operations._fields:
            for name, operations in subjects.items():
                rounds.setdefault((name, operation), []).append(_cpu_ms(operation, getattr(operations, operation)))
    return {
        name: {operation: statistics.median(rounds[name, operation]) for operation in Operations._fields}
        for name in subjects
    }


def _cpu_ms(operation: str, call: Call) -> float:
    calls = _CALLS.get(operation, _OTHER_CALLS)
    started = time.process_time()
    for number in range(calls):
        call(number)
    return (time.process_time() - started) * 1_000 / calls


if __name__ == "__main__":
    times = cpu_medians()
    if sys.argv[1:] == ["--json"]:
        sys.stdout.write(json.dumps(times))
    else:
        for name, found in times.items():
            columns = (f"{operation.replace('_', ' ')} {ms:.3f} ms" for operation, ms in found.items())
            sys.stdout.write(f"{name:<14} {'   '.join(columns)}\n")
