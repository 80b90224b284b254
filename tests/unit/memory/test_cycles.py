"""Short-term memory refuses invalid cycles, and plain values under reserved keys."""

import pytest

from agent_memory import InvalidInput, MemoryManager
from agent_memory.storage.factory import in_memory_stores


@pytest.fixture
def memory(clock):
    return MemoryManager("hunter", stores=in_memory_stores(clock), clock=clock)


@pytest.mark.parametrize(
    ("key", "methods"),
    [
        ("queries:recent", "write_cycle and read_cycle"),
        ("signals:active", "write_cycle and read_cycle"),
        ("decision_chain", "write_cycle and read_cycle"),
        ("state:current", "save_state and load_state"),
        ("ratelimit:derivatives", "check_rate_limit"),
    ],
)
async def test_keys_with_methods_of_their_own_are_reserved(memory, key, methods):
    for call in (memory.store_stm(key, [1]), memory.retrieve_stm(key), memory.consolidate_to_ltm(key)):
        with pytest.raises(InvalidInput, match=f"{key} is reserved; use {methods}"):
            await call


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"context": [1]}, "context"),
        ({"queries": "abc"}, "queries"),
        ({"queries": {"a": 1}}, "queries"),
        ({"signals": 5}, "signals"),
        ({"signals": [float("nan")]}, "/signals/0"),
        ({"performance": []}, "performance"),
        ({"performance": {"a": 1}}, "performance/a"),
        ({"performance": {"a": {"up": 1}}}, "performance/a/up"),
        ({"performance": {"a b": {"up": {}}}}, "performance/a b"),
        ({"performance": {"BTC/USDT": {"up#": {}}}}, "performance/BTC~1USDT/up#"),
        ({"decision_ids": [1]}, "decision_ids/0"),
        ({"cycle_id": "x" * 65}, "cycle_id"),
    ],
)
async def test_nothing_of_an_invalid_cycle_is_stored(memory, fields, field):
    with pytest.raises(InvalidInput) as caught:
        await memory.write_cycle(**{"context": {"trend": "up"}, **fields})
    assert caught.value.field == field
    assert (await memory.read_cycle())["context"] is None
