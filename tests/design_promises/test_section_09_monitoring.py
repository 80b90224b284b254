"""9. Monitoring

9.1 Key metrics
9.2 CloudWatch dashboards
"""

import json
from uuid import uuid4

import pytest

from agent_memory.pricing import agent_every_ten_minutes, monthly_cost, read_deployment
from tests.design_promises.emitted_metrics import lines_of, metric
from tests.stacks.templates import text_of

pytestmark = pytest.mark.local_cloud


# --- 9.1: memory system --------------------------------------------------------------------------


async def test_9_1_stm_hit_rate(client, local_cloud):
    """STM hit rate: `STMHitRate`."""
    await client.store_stm("insight", {"n": 1})
    await client.retrieve_stm("insight")
    values, _, unit = metric(local_cloud, "api", "STMHitRate")
    assert unit == "Percent"
    assert all(0 <= value <= 100 for value in values)


async def test_9_1_ltm_pattern_confidence_distribution(planted, local_cloud):
    """LTM pattern confidence distribution: `PatternConfidence` has the confidence of each active pattern."""
    active = await planted.memory.retrieve_ltm("PATTERN", {"status": "active"})
    values, _, _ = metric(local_cloud, "analytics", "PatternConfidence", during=planted.execution)
    assert sorted(values) == pytest.approx(sorted(one["confidence"] for one in active))


def test_9_1_memory_consolidation_success_rate(planted, local_cloud):
    """Memory consolidation success rate: `ConsolidationSuccess`."""
    values, _, unit = metric(local_cloud, "consolidation", "ConsolidationSuccess", during=planted.execution)
    assert (values, unit) == ([100.0], "Percent")


def test_9_1_storage_costs_by_component(templates):
    """Storage costs by component: estimated by service beforehand, measured by storage class on the dashboard."""
    month = monthly_cost(agent_every_ten_minutes(), read_deployment(templates.folder))
    assert {"DynamoDB", "ElastiCache", "S3"} <= {line.service for line in month.lines}
    assert "BucketSizeBytes" in dashboard(templates)


# --- 9.1: decision logging -----------------------------------------------------------------------


async def test_9_1_decisions_logged_per_minute(decision_logger, local_cloud):
    """Decisions logged per minute: `DecisionsLogged`, also of an agent that logs directly."""
    decision_type = f"PROMISED_{uuid4().hex[:8].upper()}"
    for n in range(30):
        await decision_logger.log_decision(decision_type, {"n": n}, {})

    def count(lines):
        return sum(line["decision_types"][decision_type] for line in lines)

    lines = lines_of(
        local_cloud,
        "counter",
        lambda line: decision_type in line.get("decision_types", {}),
        enough=lambda lines: count(lines) >= 30,
    )
    assert count(lines) == 30
    assert all(line["DecisionsLogged"] >= line["decision_types"][decision_type] for line in lines)


async def test_9_1_decision_types_distribution(decision_logger, local_cloud):
    """Decision types distribution: the log line `decisions` has the number of each type, also of a team's own."""
    await decision_logger.log_decision("RISK_REVIEW", {}, {})
    lines = lines_of(local_cloud, "counter", lambda line: "RISK_REVIEW" in line.get("decision_types", {}))
    assert {line["message"] for line in lines} == {"decisions"}


async def test_9_1_average_decision_latency(client, local_cloud):
    """Average decision latency: `DecisionLatency`, the decision's own where its agent states it."""
    await client.log_decision("QUERY", {}, {}, metadata={"latency_ms": 1_200})
    assert lines_of(local_cloud, "api", lambda line: 1_200 in _listed(line.get("DecisionLatency")))


def _listed(value):
    return value if isinstance(value, list) else [value]


def test_9_1_success_rate_by_decision_type(planted, local_cloud):
    """Success rate by decision type: `SuccessRate` has the decision type as a dimension."""
    lines = lines_of(local_cloud, "analytics", lambda line: line.get("decision_type") == "SIGNAL_GENERATION")
    assert any(0 < _listed(line["SuccessRate"])[0] < 100 for line in lines)


# --- 9.1: agent performance ----------------------------------------------------------------------


def test_9_1_decisions_influenced_by_ltm_patterns(planted, local_cloud):
    """Decisions influenced by LTM patterns: `DecisionsInfluenced`."""
    (influenced,), _, unit = metric(local_cloud, "consolidation", "DecisionsInfluenced", during=planted.execution)
    assert (influenced > 0, unit) == (True, "Count")


async def test_9_1_pattern_confidence_evolution(planted):
    """Pattern confidence evolution: every version of a pattern, with its confidence."""
    (pattern, *_) = await planted.memory.retrieve_ltm("PATTERN", {"status": "active"})
    trend = await planted.analytics.get_pattern_confidence_trend(pattern["pattern_id"])
    assert trend[-1]["confidence"] == pattern["confidence"]


def test_9_1_learning_rate(planted, local_cloud):
    """Learning rate, the new patterns that were identified: `PatternsLearned`."""
    (learned,), _, unit = metric(local_cloud, "consolidation", "PatternsLearned", during=planted.execution)
    assert (learned >= 1, unit) == (True, "Count")


def test_9_1_memory_to_outcome_correlation(planted, local_cloud):
    """Memory-to-outcome correlation: `MemoryOutcomeCorrelation`, about 0 for a memory that is named by a coin."""
    (correlation,), _, _ = metric(local_cloud, "consolidation", "MemoryOutcomeCorrelation", during=planted.execution)
    assert abs(correlation) < 0.1


# --- 9.2 -----------------------------------------------------------------------------------------


def dashboard(templates):
    (one,) = templates["operations"].properties("AWS::CloudWatch::Dashboard")
    return json.dumps(text_of(one["DashboardBody"]))


def test_9_2_there_is_a_dashboard_with_the_metrics(templates):
    """A CloudWatch dashboard shows the metrics."""
    for name in ("STMHitRate", "DecisionsLogged", "ConsolidationSuccess", "DecisionsInfluenced", "PatternsLearned"):
        assert name in dashboard(templates)


async def test_9_2_metrics_are_in_the_namespace_of_the_design(planted, client, local_cloud):
    """Metrics are in the namespace `BTCAgent/Memory`, with the design's names and units."""
    await client.store_stm("insight", {"n": 1})
    await client.retrieve_stm("insight")
    for function, name, unit in (
        ("api", "STMHitRate", "Percent"),
        ("counter", "DecisionsLogged", "Count"),
        ("analytics", "PatternConfidence", "None"),
    ):
        assert metric(local_cloud, function, name)[1:] == ("BTCAgent/Memory", unit)
