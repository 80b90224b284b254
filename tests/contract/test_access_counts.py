"""Counts of reads of memories: kept in the cache, added to the table by the nightly job, preserved by changes."""

from datetime import UTC, datetime, timedelta

import pytest

from agent_memory import MemoryManager, Unavailable
from agent_memory.memory.access_counts import flush_access_counts

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)  # the clock's
TODAY = NOON.date()
DAY_MS = 86_400_000


@pytest.fixture
def memory(stores, clock):
    return MemoryManager("hunter", stores=stores, clock=clock)


def flush(memory, day):
    return flush_access_counts("hunter", day, memory.stores)


async def counts(memory):
    memories = memory.direct.long_term.find("PATTERN")
    return {one.pattern_id: (one.access_count, one.as_dict()["last_accessed"]) for one in memories}


async def test_reads_are_counted_and_added_once_per_day(memory, clock):
    for name, confidence in (("sure", 0.9), ("unsure", 0.2)):
        await memory.store_ltm("PATTERN", name, {"confidence": confidence})
    await memory.retrieve_ltm("PATTERN")
    clock.advance(1_000)
    await memory.get_pattern_memory()
    await memory.recall("sure", kind="PATTERN", top_k=1)
    await memory.retrieve_ltm("PATTERN", as_of=NOON)  # reads of the history are not counted
    assert await counts(memory) == {"sure": (0, None), "unsure": (0, None)}
    for _ in range(2):  # the job runs twice for the same day
        flush(memory, TODAY)
        assert await counts(memory) == {
            "sure": (3, "2026-11-20T12:00:01.000Z"),
            "unsure": (1, "2026-11-20T12:00:00.000Z"),
        }
    (changed,) = [await memory.update_ltm_confidence("sure", 0.95)]
    assert changed["version"] == 2
    assert (await counts(memory))["sure"][0] == 3


async def test_missed_days_are_caught_up_and_nothing_is_counted_twice(memory, clock):
    await memory.store_ltm("PATTERN", "pump", {})
    for _ in range(3):
        await memory.retrieve_ltm("PATTERN")
        clock.advance(DAY_MS)
    assert flush(memory, TODAY + timedelta(days=1)) == {"memories": 2, "missing": None}
    assert (await counts(memory))["pump"][0] == 2
    flush(memory, TODAY)
    assert (await counts(memory))["pump"][0] == 2
    flush(memory, TODAY + timedelta(days=2))
    assert (await counts(memory))["pump"][0] == 3


async def test_removed_memories_are_ignored_and_clearing_short_term_memory_keeps_the_counts(memory):
    await memory.store_ltm("PATTERN", "removed", {})
    await memory.store_ltm("PATTERN", "current", {})
    await memory.retrieve_ltm("PATTERN")
    await memory.clear_stm()
    memory.direct.long_term.remove(memory.direct.long_term.history("PATTERN", "removed")[-1], reason="test")
    assert flush(memory, TODAY)["memories"] == 1
    assert {name: count for name, (count, _) in (await counts(memory)).items()} == {"current": 1}


async def test_reads_succeed_without_the_cache_and_the_nightly_job_reports_it(memory, monkeypatch):
    def down(*_):
        raise Unavailable("Redis did not respond")

    await memory.store_ltm("PATTERN", "pump", {})
    monkeypatch.setattr(memory.stores.short_term, "run", down)
    assert [one["pattern_id"] for one in await memory.retrieve_ltm("PATTERN")] == ["pump"]
    assert memory.stm_metrics().failures == 1
    assert flush(memory, TODAY) == {"memories": 0, "missing": "Redis did not respond"}


async def test_a_forgotten_agent_has_no_counts(memory):
    await memory.store_ltm("PATTERN", "pump", {})
    await memory.retrieve_ltm("PATTERN")
    assert (await memory.forget(dry_run=False))["counts"]["short_term"] == 1
    await memory.store_ltm("PATTERN", "pump", {})
    assert flush(memory, TODAY)["memories"] == 0
