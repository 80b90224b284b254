"""A memory that states no confidence: None, never hidden, after those that state one."""

import pytest

from agent_memory import MemoryManager
from agent_memory.api import deployment as api
from agent_memory.api.deployment import Deployment
from agent_memory.core.clock import DAY_MS, FixedClock, SystemClock, date_of
from agent_memory.nightly.pruning import prune
from agent_memory.storage.dynamodb.items import memory_from, memory_item
from agent_memory.storage.factory import in_memory_stores
from tests.contract.test_memories_and_states import memory as memory_version
from tests.http_events import call_routes, client_with


def check_unstated(memory):
    assert memory.store_ltm("PATTERN", "unstated", {"text": "whales"})["confidence"] is None
    memory.store_ltm("PATTERN", "doubtful", {"confidence": 0})
    memory.store_ltm("PATTERN", "sure", {"confidence": 0.9})
    memory.store_ltm("PATTERN", "null", {"confidence": None})
    for filters, expected in (
        (None, ["sure", "doubtful", "unstated", "null"]),
        ({"min_confidence": 0}, ["sure", "doubtful", "unstated", "null"]),
        ({"min_confidence": 0.7}, ["sure", "unstated", "null"]),
        ({"confidence": None}, ["unstated", "null"]),
    ):
        found = memory.retrieve_ltm("PATTERN", filters)
        assert sorted(one["pattern_id"] for one in found) == sorted(expected), filters
        stated = [one["confidence"] for one in found]
        assert stated == sorted(stated, key=lambda one: -1 if one is None else one, reverse=True)
    assert {one["pattern_id"] for one in memory.get_pattern_memory()} == {"sure", "unstated", "null"}
    assert memory.store_ltm("PATTERN", "unstated", {"text": "whales"})["version"] == 1
    assert {one["memory"]["pattern_id"] for one in memory.recall(kind="PATTERN")} >= {"sure", "unstated", "null"}
    assert memory.update_ltm_confidence("unstated", 0.3)["confidence"] == 0.3
    assert memory.store_ltm("PATTERN", "unstated", {"text": "whales"})["confidence"] is None
    history = memory.get_ltm_history("PATTERN", "unstated")
    assert [change["changes"].get("confidence") for change in history] == [
        None,
        {"before": None, "after": 0.3},
        {"before": 0.3, "after": None},
    ]


def test_a_memory_without_confidence_is_not_hidden(stores, clock):
    check_unstated(MemoryManager("hunter", stores=stores, clock=clock).sync)


def test_a_memory_without_confidence_is_not_hidden_over_http(monkeypatch):
    deployment = Deployment(in_memory_stores(FixedClock(SystemClock().now_ms())))
    monkeypatch.setattr(api, "deployment", lambda: deployment)
    check_unstated(client_with(call_routes).sync)


def test_it_is_not_pruned_for_a_low_confidence(stores, clock):
    before = FixedClock(clock.now_ms() - 40 * DAY_MS)
    memory = MemoryManager("hunter", stores=stores, clock=before).sync
    memory.store_ltm("PATTERN", "unstated", {})
    memory.store_ltm("PATTERN", "doubtful", {"confidence": 0.1})
    due = prune("hunter", date_of(clock.now_ms() - DAY_MS), stores, dry_run=True)["due"]
    assert [one["pattern_id"] for one in due] == ["doubtful"]


@pytest.mark.parametrize("confidence", [None, 0.0, 0.7, 1.0])
def test_an_item_keeps_whether_a_confidence_is_stated(confidence):
    one = memory_version(confidence=confidence)
    assert memory_from(memory_item(one)).confidence == one.confidence
