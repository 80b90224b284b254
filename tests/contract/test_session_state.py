"""The current state: the table is authoritative, short-term memory is a cache."""

from dataclasses import replace

import pytest

from agent_memory import MemoryManager, Unavailable
from agent_memory.storage.in_memory.short_term import InMemoryShortTerm


@pytest.fixture
def memory(stores, clock):
    return MemoryManager("hunter", stores=stores, clock=clock)


class Counting:
    """Counts the reads of a store of states."""

    def __init__(self, states):
        self._states, self.reads = states, 0

    def get(self, *arguments):
        self.reads += 1
        return self._states.get(*arguments)

    def __getattr__(self, name):
        return getattr(self._states, name)


async def test_the_state_is_read_from_the_cache(stores, clock):
    states = Counting(stores.states)
    memory = MemoryManager("hunter", stores=replace(stores, states=states), clock=clock)
    assert await memory.load_state() is None
    saved = await memory.save_state({"current_cycle": 1.0, "nested": {"a": None}})
    before = states.reads
    assert [await memory.load_state() for _ in range(3)] == [saved] * 3
    assert states.reads == before
    assert await memory.load_state(fresh=True) == saved
    assert states.reads == before + 1


async def test_the_state_outlives_the_cache(memory, stores, clock):
    saved = await memory.save_state({"n": 1})
    await memory.clear_stm()
    assert await memory.load_state() == saved
    other_stores = replace(stores, short_term=InMemoryShortTerm(clock))
    assert await MemoryManager("hunter", stores=other_stores, clock=clock).load_state() == saved


async def test_a_late_writer_does_not_replace_a_newer_state_in_the_cache(memory, stores, clock):
    other = MemoryManager("hunter", stores=stores, clock=clock)
    first = await memory.save_state({"n": 1})
    second = await other.save_state({"n": 2})
    memory.direct.states._cache.put(replace(memory.direct.states.current(fresh=True), data={"n": 1}, version=1))
    assert (first["version"], await memory.load_state()) == (1, second)
    assert (await memory.save_state({"n": 1}))["version"] == 3
    assert (await other.load_state())["version"] == 3


async def test_without_a_cache_the_state_is_read_from_the_table_and_saved(memory, monkeypatch):
    def down(*_):
        raise Unavailable("Redis did not respond")

    monkeypatch.setattr(memory.stores.short_term, "run", down)
    saved = await memory.save_state({"n": 1})
    assert await memory.load_state() == saved
    monkeypatch.setattr(memory.stores.states, "get", down)
    with pytest.raises(Unavailable):
        await memory.load_state()
