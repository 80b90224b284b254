"""The IAM policy for an agent that uses tables, bucket and cache itself, in the deployment's VPC.

DynamoDB judges the partition keys of a request, S3 the object's key, and the cache its user: the policy names those of
one agent. `market-hunter*` instead of two patterns would also match `market-hunter-2`. `ForAllValues` alone also holds
where a request has no keys, as a Scan, therefore `Null`.
"""

from collections.abc import Sequence
from typing import Any

from agent_memory.core.ids import check_agent_id, check_pools
from agent_memory.core.keys import DIGESTS

_READ = ("BatchGetItem", "GetItem", "Query")
_WRITE = ("PutItem", "UpdateItem")
_STATEMENTS = ("PartiQLInsert", "PartiQLUpdate")


def direct_policy(
    agent_id: str,
    *,
    decisions_arn: str,
    memories_arn: str,
    states_arn: str,
    bucket_arn: str,
    cache_arns: Sequence[str] = (),
    reads: Sequence[str] = (),
    writes: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the policy document for the role of one agent.

    Args:
        agent_id: the agent.
        decisions_arn: of the table of decisions.
        memories_arn: of the table of memories.
        states_arn: of the table of states.
        bucket_arn: of the archive.
        cache_arns: of the cache and of the agent's own user of it; without them it may not connect.
        reads: pools whose long-term memory it may read.
        writes: pools whose long-term memory it may read and write.

    Raises:
        InvalidInput: names the argument.
    """
    check_agent_id(agent_id)
    prefixes = [f"{folder}agent_id={agent_id}/*" for folder in ("decisions/", "large/", DIGESTS)]
    of_memories = [memories_arn, f"{memories_arn}/index/*"]
    own = [decisions_arn, f"{decisions_arn}/index/*", *of_memories, states_arn]
    statements = [
        _items("OwnItems", (*_READ, *_STATEMENTS, *_WRITE), own, [agent_id, f"{agent_id}#*"]),
        _statement("OwnObjects", ["s3:GetObject", "s3:PutObject"], f"{bucket_arn}/large/agent_id={agent_id}/*"),
        _statement("OwnArchive", ["s3:GetObject", "s3:RestoreObject"], f"{bucket_arn}/decisions/agent_id={agent_id}/*"),
        _statement("OwnDigests", "s3:GetObject", f"{bucket_arn}/{DIGESTS}agent_id={agent_id}/*"),
        _statement("OwnKeys", "s3:ListBucket", bucket_arn) | {"Condition": {"StringLike": {"s3:prefix": prefixes}}},
    ]
    if cache_arns:
        statements.append(_statement("OwnCacheUser", "elasticache:Connect", list(cache_arns)))
    if pools := check_pools(reads):
        statements.append(_items("ReadPools", _READ, of_memories, [f"{pool}#*" for pool in pools]))
    if pools := check_pools(writes):
        statements.append(_items("WritePools", (*_READ, *_WRITE), of_memories, [f"{pool}#*" for pool in pools]))
    return {"Version": "2012-10-17", "Statement": statements}


def _items(sid: str, actions: Sequence[str], resources: list[str], keys: list[str]) -> dict[str, Any]:
    allowed = _statement(sid, [f"dynamodb:{action}" for action in sorted(actions)], resources)
    leading = "dynamodb:LeadingKeys"
    return allowed | {"Condition": {"ForAllValues:StringLike": {leading: keys}, "Null": {leading: "false"}}}


def _statement(sid: str, actions: str | list[str], resources: str | list[str]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}
