"""A private bucket for data that has to be kept."""

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3

from stacks.base_stack import BaseStack


class DataBucket(s3.Bucket):
    """A versioned bucket without public access, reached over TLS only and retained with the deployment's data."""

    def __init__(
        self, stack: BaseStack, construct_id: str, *, lifecycle_rules: Sequence[s3.LifecycleRule], **settings: Any
    ) -> None:
        # The local cloud's endpoint is plain HTTP on this machine.
        has_tls = not stack.config.is_local
        super().__init__(
            stack,
            construct_id,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=has_tls,
            minimum_tls_version=1.2 if has_tls else None,
            versioned=True,
            lifecycle_rules=lifecycle_rules,
            removal_policy=stack.data_removal_policy,
            **settings,
        )


def move_to_glacier(
    rule_id: str, *, after_days: int, expire_after_days: int, prefix: str | None = None
) -> s3.LifecycleRule:
    """A lifecycle rule that moves objects to Glacier Flexible Retrieval and later deletes them."""
    transition = s3.Transition(storage_class=s3.StorageClass.GLACIER, transition_after=cdk.Duration.days(after_days))
    expiration = cdk.Duration.days(expire_after_days)
    return s3.LifecycleRule(id=rule_id, prefix=prefix, transitions=[transition], expiration=expiration)
