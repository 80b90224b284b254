"""Creates the tables and the cache without a deployment of the stacks, with the same properties."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from agent_memory.storage.aws_errors import AWS_ERRORS, error_code, translate_error, translated_errors
from agent_memory.storage.schema import CACHE, TABLES, Index, Key, Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def table_request(table: Table, prefix: str) -> dict[str, Any]:
    """The parameters of `CreateTable`: on-demand capacity, encrypted with an AWS managed key."""
    parts: tuple[Table | Index, ...] = (table, *table.indexes)
    types = {key.name: key.type for part in parts for key in (part.partition, part.sort)}
    indexes = [
        {
            "IndexName": index.name,
            "KeySchema": _key_schema(index.partition, index.sort),
            "Projection": {"ProjectionType": index.projection},
        }
        for index in table.indexes
    ]
    return {
        "TableName": table.full_name(prefix),
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()],
        "KeySchema": _key_schema(table.partition, table.sort),
        "SSESpecification": {"Enabled": True},
        **({"GlobalSecondaryIndexes": indexes} if indexes else {}),
        **({"StreamSpecification": _stream(table.stream)} if table.stream else {}),
    }


def _stream(view: str) -> dict[str, Any]:
    return {"StreamEnabled": True, "StreamViewType": view}


def create_tables_if_not_exist(client: "DynamoDBClient", prefix: str) -> list[str]:
    """Create the missing tables, with time to live and point-in-time recovery; returns their names.

    Raises:
        Unavailable: DynamoDB did not respond or refused the request.
    """
    created = [table for table in TABLES if _create(client, table_request(table, prefix))]
    for table in created:
        name = table.full_name(prefix)
        with translated_errors("DynamoDB", name):
            client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
            client.update_time_to_live(
                TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": table.ttl_attribute}
            )
            client.update_continuous_backups(
                TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
            )
    return [table.full_name(prefix) for table in created]


def create_cache_if_not_exists(
    client: Any, name: str, *, node_type: str, subnet_group: str | None, security_group_ids: Sequence[str]
) -> str:
    """Create the cache if it is missing, wait until it is available, and return its endpoint as `host:port`.

    Raises:
        Unavailable: ElastiCache did not respond or refused the request.
    """
    network: dict[str, Any] = {"CacheSubnetGroupName": subnet_group} if subnet_group else {}
    network |= {"SecurityGroupIds": list(security_group_ids)} if security_group_ids else {}
    try:
        client.create_replication_group(
            ReplicationGroupId=name,
            ReplicationGroupDescription=CACHE.description,
            Engine=CACHE.engine,
            EngineVersion=CACHE.engine_version,
            CacheNodeType=node_type,
            NumCacheClusters=1,
            Port=CACHE.port,
            AtRestEncryptionEnabled=True,
            TransitEncryptionEnabled=True,
            AutomaticFailoverEnabled=False,
            **network,
        )
    except AWS_ERRORS as error:
        if not _has_code(error, "ReplicationGroupAlreadyExistsFault", "ReplicationGroupAlreadyExists"):
            raise translate_error(error, "ElastiCache", name) from error
    with translated_errors("ElastiCache", name):
        client.get_waiter("replication_group_available").wait(ReplicationGroupId=name)
        (group,) = client.describe_replication_groups(ReplicationGroupId=name)["ReplicationGroups"]
    endpoint = group["NodeGroups"][0]["PrimaryEndpoint"]
    return f"{endpoint['Address']}:{endpoint['Port']}"


def _create(client: "DynamoDBClient", request: Any) -> bool:
    """Create a table; returns False if it exists."""
    try:
        client.create_table(**request)
    except AWS_ERRORS as error:
        if _has_code(error, "ResourceInUseException"):
            return False
        raise translate_error(error, "DynamoDB", request["TableName"]) from error
    return True


def _has_code(error: Exception, *codes: str) -> bool:
    return isinstance(error, ClientError) and error_code(error) in codes


def _key_schema(partition: Key, sort: Key) -> list[dict[str, str]]:
    return [
        {"AttributeName": partition.name, "KeyType": "HASH"},
        {"AttributeName": sort.name, "KeyType": "RANGE"},
    ]
