"""The market hunter on the deployed stacks: a day of decisions, and what the API has of them afterwards."""

import os
from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from agent_memory import AgentMemoryClient, DecisionLogger, MemoryManager
from tests.local.nightly_job import run_nightly_job
from trading_agents import MemoryAwareMarketHunterAgent

pytestmark = [pytest.mark.local_cloud, pytest.mark.slow]

AGENT = "deployed-hunter"
CYCLES = 94
START = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
QUARTER = timedelta(minutes=15)
SOURCES = {
    "seer": lambda data: 0.5 * data["next"],
    "liar": lambda data: -0.5 * data["next"],
    "coin": lambda data: 0.5 * data["coin"],
    "mute": lambda data: None,  # noqa: ARG005
}


def markets():
    """A day in steps of 15 minutes; `next` predicts the direction of the price, `coin` does not."""
    chance, price = np.random.default_rng(5), 100.0
    for n in range(CYCLES):
        coming, coin = chance.choice([-1, 1], 2).tolist()
        context = "bullish" if n % 2 else "bearish"
        yield {
            "context": context,
            "close": [price],
            "next": coming,
            "coin": coin,
            "timestamp": START + n * QUARTER,
        }
        price *= 1 + 0.002 * coming


def hunter():
    """A hunter that uses tables and cache directly, as inside the VPC."""
    memory = MemoryManager(
        agent_id=AGENT,
        redis_endpoint=os.environ["REDIS_ENDPOINT"],
        dynamodb_table_prefix=os.environ["AGENT_MEMORY_TABLE_PREFIX"],
    )
    logger = DecisionLogger(agent_id=AGENT, memory_manager=memory)
    return MemoryAwareMarketHunterAgent(AGENT, 0.1, memory, logger, sources=SOURCES, exploration_rate=0.4)


async def every(client, decision_type):
    decisions, cursor = [], None
    while True:
        page = await client.page_decisions(decision_type, limit=1_000, cursor=cursor)
        decisions += page["decisions"]
        cursor = page["cursor"]
        if not cursor:
            return decisions


async def test_a_day_of_a_hunter_can_be_read_over_the_api(local_cloud, monkeypatch):
    for name, value in local_cloud.environment().items():
        monkeypatch.setenv(name, value)
    agent, days = hunter(), list(markets())
    for market in days[:60]:
        await agent.run_cycle_with_memory(market, 2)
    learned = {one["id"]: one for one in await agent.learn_from_outcomes(START + 60 * QUARTER)}
    assert learned["seer_in_bullish"]["success_rate"] == 1.0
    assert learned["liar_in_bearish"]["success_rate"] == 0.0

    again = hunter()  # as in another process: it continues from the stored state
    for market in days[60:]:
        signals = await again.run_cycle_with_memory(market, 2)
    assert "seer" in {one["source"] for one in signals}

    async with AgentMemoryClient(local_cloud.api_url, AGENT, session=local_cloud.boto_session()) as client:
        selections = await every(client, "SOURCE_SELECTION")
        assert len(selections) == CYCLES
        assert all(one["success"] for one in selections)
        assert selections[0]["memory_ids"] == ["seer_in_bullish"]
        assert {tuple(sorted(one["reasoning"]["propensities"])) for one in selections} == {tuple(sorted(SOURCES))}
        first_again = min(selections[: CYCLES - 60], key=lambda one: one["timestamp"])
        assert first_again["reasoning"]["scores"]["seer"] > 0.9

        judged = await every(client, "SIGNAL_GENERATION")
        assert len(judged) == CYCLES * 3
        # Those of the first process were judged by the second; the last cycle waits for another price.
        assert sum(one["success"] is None for one in judged) == 3
        with_outcome = [one for one in judged if one["success"] is not None]
        came_true = {(one["reasoning"]["source"], one["success"]) for one in with_outcome}
        assert came_true == {("seer", True), ("liar", False), ("coin", True), ("coin", False)}
        assert {one["reasoning"]["chosen"] for one in with_outcome if one["reasoning"]["source"] == "liar"} == {
            True,
            False,
        }
        chain = await client.get_decision_chain(judged[0]["decision_id"], depth=2)
        assert [one["decision_type"] for one in chain if one["relation"] == "ancestor"] == ["QUERY", "SOURCE_SELECTION"]

        run = run_nightly_job(local_cloud, {"date": START.date().isoformat(), "agents": [AGENT]})
        assert run["status"] == "SUCCEEDED", run
        patterns = await client.retrieve_ltm("PATTERN")
        assert set(learned) <= {one["pattern_id"] for one in patterns}
        sources = {tuple(one["features"]): one for one in await client.retrieve_ltm("SOURCE_PERFORMANCE")}
        assert {one["measured_by"] for one in sources.values()} == {"outcome"}
        assert sources["reasoning.source=seer",]["success_rate"] == 1.0
        assert sources["reasoning.source=liar",]["success_rate"] == 0.0
        best, *_, worst = await client.get_source_effectiveness()
        assert (best["source"], worst["source"]) == ("seer", "liar")
        strategies = {tuple(one["features"]): one for one in await client.retrieve_ltm("STRATEGY")}
        # What each strategy caused: the outcomes of the signals of the sources that it chose.
        strategy_at = {one["timestamp"][:19]: one["reasoning"]["strategy"] for one in selections}
        caused = Counter(strategy_at[one["timestamp"][:19]] for one in with_outcome if one["reasoning"]["chosen"])
        assert {name: one["occurrences"] for name, one in strategies.items()} == {
            ("reasoning.strategy=exploitation",): caused["exploitation"],
            ("reasoning.strategy=exploration",): caused["exploration"],
        }
        assert {one["outcome_type"] for one in strategies.values()} == {"SIGNAL_GENERATION"}
