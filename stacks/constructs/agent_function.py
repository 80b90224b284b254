"""The construct of all Lambda functions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks import PROJECT
from stacks.config import DeployConfig
from stacks.constructs.acknowledge import acknowledge
from stacks.constructs.function_layers import architecture, function_layers, runtime
from stacks.constructs.log_groups import log_group_for

_ENI_POLICY = "service-role/AWSLambdaENIManagementAccess"


@dataclass(frozen=True, slots=True)
class Network:
    """The VPC and the security group of a function."""

    vpc: ec2.IVpc
    security_group: ec2.ISecurityGroup


class AgentFunction(lambda_.Function):
    """The function `lambdas/{name}`, with its layers, JSON logs, tracing, and a role without permissions.

    Attributes:
        config: settings of the deployment.
        execution_role: the role, which no other function has.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: DeployConfig,
        name: str,
        description: str,
        environment: Mapping[str, str],
        memory_mb: int,
        timeout_seconds: int,
        network: Network | None = None,
        reserved_concurrency: int = 0,
        traced: bool = True,
    ) -> None:
        full_name = f"{config.prefix}-{name}"
        log_group = log_group_for(scope, f"{construct_id}Logs", f"/aws/lambda/{full_name}", config)

        role = _role(scope, construct_id, in_vpc=network is not None)
        log_group.grant_write(role)
        super().__init__(
            scope,
            construct_id,
            function_name=full_name,
            description=description,
            runtime=runtime(config),
            architecture=architecture(config),
            code=lambda_.Code.from_asset(
                str(PROJECT / "lambdas" / name), exclude=["__pycache__", "*.pyc", "event*.json"]
            ),
            handler="handler.handler",
            layers=function_layers(scope, f"{construct_id}Package", name=name, config=config),
            environment={**_common_environment(config, name), **environment},
            memory_size=memory_mb,
            timeout=cdk.Duration.seconds(timeout_seconds),
            role=role,
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            # Of the lines that Lambda itself writes, only those on failures: start and report of each invocation would
            # be a third of all logs, and their durations are metrics of Lambda.
            system_log_level_v2=lambda_.SystemLogLevel.WARN,
            application_log_level_v2=_least_level(config),
            tracing=lambda_.Tracing.ACTIVE if traced else lambda_.Tracing.DISABLED,
            # The local cloud ignores it silently.
            reserved_concurrent_executions=None if config.is_local else reserved_concurrency or None,
            **_placement(network),
        )
        self.config = config
        self.execution_role = role
        _acknowledge(self, role, in_vpc=network is not None, traced=traced)


def _least_level(config: DeployConfig) -> lambda_.ApplicationLogLevel:
    """The level below which Lambda drops lines; the function's logger drops what is below the setting `log_level`.

    Never above INFO: Lambda takes a line without a level for one of INFO, as are the lines that contain metrics.
    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
    """
    return lambda_.ApplicationLogLevel.DEBUG if config.log_level == "DEBUG" else lambda_.ApplicationLogLevel.INFO


def _common_environment(config: DeployConfig, name: str) -> dict[str, str]:
    return {
        "AGENT_MEMORY_TABLE_PREFIX": config.prefix,
        "POWERTOOLS_SERVICE_NAME": name,
        "POWERTOOLS_METRICS_NAMESPACE": config.metrics_namespace,
        "POWERTOOLS_LOG_LEVEL": config.log_level,
        # Threads of NumPy would spend the processor's time on waiting for each other: the matrices are small.
        "OPENBLAS_NUM_THREADS": "1",
    }


def _role(scope: Construct, construct_id: str, *, in_vpc: bool) -> iam.Role:
    role = iam.Role(scope, f"{construct_id}Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    if in_vpc:
        role.add_managed_policy(iam.ManagedPolicy.from_aws_managed_policy_name(_ENI_POLICY))
    return role


def _placement(network: Network | None) -> dict[str, Any]:
    if network is None:
        return {}
    return {
        "vpc": network.vpc,
        "vpc_subnets": ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
        "security_groups": [network.security_group],
    }


def _acknowledge(function: lambda_.Function, role: iam.Role, *, in_vpc: bool, traced: bool) -> None:
    for rule in ("AwsSolutions-L1", "Serverless-LambdaLatestVersion"):
        acknowledge(
            function,
            rule,
            "python3.13 is the latest runtime that the code is tested on; AWS supports it until 2029.",
        )
    acknowledge(
        function,
        "Serverless-LambdaDLQ",
        "Lambda uses such a queue for asynchronous invocations only. API Gateway and Step Functions wait for the "
        "response, and the latter keeps the error in the history of the execution.",
    )
    if traced:
        acknowledge(
            role,
            "AwsSolutions-IAM5[Resource::*]",
            "X-Ray's write actions do not support resources: xray:PutTraceSegments and xray:PutTelemetryRecords only.",
        )
    else:
        acknowledge(
            function,
            "Serverless-LambdaTracing",
            "Tracing costs as much as all else that a request does; the setting "
            "trace_requests switches it on. Durations and errors are in metrics and in the access log.",
        )
    if in_vpc:
        acknowledge(
            role,
            f"AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{_ENI_POLICY}]",
            "AWS maintains the list of network interface actions that a function in a VPC needs.",
        )
