"""One answer across all ages."""

from datetime import UTC, datetime, timedelta

import pytest

from agent_memory import DecisionLogger, InvalidInput, MemoryManager, Unavailable
from agent_memory.stores.connections import in_memory_stores

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
AGES = {"immediate": 0.5, "recent": 5, "historical": 24 * 9, "archive": 24 * 40}


@pytest.fixture
def memory(clock):
    return MemoryManager("hunter", stores=in_memory_stores(clock), clock=clock)


@pytest.fixture
async def logged(memory, clock):
    """One decision in high and one in low volatility on each level; the ids of the former, newest first."""
    logger = DecisionLogger("hunter", memory_manager=memory, clock=clock)
    ids = []
    for hours in AGES.values():
        for volatility in ("low", "high"):
            at = NOON - timedelta(hours=hours)
            ids.append(await logger.log_decision("QUERY", {"market": {"volatility": volatility}}, {}, timestamp=at))
    return ids[1::2]


async def test_every_level_answers_newest_first(memory, logged):
    told = await memory.get_context_memory(context_filter={"volatility": "high"})
    assert [entry["decision_id"] for entry in told["entries"]] == logged
    assert [entry["level"] for entry in told["entries"]] == list(AGES)
    assert (told["complete"], told["missing"], told["levels"]) == (True, [], list(AGES))


async def test_only_the_levels_that_the_time_meets_are_asked(memory, logged):
    last_hour = (NOON - timedelta(hours=1), NOON)
    told = await memory.get_context_memory(last_hour, {"volatility": "high"})
    assert ([entry["decision_id"] for entry in told["entries"]], told["levels"]) == (logged[:1], ["immediate"])
    told = await memory.get_context_memory((NOON - timedelta(days=20), NOON - timedelta(hours=3)))
    assert (len(told["entries"]), told["levels"]) == (4, ["recent", "historical"])


async def test_one_level_can_be_named(memory, logged):
    told = await memory.get_context_memory(level="archive")
    assert ([entry["level"] for entry in told["entries"]], told["levels"]) == (["archive"] * 2, ["archive"])


async def test_the_current_context_is_the_newest_entry(memory, logged):
    await memory.store_stm("context:current", {"volatility": "high", "trend": "up"})
    first = (await memory.get_context_memory(context_filter={"volatility": "high"}))["entries"][0]
    assert (first["kind"], first["context"]) == ("current", {"market": {"volatility": "high", "trend": "up"}})
    kinds = [entry["kind"] for entry in (await memory.get_context_memory(context_filter={"trend": "down"}))["entries"]]
    assert kinds == []


async def test_the_limit_counts_entries_over_all_levels(memory, logged):
    told = await memory.get_context_memory(context_filter={"volatility": "high"}, limit=3)
    assert [entry["decision_id"] for entry in told["entries"]] == logged[:3]


async def test_a_level_that_is_down_is_named_and_the_others_stand(memory, logged, monkeypatch):
    def down(*_args, **_settings):
        raise Unavailable("Redis did not answer: TimeoutError")

    monkeypatch.setattr(memory.stores.short_term, "run", down)
    told = await memory.get_context_memory(context_filter={"volatility": "high"})
    assert [entry["decision_id"] for entry in told["entries"]] == logged
    assert told["complete"] is False
    assert told["missing"] == [{"level": "immediate", "why": "Redis did not answer: TimeoutError"}]
    monkeypatch.setattr(memory.stores.decisions, "scan", down)
    with pytest.raises(Unavailable, match="no level answered"):
        await memory.get_context_memory()


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 1001}, "limit"),
        ({"level": "yesterday"}, "level"),
        ({"time_range": (NOON, NOON - timedelta(1))}, "time_range"),
        ({"context_filter": "high"}, "context_filter"),
    ],
)
async def test_unusable_questions_are_refused(memory, arguments, field):
    with pytest.raises(InvalidInput) as caught:
        await memory.get_context_memory(**arguments)
    assert caught.value.field == field


async def test_a_confidence_is_updated_as_a_version(memory):
    await memory.store_ltm("PATTERN", "whale_pump", {"confidence": 0.7, "note": "first"})
    told = await memory.update_ltm_confidence("whale_pump", 0.9)
    assert (told["confidence"], told["note"], told["version"]) == (0.9, "first", 2)
    for wrong in (1.1, None, True):
        with pytest.raises(InvalidInput, match="new_confidence"):
            await memory.update_ltm_confidence("whale_pump", wrong)
