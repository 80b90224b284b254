"""1. Requirements

1.1 Core requirements
1.2 Functional requirements
"""

import json

import pytest

from agent_memory.core.ids import alias_of

pytestmark = pytest.mark.local_cloud

API = "agent-memory-api"


async def test_1_1_it_integrates_with_databases(decision_logger, memory_manager, agent_id, dynamodb, cache):
    """It integrates with databases: what an agent says is an item in DynamoDB and a key in Redis."""
    await decision_logger.log_decision("QUERY", {"market": {"trend": "bullish"}}, {})
    await memory_manager.store_stm("context:current", {"trend": "bullish"})
    partition = {":pk": {"S": f"{agent_id}#QUERY"}}
    stored = dynamodb.query(
        TableName="agent-memory-agent_decisions", KeyConditionExpression="pk = :pk", ExpressionAttributeValues=partition
    )
    assert stored["Count"] == 1
    assert cache.exists(f"stm:{{{agent_id}}}:context:current")


async def test_1_1_it_integrates_by_an_http_api(client, decision_logger):
    """It integrates by an API: what is logged over HTTP is what an agent in the VPC reads."""
    decision_id = await client.log_decision("QUERY", {"market": {"trend": "bullish"}}, {})
    assert (await decision_logger.get_decision(decision_id))["context"] == {"market": {"trend": "bullish"}}


async def test_1_1_it_integrates_with_agents_that_invoke_functions(decision_logger, agent_id, local_cloud):
    """It integrates with agents that invoke functions, as those on Bedrock, by an alias of their own."""
    functions = local_cloud.boto_session().client("lambda")
    functions.create_alias(FunctionName=API, Name=alias_of(agent_id), FunctionVersion="$LATEST")
    decision = {"decision_type": "QUERY", "context": {}, "reasoning": {}}
    payload = {"agent_id": agent_id, "operation": "log_decision", **decision}
    response = functions.invoke(FunctionName=API, Qualifier=alias_of(agent_id), Payload=json.dumps(payload).encode())
    answer = json.loads(response["Payload"].read())
    functions.delete_alias(FunctionName=API, Name=alias_of(agent_id))
    assert answer["statusCode"] == 201
    assert (await decision_logger.get_decision(answer["body"]["decision_id"]))["agent_id"] == agent_id


async def test_1_1_autonomous_decisions_have_traceable_reasoning(hunted):
    """It supports autonomous decisions with traceable reasoning: from a signal back to what led to it."""
    (signal,) = await hunted.logger.query_decisions("SIGNAL_GENERATION", limit=1)
    chain = await hunted.logger.get_decision_chain(signal["decision_id"])
    led_to_it = [one["decision_type"] for one in chain if one["relation"] == "ancestor"]
    assert led_to_it == ["QUERY", "SOURCE_SELECTION"]
    assert all(one["reasoning"] for one in [signal, *chain])


def test_1_1_it_uses_aws_services_for_infrastructure(templates):
    """It uses AWS services for its infrastructure, all of them in CloudFormation templates."""
    resources = [one for template in templates.templates.values() for one in template.resources.values()]
    services = {one["Type"].split("::")[1] for one in resources}
    assert {"DynamoDB", "ElastiCache", "S3", "Lambda", "ApiGatewayV2", "StepFunctions", "CloudWatch"} <= services


async def test_1_1_agents_learn_from_historical_decisions(planted):
    """It enables agents to learn from historical decisions: the nightly job finds what weeks of them show."""
    learned = await planted.memory.retrieve_ltm("PATTERN", {"status": "active"})
    assert any("whaleMovements" in str(one["features"]) and "trend=bullish" in str(one["features"]) for one in learned)


async def test_1_2_short_term_memory_has_recent_context_and_current_cycle(hunted):
    """Short-term memory has the recent context, the current cycle's data and the active market conditions."""
    cycle = await hunted.memory.read_cycle(cycles=1)
    assert cycle["context"]["cycle"] == hunted.agent.current_cycle - 1
    assert cycle["context"]["market"] == {"volatility": "high", "trend": "bullish"}
    assert cycle["queries"]


async def test_1_2_long_term_memory_has_patterns_strategies_and_performance(planted):
    """Long-term memory has historical patterns, learned strategies and performance metrics."""
    for memory_type in ("PATTERN", "STRATEGY", "SOURCE_PERFORMANCE"):
        assert await planted.memory.retrieve_ltm(memory_type), memory_type


async def test_1_2_memory_is_retrieved_at_different_time_scales(aged):
    """Memory is hierarchical: it can be retrieved at different time scales."""
    for level, decision_id in aged.decision_ids.items():
        found = await aged.memory.get_context_memory(level=level)
        assert [one["decision_id"] for one in found["entries"]] == [decision_id]


async def test_1_2_memory_is_retrieved_at_different_relevance_levels(memory_manager):
    """Memory is hierarchical: it can be retrieved by relevance."""
    await memory_manager.store_ltm("PATTERN", "whales", {"text": "whale movements predict pumps", "confidence": 0.6})
    await memory_manager.store_ltm("PATTERN", "funding", {"text": "funding predicts dumps", "confidence": 0.9})
    best, second = await memory_manager.recall("whale pumps", kind="PATTERN")
    assert (best["memory"]["pattern_id"], second["memory"]["pattern_id"]) == ("whales", "funding")
    assert best["score"] > second["score"]


async def test_1_2_every_decision_of_an_agent_is_logged(hunted):
    """Every decision made by an agent is logged."""
    cycles = hunted.agent.current_cycle
    for decision_type, of_each_cycle in (("SOURCE_SELECTION", 1), ("QUERY", 1), ("SIGNAL_GENERATION", 4)):
        assert len(await hunted.logger.query_decisions(decision_type)) == of_each_cycle * cycles
    # In the first cycle there is nothing to learn from.
    assert len(await hunted.logger.query_decisions("LEARNING")) == cycles - 1


async def test_1_2_the_context_says_why_a_decision_was_made(hunted):
    """Context is captured: why a decision was made."""
    for decision in await hunted.logger.query_decisions():
        assert decision["context"]["market"] == {"volatility": "high", "trend": "bullish"}
        assert decision["reasoning"]


async def test_1_2_outcomes_say_what_happened_after_a_decision(hunted):
    """Outcomes are tracked: what happened after a decision."""
    signals = await hunted.logger.query_decisions("SIGNAL_GENERATION")
    assert {one["success"] for one in signals} == {True, False, None}  # None: those of the last cycle are pending
    assert all("return" in one["outcome"] for one in signals if one["success"] is not None)


async def test_1_2_performance_is_analyzed_as_rates_and_patterns(planted):
    """Performance is analyzed: success and failure rates, and patterns are recognized."""
    rates = await planted.logger.analyze_decision_patterns("SIGNAL_GENERATION", group_by="context")
    for group in rates["groups"]:
        assert group["low"] < group["success_rate"] < group["high"]
    assert planted.execution["status"] == "SUCCEEDED"
    assert await planted.memory.retrieve_ltm("PATTERN")
