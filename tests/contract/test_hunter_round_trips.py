"""A cycle of the market hunter on a real cache: what it writes, and in how many round trips."""

from dataclasses import replace

import pytest
from redis import Redis

from agent_memory import DecisionLogger, MemoryManager
from agent_memory.storage.factory import in_memory_stores, redis_client_for
from agent_memory.storage.redis.short_term import RedisShortTerm
from tests.redis_servers import BINARY, redis_server
from tests.unit.trading_agents.market_hunter.hunter_samples import SOURCES, market
from trading_agents import MemoryAwareMarketHunterAgent

pytestmark = [
    pytest.mark.skipif(BINARY is None, reason="no redis-server or valkey-server on this machine"),
    pytest.mark.usefixtures("socket_enabled"),
]

MARKET = {"trend": "bullish", "volatility": "high"}
SHAPES = {
    "context:current": "string",
    "queries:recent": "list",
    "signals:active": "zset",
    "ratelimit:always_right": "string",
    "performance:always_right:trend=bullish%3Avolatility=high": "string",
    "decision_chain": "list",
}


async def transactions(monkeypatch, work):
    """The keys that each round trip with writes touched while `work` ran."""
    sent = []
    run = RedisShortTerm.run

    def record(self, commands):
        sent.append([one.key.partition("}:")[2] for one in commands])
        return run(self, commands)

    with monkeypatch.context() as patched:
        patched.setattr(RedisShortTerm, "run", record)
        await work
    return sent


async def test_a_cycle_writes_all_six_kinds_of_data_in_one_round_trip(monkeypatch):
    with redis_server() as server, Redis(port=server.port, decode_responses=True) as redis:
        store = RedisShortTerm(redis_client_for(server.endpoint))
        memory = MemoryManager("hunter", stores=replace(in_memory_stores(), short_term=store))
        logger = DecisionLogger("hunter", memory_manager=memory)
        agent = MemoryAwareMarketHunterAgent("hunter", 0.1, memory, logger, sources=SOURCES)
        for n in range(2):
            data = {**market(n, MARKET), "timestamp": None}
            redis.config_resetstat()
            trips = await transactions(monkeypatch, agent.run_cycle_with_memory(data, 2))
            (cycle,) = (trip for trip in trips if SHAPES.keys() <= set(trip))
            others = [name for trip in trips if trip is not cycle for name in trip]
            # The scores of before and the current context are read, and the state is cached as it is read and saved.
            assert set(others) == {"context:current", "performance:trend=bullish:volatility=high", "state:current"}
            assert redis.info("commandstats")["cmdstat_exec"]["calls"] == 1 + others.count("state:current")
        assert {name: redis.type(f"stm:{{hunter}}:{name}") for name in SHAPES} == SHAPES
        lives = {name: redis.ttl(f"stm:{{hunter}}:{name}") for name in SHAPES}
        assert [round(seconds / 60) for seconds in lives.values()] == [60, 1_440, 240, 5, 15, 120]
        assert redis.get("stm:{hunter}:ratelimit:always_right") == "2"
        found = await memory.get_context_memory(context_filter={"trend": "bullish"})
        assert [one["context"]["cycle"] for one in found["entries"] if one["kind"] == "current"] == [1]
