"""The market hunter with a client as memory and as log: it needs no access to the stores."""

import pytest

from tests.http_events import call_routes, client_with
from tests.unit.trading_agents.market_hunter.hunter_samples import SOURCES
from trading_agents import MemoryAwareMarketHunterAgent


@pytest.fixture
def client(served):
    return client_with(call_routes)


def hunter(client):
    return MemoryAwareMarketHunterAgent(
        "market-hunter", 0.1, client, client, sources=SOURCES, exploration_rate=0.0, rate_limits={"steady": 5}
    )


async def test_it_hunts_and_goes_on_in_another_process(client):
    market = {"context": {"trend": "bullish"}, "next": 1}
    async with client:
        agent = hunter(client)
        for price in (100.0, 101.0, 102.0):
            assert len(await agent.run_cycle_with_memory({**market, "close": [price]}, 2)) == 2
        again = hunter(client)
        await again.run_cycle_with_memory({**market, "close": [103.0]}, 2)
        assert again.current_cycle == 4
        signals = await client.query_decisions("SIGNAL_GENERATION")
        assert sum(one["success"] is None for one in signals) == 3
        cycle = await client.read_cycle(performance={"always_right": ["trend=bullish"]})
        assert cycle["context"]["cycle"] == 3
        assert len(cycle["queries"]) == 4
        assert cycle["performance"]["always_right"]["trend=bullish"]["judged"] == 3
        assert (await client.check_rate_limit("steady", 5))["remaining"] == 0
        assert (await client.check_rate_limit("silent", 5))["remaining"] == 0
