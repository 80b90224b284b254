"""The documented policy for one agent's direct access to tables and bucket, with the keys that the stores use."""

import json
import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from agent_memory.admin.direct_policy import direct_policy
from agent_memory.core import keys
from agent_memory.core.ids import PATTERNS, new_decision_id
from agent_memory.storage.schema import TABLES
from tests.stacks.iam import identity_statements, is_allowed

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
BUCKET = "arn:aws:s3:::BUCKET"
DECISION_ID = new_decision_id("QUERY")
NAMES = ("decisions_arn", "memories_arn", "states_arn")  # as `TABLES`
AGENT_IDS = st.from_regex(PATTERNS["agent_id"], fullmatch=True)


def policy_for(agent_id):
    (text,) = re.findall(r"<!-- direct access:[^\n]*-->\n```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return json.loads(text.replace("market-hunter", agent_id))


def partitions(agent_id):
    return [
        keys.decision_pk(agent_id, "QUERY"),
        keys.decision_pk(agent_id, "QUERY", 3),
        keys.context_pk(agent_id, "trend=up|volatility=high", 1),
        keys.link_pk(agent_id, DECISION_ID),
        keys.memory_pk(agent_id, "PATTERN"),
        keys.history_pk(agent_id, "PATTERN"),
        agent_id,
    ]


def may_use(policy, action, resource, **context):
    return is_allowed(identity_statements(policy, **context), action, resource)


def table(name):
    return f"arn:aws:dynamodb:us-east-1:123456789012:table/{name}"


def test_the_page_shows_the_policy_that_the_construct_gives_a_role():
    arns = {name: table(f"agent-memory-{one.name}") for name, one in zip(NAMES, TABLES, strict=True)}
    assert policy_for("market-hunter") == direct_policy("market-hunter", **arns, bucket_arn=BUCKET)


@given(AGENT_IDS, AGENT_IDS)
def test_pools_are_read_or_written_and_only_their_memories(pool, other):
    assume(len({"market-hunter", pool, other}) == 3)
    arns = {name: table(f"agent-memory-{one.name}") for name, one in zip(NAMES, TABLES, strict=True)}
    for given_pools, may_write in (({"reads": [pool]}, False), ({"writes": [pool]}, True)):
        policy = direct_policy("market-hunter", **arns, bucket_arn=BUCKET, **given_pools)
        for name, is_pool in ((pool, True), (other, False)):
            key = {"dynamodb__LeadingKeys": [keys.memory_pk(name, "PATTERN")]}
            assert may_use(policy, "dynamodb:Query", arns["memories_arn"], **key) is is_pool
            assert may_use(policy, "dynamodb:PutItem", arns["memories_arn"], **key) is (is_pool and may_write)
            assert not may_use(policy, "dynamodb:Query", arns["decisions_arn"], **key)
            assert not may_use(policy, "dynamodb:Query", arns["states_arn"], dynamodb__LeadingKeys=[name])


@given(AGENT_IDS, AGENT_IDS)
def test_an_agent_uses_its_own_items_and_no_others(agent_id, other):
    assume(agent_id != other)
    policy = policy_for(agent_id)
    for one in TABLES:
        arns = [table(one.full_name("agent-memory"))]
        arns += [f"{arns[0]}/index/{index.name}" for index in one.indexes]
        for arn in arns:
            for own, foreign in zip(partitions(agent_id), partitions(other), strict=True):
                assert may_use(policy, "dynamodb:Query", arn, dynamodb__LeadingKeys=[own])
                assert not may_use(policy, "dynamodb:Query", arn, dynamodb__LeadingKeys=[foreign])
                assert not may_use(policy, "dynamodb:BatchGetItem", arn, dynamodb__LeadingKeys=[own, foreign])


@given(AGENT_IDS, AGENT_IDS)
def test_an_agent_uses_its_own_objects_and_no_others(agent_id, other):
    assume(agent_id != other)
    policy, day = policy_for(agent_id), date(2026, 11, 20)
    for name, is_own in ((agent_id, True), (other, False)):
        large = keys.large_part_key(name, DECISION_ID, "context", "0" * 64)
        for action, key in (
            ("s3:GetObject", large),
            ("s3:PutObject", large),
            ("s3:GetObject", keys.archive_file_key(name, day)),
            ("s3:RestoreObject", keys.archive_file_key(name, day)),
            ("s3:GetObject", keys.digest_key(name, day)),
            ("s3:GetObject", keys.digest_manifest_key(name)),
        ):
            assert may_use(policy, action, f"{BUCKET}/{key}") is is_own
        for prefix in (
            keys.archive_prefix(name),
            keys.archive_day_prefix(name, day),
            keys.digest_manifest_key(name),
        ):
            assert may_use(policy, "s3:ListBucket", BUCKET, s3__prefix=prefix) is is_own


@pytest.mark.parametrize(
    ("action", "resource", "context"),
    [
        ("dynamodb:Scan", table("agent-memory-agent_decisions"), {}),
        ("dynamodb:Query", table("agent-memory-agent_decisions"), {}),
        ("dynamodb:Query", table("agent-memory-dev-agent_decisions"), {"dynamodb__LeadingKeys": ["market-hunter"]}),
        ("dynamodb:DeleteItem", table("agent-memory-agent_state"), {"dynamodb__LeadingKeys": ["market-hunter"]}),
        ("s3:ListBucket", BUCKET, {}),
        ("s3:ListBucket", BUCKET, {"s3__prefix": ""}),
        ("s3:ListBucket", BUCKET, {"s3__prefix": "decisions/agent_id=market-hunter"}),
        ("s3:PutObject", f"{BUCKET}/decisions/agent_id=market-hunter/x", {}),
        ("s3:PutObject", f"{BUCKET}/digests/agent_id=market-hunter/manifest.json", {}),
        ("s3:GetObject", f"{BUCKET}/decisions/agent_id=market-hunter-2/x", {}),
        ("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:123456789012:function:agent-memory-api", {}),
        ("states:StartExecution", "arn:aws:states:us-east-1:123456789012:stateMachine:agent-memory-nightly", {}),
    ],
)
def test_what_is_not_an_agents_own_is_denied(action, resource, context):
    assert not may_use(policy_for("market-hunter"), action, resource, **context)
