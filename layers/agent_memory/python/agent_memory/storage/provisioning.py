"""Makes the tables and the cache where no stacks were deployed: exactly what the stacks would make."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from agent_memory.core.errors import Unavailable
from agent_memory.storage.aws_errors import error_code, unavailable
from agent_memory.storage.schema import CACHE, TABLES, Index, Key, Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def table_request(table: Table, prefix: str) -> dict[str, Any]:
    """What `CreateTable` is asked for: on demand, encrypted with a key of AWS's."""
    parts: tuple[Table | Index, ...] = (table, *table.indexes)
    types = {key.name: key.type for part in parts for key in (part.partition, part.sort)}
    indexes = [
        {
            "IndexName": index.name,
            "KeySchema": _key_schema(index.partition, index.sort),
            "Projection": {"ProjectionType": "KEYS_ONLY"},
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
    }


def create_tables_if_not_exist(client: "DynamoDBClient", prefix: str) -> list[str]:
    """Make the tables that are missing, with time to live and recovery to any point; returns their names.

    Raises:
        Unavailable: DynamoDB did not answer, or refused.
    """
    made = [table for table in TABLES if _create(client, table_request(table, prefix))]
    for table in made:
        name = table.full_name(prefix)
        with unavailable("DynamoDB"):
            client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
            client.update_time_to_live(
                TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": table.ttl_attribute}
            )
            client.update_continuous_backups(
                TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
            )
    return [table.full_name(prefix) for table in made]


def create_cache_if_not_exists(
    client: Any, name: str, *, node_type: str, subnet_group: str | None, security_group_ids: Sequence[str]
) -> str:
    """Make the cache if it is missing, wait until it can be used, and return its endpoint as `host:port`.

    Raises:
        Unavailable: ElastiCache did not answer, or refused.
    """
    placed: dict[str, Any] = {"CacheSubnetGroupName": subnet_group} if subnet_group else {}
    placed |= {"SecurityGroupIds": list(security_group_ids)} if security_group_ids else {}
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
            **placed,
        )
    except ClientError as error:
        if error_code(error) not in ("ReplicationGroupAlreadyExistsFault", "ReplicationGroupAlreadyExists"):
            raise Unavailable(f"ElastiCache refused the request: {error_code(error)}") from error
    with unavailable("ElastiCache"):
        client.get_waiter("replication_group_available").wait(ReplicationGroupId=name)
        (group,) = client.describe_replication_groups(ReplicationGroupId=name)["ReplicationGroups"]
    endpoint = group["NodeGroups"][0]["PrimaryEndpoint"]
    return f"{endpoint['Address']}:{endpoint['Port']}"


def _create(client: "DynamoDBClient", request: Any) -> bool:
    """Whether a table was made; False where there was one."""
    try:
        client.create_table(**request)
    except ClientError as error:
        if error_code(error) == "ResourceInUseException":
            return False
        raise Unavailable(f"DynamoDB refused the request: {error_code(error)}") from error
    return True


def _key_schema(partition: Key, sort: Key) -> list[dict[str, str]]:
    return [
        {"AttributeName": partition.name, "KeyType": "HASH"},
        {"AttributeName": sort.name, "KeyType": "RANGE"},
    ]
