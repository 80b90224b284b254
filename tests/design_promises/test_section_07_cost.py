"""7. Cost

7.1 Costs of a month
7.2 Cost optimization
"""

import pytest

from agent_memory.pricing import agent_every_ten_minutes, monthly_cost, read_deployment
from stacks.config import DeployConfig

pytestmark = pytest.mark.local_cloud


@pytest.fixture(scope="module")
def month(templates):
    """A month of the design's scenario, by the templates, list prices and measured units."""
    return monthly_cost(agent_every_ten_minutes(), read_deployment(templates.folder))


def dollars(month, service):
    return sum(line.monthly_usd for line in month.lines if line.service == service)


def test_7_1_the_scenario_is_an_agent_with_a_cycle_every_ten_minutes():
    """The scenario: 144 cycles a day, about six decisions each, 25,920 a month, and 100,000 reads."""
    workload = agent_every_ten_minutes()
    assert workload.decisions == 144 * 30 * 6 == 25_920
    assert workload.reads == 100_000


def test_7_1_dynamodb_costs_at_most_10_dollars(month):
    """DynamoDB costs at most $5 to $10."""
    assert 0 < dollars(month, "DynamoDB") <= 10


def test_7_1_elasticache_costs_at_most_12_dollars(month):
    """ElastiCache costs at most $12, with one micro node."""
    assert 0 < dollars(month, "ElastiCache") <= 12


def test_7_1_s3_costs_at_most_2_cents(month):
    """S3 costs at most $0.02."""
    assert 0 < dollars(month, "S3") <= 0.02


def test_7_1_data_transfer_costs_at_most_2_dollars(month):
    """Data transfer costs at most $1 to $2."""
    assert 0 < dollars(month, "Data transfer") <= 2


def test_7_1_cloudwatch_logs_cost_at_most_2_dollars_50(month):
    """CloudWatch Logs cost at most $2.50."""
    logs = [line for line in month.lines if line.service == "CloudWatch" and "of logs" in line.usage]
    assert 0 < sum(line.monthly_usd for line in logs) <= 2.50


def test_7_1_a_month_costs_at_most_20_to_25_dollars(month):
    """A month costs at most $20 to $25 in all, at list prices, with dashboard, alarms and audit trail."""
    assert month.total_usd <= 25


def test_7_2_tables_are_on_demand(templates):
    """Optimization 1: DynamoDB is on demand, for variable workloads."""
    tables = templates["storage"].properties("AWS::DynamoDB::Table")
    assert {table["BillingMode"] for table in tables} == {"PAY_PER_REQUEST"}


def test_7_2_decisions_are_deleted_after_90_days_by_ttl(aged, stores):
    """Optimization 2: decisions are deleted after 90 days by their TTL, once they are archived."""
    assert stores.archive.days(aged.agent_id)


def test_7_2_archives_move_to_a_cheaper_storage_class(templates):
    """Optimization 3: archives move to a cheaper storage class. It is Glacier; Intelligent-Tiering would cost more."""
    (bucket,) = templates["storage"].properties("AWS::S3::Bucket")
    rules = bucket["LifecycleConfiguration"]["Rules"]
    classes = {step["StorageClass"] for rule in rules for step in rule.get("Transitions", [])}
    assert classes == {"GLACIER"}


def test_7_2_the_cache_can_be_reserved(templates):
    """Optimization 4: the cache can be a reserved node: its type, for which a reservation is bought, is a setting."""
    (cache,) = templates["cache"].properties("AWS::ElastiCache::ReplicationGroup")
    assert cache["CacheNodeType"] == DeployConfig.model_fields["cache_node_type"].default == "cache.t4g.micro"


async def test_7_2_writes_are_batched(decision_logger):
    """Optimization 5: writes are batched: a cycle is one request."""
    cycle = [{"decision_type": "QUERY", "context": {}, "reasoning": {"n": n}} for n in range(6)]
    assert [one["status"] for one in await decision_logger.log_decisions(cycle)] == ["created"] * 6
