"""10. Security and compliance

10.1 Data protection
10.2 Data retention
"""

import pytest

from agent_memory import MemoryManager
from agent_memory.admin.agent_policy import agent_policy
from agent_memory.core import retention
from agent_memory.nightly.pruning import prune
from tests.design_promises.past_clocks import days_ago
from tests.design_promises.planted_history import YESTERDAY
from tests.stacks.templates import as_list

pytestmark = pytest.mark.local_cloud

HOUR, DAY = 3_600, 86_400


# --- 10.1 ----------------------------------------------------------------------------------------


def test_10_1_data_is_encrypted_at_rest(templates):
    """Encryption at rest: tables, cache and archive are encrypted."""
    for table in templates["storage"].properties("AWS::DynamoDB::Table"):
        assert table["SSESpecification"]["SSEEnabled"] is True
    (cache,) = templates["cache"].properties("AWS::ElastiCache::ReplicationGroup")
    assert cache["AtRestEncryptionEnabled"] is True
    (bucket,) = templates["storage"].properties("AWS::S3::Bucket")
    assert bucket["BucketEncryption"]


def test_10_1_data_is_encrypted_in_transit(templates):
    """Encryption in transit: TLS for Redis and DynamoDB, and the archive refuses requests without it."""
    (cache,) = templates["cache"].properties("AWS::ElastiCache::ReplicationGroup")
    assert (cache["TransitEncryptionEnabled"], cache["TransitEncryptionMode"]) == (True, "required")
    (policy,) = templates["storage"].properties("AWS::S3::BucketPolicy")
    refused = [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Deny"]
    assert {"Bool": {"aws:SecureTransport": "false"}} in [one.get("Condition") for one in refused]


def test_10_1_roles_have_least_privilege(templates):
    """Access control: no role may do everything with anything, and an agent's role may call its own paths only."""
    for template in templates.templates.values():
        for policy in template.properties("AWS::IAM::Policy"):
            for statement in policy["PolicyDocument"]["Statement"]:
                assert "*" not in as_list(statement["Action"])
    policy = agent_policy("arn:aws:execute-api:us-east-1:123456789012:abc", "market-hunter")
    allowed = [one for one in policy["Statement"] if one["Effect"] == "Allow"]
    assert all("/v1/agents/market-hunter/" in one for statement in allowed for one in statement["Resource"])


def test_10_1_there_is_an_audit_trail(templates):
    """Audit trail: by a setting, CloudTrail records the calls to tables and archive."""
    (trail,) = templates["audit"].properties("AWS::CloudTrail::Trail")
    assert trail["IsLogging"] is True
    assert trail["EnableLogFileValidation"] is True


# --- 10.2 ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kept", "seconds"),
    [
        ("CONTEXT_SECONDS", 1 * HOUR),
        ("QUERIES_SECONDS", 24 * HOUR),
        ("SIGNALS_SECONDS", 4 * HOUR),
        ("RATE_LIMIT_SECONDS", 300),
    ],
)
def test_10_2_short_term_memory_is_kept_as_the_policy_says(kept, seconds):
    """Short-term memory: context for an hour, queries for 24 hours, signals for 4 hours, rate limits for 5 minutes."""
    assert getattr(retention, kept) == seconds


def test_10_2_decision_logs_are_hot_for_90_days(aged, dynamodb):
    """Decision logs: 90 days in DynamoDB."""
    assert retention.HOT_DAYS == 90


def lifecycle(templates, prefix):
    (bucket,) = templates["storage"].properties("AWS::S3::Bucket")
    return [rule for rule in bucket["LifecycleConfiguration"]["Rules"] if rule.get("Prefix") == prefix]


def test_10_2_decision_logs_are_archived_for_a_year_in_s3(templates):
    """Decision logs: a year in S3."""
    steps = [step for rule in lifecycle(templates, "decisions/") for step in rule.get("Transitions", [])]
    assert [step["TransitionInDays"] for step in steps] == [365]


def test_10_2_decision_logs_are_kept_for_7_years_in_glacier(templates):
    """Decision logs: seven years in S3 Glacier, and then they are deleted."""
    ends = [rule["ExpirationInDays"] for rule in lifecycle(templates, "decisions/") if "ExpirationInDays" in rule]
    assert ends == [7 * 365 + 2]


@pytest.fixture
def remember(stores, agent_id):
    """Stores a pattern as some days ago, runs the pruning of yesterday, and says whether the pattern is still there."""

    def is_kept(days, **data):
        memory = MemoryManager(agent_id, stores=stores, clock=days_ago(days))
        memory.sync.store_ltm("PATTERN", "whales", data)
        prune(agent_id, YESTERDAY.date(), stores)
        return stores.memories.get(agent_id, "PATTERN", "whales") is not None

    return is_kept


def test_10_2_patterns_are_kept_indefinitely(remember):
    """Long-term memory: patterns are kept indefinitely."""
    assert remember(400, confidence=0.8)


def test_10_2_patterns_without_a_confidence_are_kept_indefinitely(remember):
    """Long-term memory: a pattern that states no confidence is kept indefinitely, too."""
    assert remember(400, text="whales lead")


def test_10_2_low_confidence_is_kept_for_30_days(remember):
    """Long-term memory: what has a low confidence is kept for 30 days."""
    assert remember(29, confidence=0.3)


def test_10_2_low_confidence_is_pruned_after_30_days(remember):
    """Long-term memory: what has a low confidence is pruned after 30 days."""
    assert not remember(32, confidence=0.3)


def test_10_2_deprecated_patterns_are_kept_for_180_days(remember):
    """Long-term memory: deprecated patterns are kept for 180 days."""
    assert remember(179, confidence=0.8, status="deprecated")


def test_10_2_deprecated_patterns_are_pruned_after_180_days(remember):
    """Long-term memory: deprecated patterns are pruned after 180 days."""
    assert not remember(182, confidence=0.8, status="deprecated")
