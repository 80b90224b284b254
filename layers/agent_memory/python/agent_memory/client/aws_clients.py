"""`AWSMemoryClients`: clients of the AWS services, and methods that create missing tables and the cache."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from agent_memory.storage.factory import DEFAULT_PREFIX, aws_client
from agent_memory.storage.provisioning import create_cache_if_not_exists, create_tables_if_not_exist
from agent_memory.storage.redis.connection import redis_client_for
from agent_memory.storage.schema import CACHE

if TYPE_CHECKING:
    from redis import Redis

DEFAULT_REGION = "us-east-1"


class AWSMemoryClients:
    """Clients of the stores, with the credentials and endpoints that boto3 finds.

    `cdk deploy` creates tables, cache and everything else. The two methods that create resources are for experiments,
    and for accounts that are set up by other means.
    """

    @staticmethod
    def get_dynamodb_client(region: str = DEFAULT_REGION) -> Any:
        """A DynamoDB client with enough connections for concurrent requests."""
        return aws_client("dynamodb", region=region)

    @staticmethod
    def get_redis_client(cluster_endpoint: str, *, tls: bool = False) -> "Redis":
        """A client of the cache at `host:port`, or at a URL, with a timeout of 0.2 seconds.

        Raises:
            InvalidInput: `cluster_endpoint` is neither; see `storage.redis.address`.
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
        """Create the tables that are missing, as the stacks define them; returns the names of the created tables.

        Raises:
            Unavailable: DynamoDB did not respond, or rejected the request.
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
        """Create the cache if it does not exist and return its endpoint, `host:port`; takes some minutes in AWS.

        It is encrypted at rest and in transit: connect with `tls=True`.

        Raises:
            Unavailable: ElastiCache did not respond, or rejected the request.
        """
        return create_cache_if_not_exists(
            elasticache_client or aws_client("elasticache", region=region),
            name,
            node_type=node_type,
            subnet_group=subnet_group,
            security_group_ids=security_group_ids,
        )
