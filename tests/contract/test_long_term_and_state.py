"""The contract of long-term memory and agent state through `MemoryManager`, on every store."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from agent_memory import Conflict, InvalidInput, MemoryManager, NotFound
from agent_memory.core.clock import to_iso

HOUR = 3_600_000


@pytest.fixture
def memory(stores, clock):
    return MemoryManager("hunter", stores=stores, clock=clock)


@pytest.fixture
def atomic(atomic_stores, clock):
    return MemoryManager("hunter", stores=atomic_stores, clock=clock)


async def test_a_change_has_its_author_time_reason_and_values(memory, clock):
    await memory.store_ltm("PATTERN", "pump", {"confidence": 0.7, "rate": 1, "note": "a"}, reason="seen twice")
    clock.advance(HOUR)
    await memory.store_ltm("PATTERN", "pump", {"confidence": 0.7, "rate": 1.0, "extra": None})
    await memory.update_ltm_confidence("pump", 0.9, reason="held again")
    first, second, third = await memory.get_ltm_history("PATTERN", "pump")
    assert (first["version"], first["changed_by"], first["reason"]) == (1, "hunter", "seen twice")
    assert first["changes"]["note"] == {"before": None, "after": "a"}
    assert second["at"] == "2026-11-20T13:00:00.000Z"
    assert second["changes"] == {"note": {"before": "a", "after": None}, "rate": {"before": 1, "after": 1.0}}
    assert third["changes"] == {"confidence": {"before": 0.7, "after": 0.9}}
    assert await memory.get_ltm_history("PATTERN", "never") == []


async def test_a_memory_is_found_by_its_id_as_among_all_of_its_type(memory, clock):
    start = clock.now_ms()
    for n in range(3):
        await memory.store_ltm("PATTERN", "pump", {"confidence": n / 4, "n": n})
        await memory.store_ltm("PATTERN", "pump-2", {"confidence": 0.6, "n": n})
        clock.advance(HOUR)
    memory.direct.long_term.remove(memory.direct.long_term.get("PATTERN", "pump"), reason="no longer holds")
    for at in (None, *(to_iso(start + hours * HOUR + 1) for hours in range(-1, 4))):
        of_all = await memory.retrieve_ltm("PATTERN", as_of=at)
        for name in ("pump", "pump-2", "never", "no id#", ""):
            found = await memory.retrieve_ltm("PATTERN", {"pattern_id": name}, as_of=at)
            assert [one["version"] for one in found] == [one["version"] for one in of_all if one["pattern_id"] == name]
    assert await memory.retrieve_ltm("PATTERN", {"pattern_id": "pump-2", "min_confidence": 0.7}) == []
    assert await memory.retrieve_ltm("PATTERN", {"pattern_id": "pump-2", "n": 1}) == []
    assert [one["n"] for one in await memory.retrieve_ltm("PATTERN", {"pattern_id": "pump-2", "n": 2})] == [2]


async def test_memories_are_read_as_of_an_earlier_time(memory, clock):
    start = clock.now_ms()
    for n in range(4):
        await memory.store_ltm("PATTERN", "pump", {"confidence": n / 4, "n": n})
        await memory.store_ltm("PATTERN", f"p{n}", {"confidence": 0.6})
        clock.advance(HOUR)
    pump = (await memory.retrieve_ltm("PATTERN", {"n": 3}))[0]
    removed = memory.direct.long_term.history("PATTERN", "p0")[-1]
    memory.direct.long_term.remove(removed, reason="no longer holds")

    async def memories_at(hours, **filters):
        at = to_iso(start + hours * HOUR + 1)
        return [
            (one["pattern_id"], one["confidence"]) for one in await memory.retrieve_ltm("PATTERN", filters, as_of=at)
        ]

    assert await memories_at(-1) == []
    assert sorted(await memories_at(1)) == [("p0", 0.6), ("p1", 0.6), ("pump", 0.25)]
    assert sorted(await memories_at(3, min_confidence=0.7)) == [("pump", 0.75)]
    assert [name for name, _ in await memories_at(5)] == ["pump", "p1", "p2", "p3"]
    assert pump["version"] == 4
    assert [one["pattern_id"] for one in await memory.get_pattern_memory(as_of=to_iso(start + 3 * HOUR))] == ["pump"]


async def test_a_removed_memory_that_is_stored_again_keeps_its_history(memory):
    await memory.store_ltm("STRATEGY", "fade", {"confidence": 0.2})
    memory.direct.long_term.remove(memory.direct.long_term.history("STRATEGY", "fade")[-1], reason="low confidence")
    assert await memory.retrieve_ltm("STRATEGY") == []
    back = await memory.store_ltm("STRATEGY", "fade", {"confidence": 0.8})
    assert back["version"] == 3
    history = await memory.get_ltm_history("STRATEGY", "fade")
    assert [(one["version"], one["removed"], one["reason"]) for one in history] == [
        (1, False, None),
        (2, True, "low confidence"),
        (3, False, None),
    ]
    assert history[2]["changes"] == {"confidence": {"before": None, "after": 0.8}}


async def test_a_memory_that_is_said_to_be_new_continues_the_history_of_a_removed_one(memory):
    first = await memory.store_ltm("PATTERN", "pump", {"confidence": 0.5}, expected_version=0)
    await memory.delete_ltm("PATTERN", "pump", reason="wrong")
    again = await memory.store_ltm("PATTERN", "pump", {"confidence": 0.5}, expected_version=0)
    assert (first["version"], again["version"]) == (1, 3)
    assert [one["version"] for one in await memory.get_ltm_history("PATTERN", "pump")] == [1, 2, 3]


async def test_a_quarantined_memory_is_not_stored_by_saying_that_it_is_new(memory):
    await memory.store_ltm("PATTERN", "pump", {"confidence": 0.5}, expected_version=0)
    await memory.quarantine("pump", "injected")
    with pytest.raises(InvalidInput, match="quarantined"):
        await memory.store_ltm("PATTERN", "pump", {"confidence": 0.5}, expected_version=0)


async def test_a_memory_that_is_said_to_be_new_is_stored_without_reading(memory, monkeypatch):
    only_writes = SimpleNamespace(put=memory.direct.long_term.store.put)
    monkeypatch.setattr(memory.direct.long_term, "_store", only_writes)
    stored = await memory.store_ltm("PATTERN", "pump", {"confidence": 0.5}, reason="seen", expected_version=0)
    assert (stored["version"], stored["reason"]) == (1, "seen")


async def test_a_write_with_another_expected_version_changes_nothing(memory):
    await memory.store_ltm("PATTERN", "pump", {"confidence": 0.5}, expected_version=0)
    with pytest.raises(Conflict, match="version 1, not 0"):
        await memory.store_ltm("PATTERN", "pump", {"confidence": 0.6}, expected_version=0)
    stored = await memory.store_ltm("PATTERN", "pump", {"confidence": 0.6}, expected_version=1)
    assert stored["version"] == 2
    with pytest.raises(Conflict):
        await memory.save_state({}, expected_version=3)
    for wrong in (-1, True, "1"):
        with pytest.raises(InvalidInput, match="expected_version"):
            await memory.store_ltm("PATTERN", "pump", {}, expected_version=wrong)
        with pytest.raises(InvalidInput, match="expected_version"):
            await memory.save_state({}, expected_version=wrong)


@pytest.mark.parametrize(
    ("data", "field"), [({"confidence": 2}, "confidence"), ({"a": float("nan")}, "/a"), ({"a": {1: 2}}, "/a")]
)
async def test_invalid_memories_are_refused_as_first_and_later_versions(memory, data, field):
    for _ in range(2):
        with pytest.raises(InvalidInput) as caught:
            await memory.store_ltm("PATTERN", "pump", data)
        assert caught.value.field == field
        await memory.store_ltm("PATTERN", "pump", {"confidence": data.get("confidence", 0.0) and 0.5})


async def test_short_term_values_are_consolidated_once(memory):
    await memory.store_stm("pattern:whale", {"pattern_id": "whale_pump", "confidence": 0.7, "rate": 1.0})
    for _ in range(2):
        stored = await memory.consolidate_to_ltm("pattern:whale", "PATTERN")
        assert (stored["pattern_id"], stored["version"], stored["rate"]) == ("whale_pump", 1, 1.0)
    await memory.store_stm("performance:high", {"confidence": 0.2})
    assert (await memory.consolidate_to_ltm("performance:high"))["pattern_id"] == "performance:high"
    with pytest.raises(NotFound):
        await memory.consolidate_to_ltm("expired")
    await memory.store_stm("list", [1])
    with pytest.raises(InvalidInput, match="stm_key"):
        await memory.consolidate_to_ltm("list")


def race(count, call):
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda n: asyncio.run(call(n)), range(count)))


def test_no_write_of_fifty_concurrent_writers_of_a_pattern_is_lost(atomic):
    stored = race(50, lambda n: atomic.store_ltm("PATTERN", "pump", {"confidence": 0.5, "writer": n}))
    assert sorted(one["version"] for one in stored) == list(range(1, 51))
    versions = atomic.direct.long_term.history("PATTERN", "pump")
    assert {one.version: one.data["writer"] for one in versions} == {one["version"]: one["writer"] for one in stored}


def test_no_write_of_fifty_concurrent_writers_of_a_state_is_lost(atomic):
    stored = race(50, lambda n: atomic.save_state({"configuration": {"writer": n}}))
    assert sorted(one["version"] for one in stored) == list(range(1, 51))
    kept = asyncio.run(atomic.list_configurations())
    assert {one["state_version"]: one["configuration"]["writer"] for one in kept} == {
        one["version"]: one["data"]["configuration"]["writer"] for one in stored
    }


def test_one_of_the_writers_that_expect_the_same_version_succeeds(atomic):
    async def save(n):
        try:
            return await atomic.save_state({"n": n}, expected_version=0)
        except Conflict:
            return None

    (winner,) = [one for one in race(20, save) if one]
    assert asyncio.run(atomic.load_state()) == winner


async def test_state_checkpoints_and_configurations(memory, stores, clock):
    assert await memory.load_state() is None
    with pytest.raises(NotFound):
        await memory.create_checkpoint("before-open")
    first = {"current_cycle": 1, "configuration": {"learning_rate": 0.1}, "source_metrics": {"a": 1.0}}
    await memory.save_state(first)
    await memory.create_checkpoint("before-open")
    clock.advance(HOUR)
    await memory.save_state({**first, "current_cycle": 2})
    await memory.save_state({**first, "configuration": {"learning_rate": 0.2}})
    elsewhere = MemoryManager("hunter", stores=stores, clock=clock)  # the agent, started again
    assert (await elsewhere.load_state())["data"]["configuration"] == {"learning_rate": 0.2}
    restored = await elsewhere.restore_checkpoint("before-open", expected_version=3)
    assert (restored["version"], restored["data"]) == (4, first)
    assert [(one["name"], one["saved_at"]) for one in await memory.list_checkpoints()] == [
        ("before-open", "2026-11-20T12:00:00.000Z")
    ]
    kept = [(one["state_version"], one["configuration"]) for one in await memory.list_configurations()]
    assert kept == [(1, {"learning_rate": 0.1}), (3, {"learning_rate": 0.2}), (4, {"learning_rate": 0.1})]
    with pytest.raises(NotFound):
        await memory.restore_checkpoint("never")
    with pytest.raises(InvalidInput):
        await memory.create_checkpoint("a#b")


async def test_one_memory_is_read_corrected_and_deleted_and_keeps_its_history(memory, clock):
    before = to_iso(clock.now_ms())
    await memory.store_ltm("LESSON", "gap", {"text": "fade gaps"})
    clock.advance(HOUR)
    await memory.store_ltm("LESSON", "gap", {"text": "fade small gaps"}, reason="corrected", expected_version=1)
    assert (await memory.get_ltm("LESSON", "gap"))["text"] == "fade small gaps"
    clock.advance(HOUR)
    removed = await memory.delete_ltm("LESSON", "gap", reason="a test's data")
    assert removed == {
        "agent_id": "hunter",
        "memory_type": "LESSON",
        "pattern_id": "gap",
        "version": 3,
        "removed_at": to_iso(clock.now_ms()),
        "changed_by": "hunter",
        "reason": "a test's data",
    }
    assert await memory.retrieve_ltm("LESSON") == []
    assert [one["text"] for one in await memory.retrieve_ltm("LESSON", as_of=before)] == ["fade gaps"]
    history = await memory.get_ltm_history("LESSON", "gap")
    assert [(one["reason"], one["removed"]) for one in history] == [
        (None, False),
        ("corrected", False),
        ("a test's data", True),
    ]
    assert await memory.delete_ltm("LESSON", "gap", reason="again") == removed
    assert (await memory.store_ltm("LESSON", "gap", {"text": "new"}))["version"] == 4
    assert await memory.list_memory_types() == ["LESSON"]


async def test_what_cannot_be_deleted_is_an_error_and_stays(memory):
    with pytest.raises(NotFound):
        await memory.get_ltm("PATTERN", "never")
    with pytest.raises(NotFound):
        await memory.delete_ltm("PATTERN", "never", reason="cleaning")
    await memory.store_ltm("PATTERN", "pump", {"n": 1})
    with pytest.raises(Conflict):
        await memory.delete_ltm("PATTERN", "pump", reason="cleaning", expected_version=2)
    for arguments, field in (
        (("pattern", "pump", "x"), "memory_type"),
        (("PATTERN", "a#b", "x"), "pattern_id"),
        (("PATTERN", "pump", ""), "reason"),
        (("PATTERN", "pump", None), "reason"),
    ):
        with pytest.raises(InvalidInput) as caught:
            await memory.delete_ltm(*arguments[:2], reason=arguments[2])
        assert caught.value.field == field
    assert (await memory.get_ltm("PATTERN", "pump"))["version"] == 1
