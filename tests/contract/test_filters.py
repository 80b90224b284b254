"""One rule for all filters, on every store and over HTTP."""

from collections import UserDict
from datetime import UTC, datetime

import numpy as np
import pytest

from agent_memory import DecisionLogger, InvalidInput, MemoryManager
from agent_memory.api import deployment as api
from agent_memory.api.deployment import Deployment
from agent_memory.core.clock import FixedClock, SystemClock
from agent_memory.storage.factory import in_memory_stores
from tests.http_events import call_routes, client_with
from tests.python_values import Level, Side

DOCUMENT = {
    "flag": True,
    "one": 1,
    "float": 1.0,
    "zero": 0,
    "null": None,
    "side": "buy",
    "level": 3,
    "list": [1, [2, 3], {"a": 1, "b": 2}],
    "nested": {"deep": {"x": 1, "y": [True]}, "z": None},
}
CASES = [
    ({}, True),
    ({"flag": True}, True),
    ({"flag": np.True_}, True),
    ({"flag": 1}, False),
    ({"one": 1.0}, True),
    ({"one": np.int64(1)}, True),
    ({"float": 1}, True),
    ({"one": True}, False),
    ({"zero": False}, False),
    ({"zero": -0.0}, True),
    ({"null": None}, True),
    ({"missing": None}, False),
    ({"nested": {"missing": None}}, False),
    ({"nested": {"z": None}}, True),
    ({"nested": {"z": {}}}, False),
    ({"side": Side.BUY, "level": Level.HIGH}, True),
    ({"side": "BUY"}, False),
    ({"list": (1, (2, 3), {"a": 1})}, True),
    ({"list": [1, [2, 3]]}, False),
    ({"list": [True, [2, 3], {"a": 1}]}, False),
    ({"list": [[2, 3], 1, {"a": 1}]}, False),
    ({"nested": {"deep": {"x": 1}}}, True),
    ({"nested": UserDict(deep={"y": (True,)})}, True),
    ({"nested": {"deep": {"y": [1]}}}, False),
    ({"nested": {}}, True),
    ({"one": {}}, False),
    ({"one": 1, "side": "sell"}, False),
]


def agents_over(stores, clock):
    """Memory and log, directly on stores."""
    return (
        MemoryManager("hunter", stores=stores, clock=clock).sync,
        DecisionLogger("hunter", stores=stores, clock=clock).sync,
    )


@pytest.fixture
def client(monkeypatch):
    deployment = Deployment(in_memory_stores(FixedClock(SystemClock().now_ms())))
    monkeypatch.setattr(api, "deployment", lambda: deployment)
    return client_with(call_routes).sync


def check_cases(memory, log):
    memory.store_ltm("PATTERN", "p", DOCUMENT)
    memory.write_cycle(context=DOCUMENT)
    log.log_decision("QUERY", DOCUMENT, {})
    for conditions, expected in CASES:
        found = {
            "retrieve_ltm": len(memory.retrieve_ltm("PATTERN", conditions)),
            "query_decisions": len(log.query_decisions(context_filter=conditions)),
            "get_context_memory": len(memory.get_context_memory(context_filter=conditions)["entries"]) // 2,
        }
        assert found == dict.fromkeys(found, int(expected)), conditions


def test_all_filters_have_one_rule(stores, clock):
    check_cases(*agents_over(stores, clock))


def test_all_filters_have_one_rule_over_http(client):
    check_cases(client, client)


def check_own_fields(memory):
    first = memory.store_ltm("PATTERN", "BTC/USDT", {"confidence": 0.5, "n": 1})
    second = memory.store_ltm("PATTERN", "p", {"confidence": 0.75}, reason="seen")
    memory.store_ltm("PATTERN", "p", {"confidence": 0.75, "n": 1}, reason="seen again")
    for filters, expected in (
        ({"confidence": 0.75}, ["p"]),
        ({"version": 1}, ["BTC/USDT"]),
        ({"version": 2, "n": 1}, ["p"]),
        ({"pattern_id": "BTC/USDT"}, ["BTC/USDT"]),
        ({"memory_type": "PATTERN", "min_confidence": 0.6}, ["p"]),
        ({"reason": "seen again"}, ["p"]),
        ({"last_accessed": None}, ["p", "BTC/USDT"]),
        ({"updated_at": first["updated_at"], "version": 1}, ["BTC/USDT"]),
        ({"learned_at": datetime.fromisoformat(second["learned_at"]).astimezone(UTC), "version": 2}, ["p"]),
        ({"updated_at": 5}, []),
    ):
        assert [one["pattern_id"] for one in memory.retrieve_ltm("PATTERN", filters)] == expected, filters
    with pytest.raises(InvalidInput, match="filters/updated_at"):
        memory.retrieve_ltm("PATTERN", {"updated_at": "yesterday"})


def test_the_fields_that_every_memory_has_can_be_filtered(stores, clock):
    check_own_fields(agents_over(stores, clock)[0])


def test_the_fields_that_every_memory_has_can_be_filtered_over_http(client):
    check_own_fields(client)


@pytest.mark.parametrize("bad", [["a"], "a", 5, {1: 2}, {"a": float("nan")}, {"a": object()}, {"": 1}])
def test_filters_that_are_no_objects_of_json_are_refused(stores, clock, bad):
    memory, log = agents_over(stores, clock)
    with pytest.raises(InvalidInput, match=r"^filters"):
        memory.retrieve_ltm("PATTERN", bad)
    for call in (log.query_decisions, memory.get_context_memory):
        with pytest.raises(InvalidInput, match=r"^context_filter"):
            call(context_filter=bad)
