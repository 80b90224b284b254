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


def vended_log_group_for(scope: Construct, construct_id: str, name: str, config: DeployConfig) -> logs.LogGroup:
    """Create the log group `/aws/vendedlogs/{name}`, to which a service delivers logs without a role.

    Unless the name begins so, such a service adds the group to one policy of the account, of at most 5,120 characters:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-CWL.html
    """
    return log_group_for(scope, construct_id, f"/aws/vendedlogs/{name}", config)
