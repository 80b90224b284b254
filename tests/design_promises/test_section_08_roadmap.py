"""8. Implementation roadmap

8.1 Phase 1: foundation
8.2 Phase 2: decision logging
8.3 Phase 3: long-term memory
8.4 Phase 4: analytics and learning
8.5 Phase 5: production and monitoring
"""

import importlib
from pathlib import Path

import pytest

from agent_memory import AWSMemoryClients
from agent_memory.storage.schema import TABLES

pytestmark = pytest.mark.local_cloud

ROOT = Path(__file__).parents[2]


def test_8_1_there_is_a_memory_module():
    """There is a module structure for memory, and its public names are what `agent_memory` exports."""
    for name in importlib.import_module("agent_memory").__all__:
        assert getattr(importlib.import_module("agent_memory"), name)


def test_8_1_there_are_aws_client_helpers(environment, local_cloud):
    """There are helpers for AWS clients."""
    assert AWSMemoryClients.get_dynamodb_client().describe_endpoints


def test_8_1_there_are_table_schemas(templates):
    """There are schemas of the three tables, one definition for stacks and clients."""
    deployed = {one["TableName"] for one in templates["storage"].properties("AWS::DynamoDB::Table")}
    assert deployed == {table.full_name("agent-memory") for table in TABLES}


def test_8_1_there_is_a_cache_for_development(cache):
    """There is a cache for development: that of the local cloud."""
    assert cache.ping()


async def test_8_1_there_is_a_memory_manager_with_short_term_memory(memory_manager):
    """There is a `MemoryManager` with short-term memory."""
    await memory_manager.store_stm("insight", {"n": 1})
    assert await memory_manager.retrieve_stm("insight", strict=True) == {"n": 1}


async def test_8_2_there_is_a_decision_logger(decision_logger):
    """There is a `DecisionLogger`."""
    assert await decision_logger.log_decision("QUERY", {}, {})


async def test_8_2_it_is_integrated_with_the_existing_agent(hunted):
    """It is integrated with the existing agent."""
    assert hunted.agent.logger is hunted.logger


async def test_8_2_all_decision_points_are_logged(hunted):
    """All decision points are logged."""
    types = {one["decision_type"] for one in await hunted.logger.query_decisions(limit=1_000)}
    assert types == {"SOURCE_SELECTION", "QUERY", "SIGNAL_GENERATION", "LEARNING"}


async def test_8_2_there_are_query_functions(hunted):
    """There are functions that query decisions, in pages too."""
    page = await hunted.logger.page_decisions("SIGNAL_GENERATION", limit=10)
    rest = await hunted.logger.page_decisions("SIGNAL_GENERATION", limit=1_000, cursor=page["cursor"])
    assert len(page["decisions"]) + len(rest["decisions"]) == 4 * hunted.agent.current_cycle


def test_8_2_there_are_basic_tests():
    """There are basic tests."""
    assert list((ROOT / "tests/unit").rglob("test_*.py"))


async def test_8_3_long_term_memory_is_stored_in_dynamodb(memory_manager):
    """Long-term memory is stored in DynamoDB."""
    await memory_manager.store_ltm("PATTERN", "whales", {"confidence": 0.8})
    assert [one["pattern_id"] for one in await memory_manager.retrieve_ltm("PATTERN")] == ["whales"]


async def test_8_3_patterns_are_identified(planted):
    """Patterns are identified, and the one that was planted is the most confident one."""
    (best, *_) = await planted.memory.retrieve_ltm("PATTERN", {"status": "active"})
    assert "reasoning.source=whaleMovements" in best["features"]


def test_8_3_consolidation_jobs_are_deployed(planted):
    """Consolidation jobs are deployed, and succeed."""
    assert planted.execution["status"] == "SUCCEEDED"


async def test_8_3_the_agent_queries_patterns(hunted):
    """The agent queries patterns before it selects sources."""
    (selection,) = await hunted.logger.query_decisions("SOURCE_SELECTION", limit=1)
    assert selection["context"]["applied_patterns"] == []  # it has none yet, and says so


async def test_8_3_retrieval_is_hierarchical(aged):
    """Retrieval is hierarchical."""
    assert (await aged.memory.get_context_memory())["levels"] == ["immediate", "recent", "historical", "archive"]


async def test_8_4_there_are_memory_analytics(planted):
    """There are `MemoryAnalytics`."""
    assert (await planted.report())["totals"]["with_outcome"] > 1_000


def test_8_4_there_is_a_performance_dashboard(templates):
    """There is a dashboard of performance, by a setting."""
    assert len(templates["operations"].of_type("AWS::CloudWatch::Dashboard")) == 1


async def test_8_4_there_are_learning_algorithms(planted):
    """There are learning algorithms, whose confidence is an estimated probability."""
    for one in await planted.memory.retrieve_ltm("PATTERN", {"status": "active"}):
        assert 0.5 < one["confidence"] < 1


async def test_8_4_patterns_are_promoted_automatically(planted):
    """Patterns are promoted automatically: the nightly job wrote them."""
    (pattern, *_) = await planted.memory.retrieve_ltm("PATTERN", {"status": "active"})
    assert pattern["changed_by"] == "nightly consolidation"


def test_8_4_there_are_integration_tests():
    """There are integration tests against the deployed stacks."""
    assert list((ROOT / "tests/local").glob("test_*.py"))


def test_8_5_the_stacks_can_be_deployed_to_an_account(templates):
    """The stacks deploy to an AWS account: each of them is a template for a region and an account."""
    assert {"storage", "cache", "api", "nightly", "query", "operations", "audit"} == set(templates.templates)


def test_8_5_there_are_cloudwatch_alarms(templates):
    """There are CloudWatch alarms, and one that sums up the critical ones."""
    assert len(templates["operations"].of_type("AWS::CloudWatch::Alarm")) >= 18
    assert len(templates["operations"].of_type("AWS::CloudWatch::CompositeAlarm")) == 1


def test_8_5_there_are_operational_runbooks(templates):
    """There are operational runbooks: the description of every alarm names its page."""
    for alarm in templates["operations"].properties("AWS::CloudWatch::Alarm"):
        (page,) = [word for word in alarm["AlarmDescription"].split() if word.startswith("docs/runbooks/")]
        assert (ROOT / page.rstrip(".")).is_file()


def test_8_5_performance_is_tuned_by_measurement():
    """Performance is tuned by measurement: there are benchmarks with their commands."""
    commands = (ROOT / "Makefile").read_text(encoding="utf-8")
    for name in ("calls", "decisions", "archive", "memory", "nightly"):
        assert f"\nbench-{name}:" in commands


def test_8_5_there_is_documentation():
    """There is documentation of usage, deployment, operation and every setting."""
    for name in ("usage", "deployment", "architecture", "metrics", "security", "data-retention", "settings"):
        assert (ROOT / f"docs/{name}.md").is_file()
