"""6. Usage patterns

6.1 Query with memory context
6.2 Learning from history
6.3 Decision auditing
"""

import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from agent_memory import DecisionLogger, MemoryManager
from examples.audit_decision_chain import audit_decision_chain
from tests.design_promises.designed_agent import DesignedAgent
from tests.design_promises.planted_history import DAYS, YESTERDAY
from tests.design_promises.running_hunter import MARKET, SOURCES, market_data

pytestmark = pytest.mark.local_cloud


@pytest.fixture
def agent(stores):
    name = f"designed-{uuid4().hex[:12]}"
    memory = MemoryManager(name, stores=stores)
    return DesignedAgent(name, 0.1, memory, DecisionLogger(name, memory_manager=memory), sources=SOURCES)


# --- 6.1 -----------------------------------------------------------------------------------------


async def test_6_1_a_cycle_checks_memory_for_recent_similar_contexts(agent):
    """A cycle: 1. check memory for similar contexts of the last hour."""
    await agent.run_designed_cycle(market_data(0))
    _, similar = await agent.run_designed_cycle(market_data(1))
    assert similar["complete"]
    assert [one["context"]["market"] for one in similar["entries"]] == [MARKET]


async def test_6_1_a_cycle_selects_sources_with_memory_influence(agent):
    """A cycle: 2. select sources with memory influence."""
    await agent.run_designed_cycle(market_data(0))
    (selection,) = await agent.logger.query_decisions("SOURCE_SELECTION")
    assert set(selection["reasoning"]["selected"]) == set(SOURCES)


async def test_6_1_a_cycle_queries_sources_and_stores_the_results_in_short_term_memory(agent):
    """A cycle: 3. query the sources by `query_source(source)`, and store each result for fast retrieval."""
    await agent.run_designed_cycle(market_data(0))
    whales = await agent.memory.retrieve_stm("queries:whaleMovements:latest")
    assert (whales["source"], whales["reading"]) == ("whaleMovements", 0.8)


async def test_6_1_a_cycle_generates_signals_with_logged_reasoning(hunted):
    """A cycle: 4. generate signals, with their reasoning in the log."""
    signals = await hunted.logger.query_decisions("SIGNAL_GENERATION", limit=4)
    logged = {one["reasoning"]["source"]: one["reasoning"] for one in signals}
    for signal in hunted.signals:
        assert logged[signal["source"]]["direction"] == signal["direction"]


async def test_6_1_a_cycle_logs_its_outcome(agent):
    """A cycle: 5. log the outcome, with its quality."""
    signals, _ = await agent.run_designed_cycle(market_data(0))
    (selection,) = await agent.logger.query_decisions("SOURCE_SELECTION", success_filter=True)
    assert selection["outcome"] == {"signals": signals, "sources_used": len(SOURCES)}
    assert 0 < selection["metrics"]["quality"] <= 1


# --- 6.2 -----------------------------------------------------------------------------------------


async def test_6_2_consolidation_analyzes_the_last_24_hours_of_decisions(agent):
    """Consolidation: 1. analyze the last 24 hours of decisions."""
    await agent.run_designed_cycle(market_data(0))
    decisions, _ = await agent.consolidate_learnings([])
    assert [one["decision_type"] for one in decisions] == ["SOURCE_SELECTION"]


async def test_6_2_consolidation_calculates_success_patterns(planted):
    """Consolidation: 2. calculate patterns of success, each tested against chance."""
    report = await planted.report()
    assert any(one["status"] == "active" for one in report["patterns"])
    assert report["control"]["promoted"] <= 1  # of 20 shuffles of the same record


async def test_6_2_consolidation_promotes_patterns_to_long_term_memory(planted):
    """Consolidation: 3. promote patterns to long-term memory, with description, confidence, rate and sample size."""
    for one in await planted.memory.retrieve_ltm("PATTERN", {"status": "active"}):
        assert one["description"]
        assert 0.5 < one["confidence"] <= 1
        assert 0 < one["success_rate"] <= 1
        assert one["occurrences"] >= 30
        assert datetime.fromisoformat(one["learned_at"]) < datetime.now(UTC)


async def test_6_2_consolidation_updates_existing_confidences(agent):
    """Consolidation: 4. update the confidences of existing patterns."""
    await agent.memory.store_ltm("PATTERN", "whales", {"confidence": 0.6})
    await agent.consolidate_learnings([("whales", 0.75)])
    assert [one["confidence"] for one in await agent.memory.retrieve_ltm("PATTERN")] == [0.75]


def test_6_2_consolidation_is_a_nightly_job(templates, planted):
    """Consolidation is a nightly job: a daily schedule starts it, and it makes up for the days that were missed."""
    (schedule,) = templates["nightly"].properties("AWS::Scheduler::Schedule")
    assert schedule["ScheduleExpression"] == "cron(10 0 * * ? *)"
    output = json.loads(planted.execution["output"])
    assert (output["date"], output["agents"]) == (YESTERDAY.date().isoformat(), 1)
    assert DAYS > 1


# --- 6.3 -----------------------------------------------------------------------------------------


async def test_6_3_an_audit_gets_the_decision_from_its_id_alone(hunted, stores):
    """An audit: get the decision by its id alone."""
    (signal,) = await hunted.logger.query_decisions("SIGNAL_GENERATION", limit=1)
    logger = DecisionLogger(agent_id=hunted.agent_id, stores=stores)
    assert await logger.get_decision(signal["decision_id"]) == signal


async def test_6_3_an_audit_gets_what_led_to_it_and_what_came_after(hunted):
    """An audit: get the related decisions, what led to it and what came after."""
    (query,) = await hunted.logger.query_decisions("QUERY", limit=1)
    chain = await hunted.logger.get_decision_chain(query["decision_id"], depth=10)
    relations = [(one["relation"], one["decision_type"]) for one in chain if one["relation"] != "earlier"]
    assert ("ancestor", "SOURCE_SELECTION") in relations
    assert relations.count(("descendant", "SIGNAL_GENERATION")) == 4


async def test_6_3_an_audit_prints_the_chain(hunted, capsys):
    """An audit: print the decision and its chain, by the design's own lines."""
    (selection,) = await hunted.logger.query_decisions("SOURCE_SELECTION", limit=1)
    await audit_decision_chain(hunted.logger, selection["decision_id"])
    printed = capsys.readouterr().out
    assert printed.startswith("Decision: SOURCE_SELECTION\nContext: {")
    assert "  - SIGNAL_GENERATION at " in printed
