"""The product's stores on the stacks of a local cloud."""

from typing import Any

from agent_memory.ports.stores import Stores
from agent_memory.storage.factory import open_stores
from agent_memory.storage.redis.connection import redis_client_for
from local.cloud import LocalCloud


def stores_of(cloud: LocalCloud, *, dynamodb_client: Any = None) -> Stores:
    """The stores of the deployed stacks, optionally on the caller's own DynamoDB client."""
    session = cloud.boto_session()
    return open_stores(
        table_prefix=cloud.outputs["TablePrefix"],
        archive_bucket=cloud.outputs["ArchiveBucketName"],
        dynamodb_client=dynamodb_client or session.client("dynamodb"),
        s3_client=session.client("s3"),
        redis_client=redis_client_for(cloud.redis_endpoint),
    )
