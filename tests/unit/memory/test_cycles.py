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
        ({"asked": "whales"}, "asked"),
        ({"asked": ["a b"]}, "asked/0"),
        ({"values": {"insight": 1}}, "values/insight"),
        ({"values": {"insight": {"data": 1}}}, "values/insight/ttl_seconds"),
        ({"values": {"insight": {"data": 1, "ttl_seconds": 0}}}, "values/insight/ttl_seconds"),
        ({"values": {"insight": {"data": 1, "ttl_seconds": 1, "ttl": 1}}}, "values/insight/ttl"),
        ({"values": {"queries:recent": {"data": 1, "ttl_seconds": 1}}}, "key"),
        ({"at": "yesterday"}, "at"),
    ],
)
async def test_nothing_of_an_invalid_cycle_is_stored(memory, fields, field):
    with pytest.raises(InvalidInput) as caught:
        await memory.write_cycle(**{"context": {"trend": "up"}, **fields})
    assert caught.value.field == field
    assert (await memory.read_cycle())["context"] is None


async def test_a_cycle_counts_its_queries_and_stores_other_values(memory):
    insight = {"insight": {"data": [1], "ttl_seconds": 60}}
    assert await memory.write_cycle(asked=["whales", "whales", "funding"], values=insight)
    assert (await memory.check_rate_limit("whales", 4))["remaining"] == 1
    assert (await memory.check_rate_limit("funding", 4))["remaining"] == 2
    assert await memory.retrieve_stm("insight") == [1]


async def test_signals_have_the_time_of_their_cycle(memory, clock):
    hours_ago = [(clock.now_ms() - hours * 3_600_000) / 1_000 for hours in range(6)]
    for hours in (5, 3, 1):
        await memory.write_cycle(signals=[f"{hours} h"], at=hours_ago[hours])
    assert (await memory.read_cycle())["signals"] == ["1 h", "3 h"]  # active for four hours
    assert (await memory.read_cycle(signals_since=hours_ago[2]))["signals"] == ["1 h"]


@pytest.mark.parametrize("wrapped", [False, True])
async def test_the_current_context_is_found_by_its_market(memory, wrapped):
    """Whether an agent stores the market alone, or a context as its decisions have it."""
    market = {"trend": "bullish", "volatility": "high"}
    context = {"market": market, "cycle": 7} if wrapped else market
    await memory.write_cycle(context=context)
    (entry,) = (await memory.get_context_memory(context_filter={"trend": "bullish"}))["entries"]
    assert entry["context"]["market"] == market
    assert (await memory.get_context_memory(context_filter={"trend": "bearish"}))["entries"] == []
    assert len((await memory.get_context_memory(context_filter={"market": market}))["entries"]) == 1
    assert len((await memory.get_context_memory(context_filter={"cycle": 7}))["entries"]) == wrapped
