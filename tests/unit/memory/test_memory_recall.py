"""Recall ranks memories and recent decisions together."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from agent_memory import DecisionLogger, InvalidInput, MemoryManager
from agent_memory.core.clock import FixedClock
from agent_memory.memory.text_index import TextStatistics
from agent_memory.storage.factory import in_memory_stores
from benchmarks.recalled import pairs

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
async def memory(clock):
    memory = MemoryManager("hunter", stores=in_memory_stores(clock), clock=clock)
    logger = DecisionLogger("hunter", memory_manager=memory, clock=clock)
    await memory.store_ltm("PATTERN", "whale_pump", {"confidence": 0.9, "description": "whale buys lead pumps"})
    await memory.store_ltm("STRATEGY", "fade", {"confidence": 0.3, "description": "fade the open", "symbol": "SPY"})
    for hours, note in ((1, "dealer gamma squeeze"), (23, "whale sells"), (30, "older, whale")):
        at = NOON - timedelta(hours=hours)
        context = {"market": {"trend": "up"}, "note": note, "symbol": "BTC"}
        decision_id = await logger.log_decision("SIGNAL_GENERATION", context, {}, timestamp=at)
        await logger.log_outcome(decision_id, {}, True, {"quality": 0.8})
    return memory


def names(found):
    return [one["memory"]["pattern_id"] if "memory" in one else one["decision"]["context"]["note"] for one in found]


async def test_memories_and_recent_decisions_are_ranked_together(memory):
    assert names(await memory.recall()) == [
        "whale_pump",
        "dealer gamma squeeze",
        "whale sells",
        "older, whale",
        "fade",
    ]
    assert names(await memory.recall("gamma Squeeze", top_k=1)) == ["dealer gamma squeeze"]
    found = await memory.recall("whale")
    assert names(found)[:2] == ["whale_pump", "whale sells"]
    assert found[0]["score"] > found[1]["score"]


async def test_filters_are_applied_before_the_limit(memory):
    assert names(await memory.recall("whale", kind="SIGNAL_GENERATION", top_k=1)) == ["whale sells"]
    assert names(await memory.recall("whale", symbol="SPY")) == ["fade"]
    assert await memory.recall("whale", kind="LEARNING") == []


async def test_each_part_of_a_score_is_explained(memory):
    (one,) = await memory.recall("whale", kind="PATTERN", explain=True, half_lives={"PATTERN": 60.0})
    assert (one["why"]["importance"], one["why"]["half_life_seconds"], one["why"]["decay"]) == (0.9, 60.0, 1.0)
    assert one["score"] == pytest.approx(0.9 + one["why"]["words"]["whale"])


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"query": None}, "query"),
        ({"top_k": 0}, "top_k"),
        ({"kind": "x"}, "kind"),
        ({"half_lives": {"A": 0}}, "half_lives/A"),
    ],
)
async def test_invalid_arguments_are_refused(memory, arguments, field):
    with pytest.raises(InvalidInput) as caught:
        await memory.recall(**arguments)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "changed",
    [{1: float("inf")}, {1: -1}, {1: 10**18}, {1: 10**400}, {2: float("nan")}, {2: 10**400}, {3: float("nan")}],
)
async def test_a_changed_cursor_is_refused(memory, changed):
    parts = json.loads(base64.urlsafe_b64decode((await memory.recall("whale", top_k=1)).cursor))
    text = json.dumps([changed.get(position, one) for position, one in enumerate(parts)])
    for content in (text, "[" * 100_000):
        with pytest.raises(InvalidInput, match=r"cursor: .*pass it unchanged"):
            await memory.recall("whale", cursor=base64.urlsafe_b64encode(content.encode()).decode())


def test_statistics_of_no_entries_have_no_length():
    with pytest.raises(InvalidInput, match="statistics"):
        TextStatistics.of({"entries": 0, "length": 5.0, "containing": {}})


@pytest.mark.parametrize("at", ["1970-01-02T00:00:00Z", "9999-12-31T23:59:59.999Z"])
async def test_every_time_may_be_asked_for(at):
    clock = FixedClock(1_000)
    memory = MemoryManager("hunter", stores=in_memory_stores(clock), clock=clock)
    await memory.store_ltm("PATTERN", "whales", {"text": "whales"})
    for as_of in (None, at):
        assert names(await memory.recall("whale", as_of=as_of)) == ["whales"]
        assert (await memory.similar({"trend": "up"}, as_of=as_of))["complete"]


def test_the_notes_of_the_benchmark_are_a_labelled_set():
    notes, questions = zip(*pairs(), strict=True)
    assert len(set(notes)) == len(set(questions)) == len(notes) >= 100
    assert all(notes)
    assert all(questions)
