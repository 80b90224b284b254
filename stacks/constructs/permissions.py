"""Least-privilege permissions: the actions that a function uses, on the tables, indexes and prefixes that it uses."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from agent_memory.core.keys import CROWDING_PREFIX, DIGESTS
from agent_memory.storage import schema
from stacks.constructs.acknowledge import acknowledge, quoted
from stacks.constructs.agent_function import AgentFunction
from stacks.storage_stack import StorageStack

_READING = ("Decrypt", "DescribeKey")
_WRITING = (*_READING, "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo")
_ON_DECISIONS = ("BatchGetItem", "GetItem", "PartiQLInsert", "PartiQLUpdate", "PutItem", "Query", "UpdateItem")
_ON_MEMORIES = ("BatchGetItem", "GetItem", "PutItem", "Query", "UpdateItem")
_ON_STATES = ("GetItem", "PutItem", "Query", "UpdateItem")
_TABLE_READS = frozenset({"BatchGetItem", "GetItem", "Query", "Scan"})


def allow_agents_calls(function: AgentFunction, storage: StorageStack) -> None:
    """Allow a function what agents ask for: their log, memory and states, and to read their archive."""
    allow_on_table(function, storage.decisions, _ON_DECISIONS, indexes=schema.DECISIONS.indexes)
    allow_on_table(function, storage.memories, _ON_MEMORIES, indexes=schema.MEMORIES.indexes)
    allow_on_table(function, storage.states, _ON_STATES)
    allow_on_objects(function, storage, ["GetObject", "RestoreObject"], prefix="decisions/")
    allow_on_objects(function, storage, ["GetObject", "PutObject"], prefix="large/")
    allow_on_objects(function, storage, ["GetObject"], prefix=DIGESTS)
    allow_on_objects(function, storage, ["GetObject"], prefix=CROWDING_PREFIX)


def allow_on_table(
    function: AgentFunction, table: dynamodb.ITable, actions: Sequence[str], *, indexes: Sequence[schema.Index] = ()
) -> None:
    """Allow a function to perform actions, such as "GetItem", on a table, and to query these indexes."""
    function.add_to_role_policy(
        iam.PolicyStatement(
            actions=[f"dynamodb:{action}" for action in actions],
            resources=[table.table_arn],
        )
    )
    if indexes:
        function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["dynamodb:Query"],
                resources=[f"{table.table_arn}/index/{index.name}" for index in indexes],
            )
        )
    _allow_key(function, table.encryption_key, service="dynamodb", writes=not _TABLE_READS.issuperset(actions))
    if function.config.is_local and any(action.startswith("PartiQL") for action in actions):
        # AWS authorizes each statement of a batch; the local cloud authorizes the batch request itself.
        function.add_to_role_policy(iam.PolicyStatement(actions=["dynamodb:BatchExecuteStatement"], resources=["*"]))


def allow_on_objects(function: AgentFunction, storage: StorageStack, actions: Sequence[str], *, prefix: str) -> None:
    """Allow a function to perform actions, such as "GetObject", on the archive's objects below a prefix, "decisions/".

    Permission to read comes with permission to list the bucket: without it, S3 answers a read of a missing object with
    "access denied" instead of "no such key". A condition on the prefix would not help: a read does not name one.
    """
    stack = cdk.Stack.of(function)
    bucket_arn = storage.archive_arn
    function.add_to_role_policy(
        iam.PolicyStatement(actions=[f"s3:{action}" for action in actions], resources=[f"{bucket_arn}/{prefix}*"])
    )
    if "GetObject" in actions:
        function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["s3:ListBucket"],
                resources=[bucket_arn],
            )
        )
    _allow_key(function, storage.key, service="s3", writes="PutObject" in actions)
    acknowledge(
        function.execution_role,
        f"AwsSolutions-IAM5[Resource::{quoted(stack, bucket_arn)}/{prefix}*]",
        "The keys below this prefix are created at run time; nothing outside the prefix can be reached.",
    )


def allow_anchors(function: AgentFunction, bucket: str) -> None:
    """Allow a function to add anchors to a bucket of another account, and to read those that are there."""
    arn = f"arn:{function.stack.partition}:s3:::{bucket}/anchors/*"
    function.add_to_role_policy(iam.PolicyStatement(actions=["s3:GetObject", "s3:PutObject"], resources=[arn]))
    acknowledge(
        function.execution_role,
        f"AwsSolutions-IAM5[Resource::{quoted(function.stack, arn)}]",
        "The keys below this prefix are created at run time; nothing outside the prefix can be reached.",
    )


def _allow_key(function: AgentFunction, key: kms.IKey | None, *, service: str, writes: bool) -> None:
    """Allow a function to use the deployment's own key, where there is one, but only through a service.

    The service uses the key on behalf of its caller:
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
    """
    if key is not None:
        function.add_to_role_policy(key_statement(key, function.stack, service=service, writes=writes))


def key_statement(key: kms.IKey, stack: cdk.Stack, *, service: str, writes: bool) -> iam.PolicyStatement:
    """Permission to use a key only through a service, such as "s3", of a stack's region.

    The name of a service ends as addresses do in the region's partition: amazonaws.com.cn in China.
    """
    return iam.PolicyStatement(
        actions=[f"kms:{action}" for action in (_WRITING if writes else _READING)],
        resources=[key.key_arn],
        conditions={"StringEquals": {"kms:ViaService": f"{service}.{stack.region}.{stack.url_suffix}"}},
    )
