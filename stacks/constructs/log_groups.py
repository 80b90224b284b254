"""Log groups with the deployment's retention time."""

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.config import DeployConfig
from stacks.log_retention import LOG_RETENTION


def log_group_for(scope: Construct, construct_id: str, name: str, config: DeployConfig) -> logs.LogGroup:
    """Create a log group; it is deleted with its stack, so that the same name can be deployed again."""
    return logs.LogGroup(
        scope,
        construct_id,
        log_group_name=name,
        retention=logs.RetentionDays[LOG_RETENTION[config.log_retention_days]],
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
