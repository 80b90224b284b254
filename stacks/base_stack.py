"""The base class of all stacks."""

from typing import Any

import aws_cdk as cdk
from constructs import Construct

from stacks.config import DeployConfig


class BaseStack(cdk.Stack):
    """A stack named `{prefix}-{name}` and tagged with its deployment; synthesis makes no calls to AWS."""

    def __init__(self, scope: Construct, name: str, *, config: DeployConfig, description: str, **kwargs: Any) -> None:
        super().__init__(
            scope,
            f"{config.prefix}-{name}",
            description=description,
            env=cdk.Environment(account=config.account, region=config.region),
            synthesizer=cdk.CliCredentialsStackSynthesizer() if config.is_local else cdk.DefaultStackSynthesizer(),
            tags={"application": "agent-memory", "deployment": config.prefix, "environment": config.environment},
            **kwargs,
        )
        self.config = config

    @property
    def availability_zones(self) -> list[str]:
        """The region's first two zones, chosen by CloudFormation and not by a look-up at synthesis."""
        return [cdk.Fn.select(index, cdk.Fn.get_azs()) for index in range(2)]

    @property
    def data_removal_policy(self) -> cdk.RemovalPolicy:
        """Whether what holds data is retained when its stack is deleted."""
        return cdk.RemovalPolicy.RETAIN if self.config.data_outlives_stack else cdk.RemovalPolicy.DESTROY
