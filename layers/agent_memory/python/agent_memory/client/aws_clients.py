"""`AWSMemoryClients`: clients for the memory system's stores, and the stores themselves where they are missing."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from agent_memory.storage.factory import DEFAULT_PREFIX, aws_client, redis_client_for
from agent_memory.storage.provisioning import create_cache_if_not_exists, create_tables_if_not_exist
from agent_memory.storage.schema import CACHE

if TYPE_CHECKING:
    from redis import Redis

DEFAULT_REGION = "us-east-1"


class AWSMemoryClients:
    """Connections to the stores of a memory system, made as boto3 finds credentials and endpoints.

    `cdk deploy` makes tables and cache with everything around them. The two methods that create are for trying things
    out, and for accounts that are set up by other means.
    """

    @staticmethod
    def get_dynamodb_client(region: str = DEFAULT_REGION) -> Any:
        """A DynamoDB client with connections enough for requests side by side."""
        return aws_client("dynamodb", region=region)

    @staticmethod
    def get_redis_client(cluster_endpoint: str, *, tls: bool = False) -> "Redis":
        """A client of the cache at `host:port` that gives up after a fifth of a second.

        Raises:
            InvalidInput: not `host:port`.
        """
        return redis_client_for(cluster_endpoint, tls=tls)

    @staticmethod
    def get_s3_client(region: str = DEFAULT_REGION) -> Any:
        """An S3 client for the archive."""
        return aws_client("s3", region=region)

    @staticmethod
    def create_tables_if_not_exist(
        table_prefix: str = DEFAULT_PREFIX, *, region: str = DEFAULT_REGION, dynamodb_client: Any = None
    ) -> list[str]:
        """Make the tables that are missing, as the stacks make them; returns the names of those that were made.

        Raises:
            Unavailable: DynamoDB did not respond, or refused.
        """
        return create_tables_if_not_exist(dynamodb_client or aws_client("dynamodb", region=region), table_prefix)

    @staticmethod
    def create_redis_cache_if_not_exist(
        name: str = DEFAULT_PREFIX,
        *,
        node_type: str = CACHE.node_type,
        subnet_group: str | None = None,
        security_group_ids: Sequence[str] = (),
        region: str = DEFAULT_REGION,
        elasticache_client: Any = None,
    ) -> str:
        """Make the cache if it is missing and return its endpoint, `host:port`; takes some minutes in AWS.

        It is encrypted at rest and on the way: connect with `tls=True`.

        Raises:
            Unavailable: ElastiCache did not respond, or refused.
        """
        return create_cache_if_not_exists(
            elasticache_client or aws_client("elasticache", region=region),
            name,
            node_type=node_type,
            subnet_group=subnet_group,
            security_group_ids=security_group_ids,
        )
