"""5. Integration with existing systems

5.1 Minimal changes to existing code
5.2 Backward compatibility
"""

import os
from uuid import uuid4

import pytest

from agent_memory import AWSMemoryClients, DecisionLogger, MemoryManager
from tests.design_promises.running_hunter import SOURCES, market_data
from trading_agents import IntegratedMarketHunterAgent, MemoryAwareMarketHunterAgent

pytestmark = pytest.mark.local_cloud


@pytest.fixture
def agent_name():
    """The design names its agent `market-hunter`; each test has one of its own."""
    return f"market-hunter-{uuid4().hex[:8]}"


# --- 5.1 -----------------------------------------------------------------------------------------


async def test_5_1_before_the_agent_runs_without_memory():
    """Before: `IntegratedMarketHunterAgent(agent_name=…, learning_rate=0.1)`."""
    agent = IntegratedMarketHunterAgent(agent_name="market-hunter", learning_rate=0.1)
    assert len(agent.select_sources("bullish", 3)) == 3


async def test_5_1_after_the_agent_has_memory(environment, local_cloud, agent_name):
    """After: a `MemoryManager`, a `DecisionLogger` and the memory-aware agent, by the design's own lines."""
    AWSMemoryClients.create_tables_if_not_exist("btc-agent")
    memory_manager = MemoryManager(
        agent_id=agent_name,
        redis_endpoint=os.environ["REDIS_ENDPOINT"],
        dynamodb_table_prefix="btc-agent",
    )

    decision_logger = DecisionLogger(agent_id=agent_name, memory_manager=memory_manager)

    agent = MemoryAwareMarketHunterAgent(
        agent_name=agent_name,
        learning_rate=0.1,
        memory_manager=memory_manager,
        decision_logger=decision_logger,
    )
    selected, decision_id = await agent.select_sources_with_memory("bullish", max_sources=2)
    assert (await decision_logger.get_decision(decision_id))["reasoning"]["selected"] == selected
    assert await memory_manager.store_stm("insight", {"n": 1}) is True


# --- 5.2 -----------------------------------------------------------------------------------------


async def test_5_2_the_existing_agent_continues_to_work_without_memory():
    """The existing `IntegratedMarketHunterAgent` continues to work without memory."""
    agent = IntegratedMarketHunterAgent("market-hunter", 0.1, sources=SOURCES, exploration_rate=0.0)
    for n in range(3):
        signals = await agent.run_cycle(market_data(n), max_sources=2)
    assert signals


async def test_5_2_memory_is_additive(stores, agent_name):
    """Memory features are additive: with memory but nothing remembered, the agent decides as it does without."""
    without = IntegratedMarketHunterAgent(agent_name, 0.1, sources=SOURCES, exploration_rate=0.0)
    memory = MemoryManager(agent_name, stores=stores)
    logger = DecisionLogger(agent_name, memory_manager=memory)
    with_memory = MemoryAwareMarketHunterAgent(agent_name, 0.1, memory, logger, sources=SOURCES, exploration_rate=0.0)
    for n in range(3):
        plain = await without.run_cycle(market_data(n), max_sources=2)
        remembering = await with_memory.run_cycle_with_memory(market_data(n), max_sources=2)
        assert [one["source"] for one in remembering] == [one["source"] for one in plain]


async def test_5_2_memory_is_enabled_gradually_1_logging(stores, agent_name):
    """Memory can be enabled gradually: start with logging alone."""
    logger = DecisionLogger(agent_name, stores=stores)
    agent = MemoryAwareMarketHunterAgent(agent_name, 0.1, decision_logger=logger, sources=SOURCES)
    await agent.run_cycle_with_memory(market_data(0), max_sources=2)
    assert len(await logger.query_decisions()) == 6  # a selection, a query and four signals
    assert await MemoryManager(agent_name, stores=stores).load_state() is None


async def test_5_2_memory_is_enabled_gradually_2_short_term_memory(stores, agent_name):
    """Memory can be enabled gradually: then add short-term memory."""
    memory = MemoryManager(agent_name, stores=stores)
    logger = DecisionLogger(agent_name, memory_manager=memory)
    await memory.store_ltm("PATTERN", "sentiment_leads", _leading("sentiment"))
    agent = _aware(agent_name, memory, logger, long_term=False)
    await agent.run_cycle_with_memory(market_data(0), max_sources=1)
    assert (await memory.read_cycle())["queries"]
    assert (await logger.query_decisions("SOURCE_SELECTION"))[0]["memory_ids"] == []


async def test_5_2_memory_is_enabled_gradually_3_long_term_memory(stores, agent_name):
    """Memory can be enabled gradually: then add long-term memory."""
    memory = MemoryManager(agent_name, stores=stores)
    logger = DecisionLogger(agent_name, memory_manager=memory)
    await memory.store_ltm("PATTERN", "sentiment_leads", _leading("sentiment"))
    agent = _aware(agent_name, memory, logger)
    await agent.run_cycle_with_memory(market_data(0), max_sources=1)
    (selection,) = await logger.query_decisions("SOURCE_SELECTION")
    assert (selection["memory_ids"], selection["reasoning"]["selected"]) == (["sentiment_leads"], ["sentiment"])


def _aware(name, memory, logger, **settings):
    return MemoryAwareMarketHunterAgent(name, 0.1, memory, logger, sources=SOURCES, exploration_rate=0.0, **settings)


def _leading(source):
    market = "trend=bullish:volatility=high"
    return {"context": market, "source": source, "confidence": 0.9, "success_rate": 0.9}
