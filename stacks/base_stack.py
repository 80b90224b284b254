"""What every stack of a deployment has in common."""

from typing import Any

import aws_cdk as cdk
from constructs import Construct

from stacks.config import DeployConfig


class BaseStack(cdk.Stack):
    """A stack named `{prefix}-{name}`, tagged with its deployment, that asks AWS nothing at synthesis."""

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
