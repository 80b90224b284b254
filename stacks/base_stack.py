"""The base class of all stacks."""

from collections.abc import Iterable

import aws_cdk as cdk
from constructs import Construct

from stacks.config import DeployConfig


class BaseStack(cdk.Stack):
    """A stack named `{prefix}-{name}` and tagged with its deployment; synthesis makes no calls to AWS.

    Args:
        scope: the app.
        name: what follows the prefix in the stack's name.
        config: settings of the deployment.
        description: what the stack is for.
        after: the stacks that have to be deployed before this one, because it uses their values.
    """

    def __init__(
        self, scope: Construct, name: str, *, config: DeployConfig, description: str, after: Iterable[cdk.Stack] = ()
    ) -> None:
        super().__init__(
            scope,
            f"{config.prefix}-{name}",
            description=description,
            env=cdk.Environment(account=config.account, region=config.region),
            synthesizer=cdk.CliCredentialsStackSynthesizer() if config.is_local else cdk.DefaultStackSynthesizer(),
            tags={"application": "agent-memory", "deployment": config.prefix, "environment": config.environment},
        )
        self.config = config
        for other in after:
            self.add_stack_dependency(other)

    @property
    def availability_zones(self) -> list[str]:
        """The region's first two zones, chosen by CloudFormation and not by a look-up at synthesis."""
        return [cdk.Fn.select(index, cdk.Fn.get_azs()) for index in range(2)]

    @property
    def data_removal_policy(self) -> cdk.RemovalPolicy:
        """Whether what holds data is retained when its stack is deleted.

        What a failed deployment has just created holds no data yet; it is deleted, so that the deployment can be
        repeated.
        """
        retained = cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
        return retained if self.config.data_outlives_stack else cdk.RemovalPolicy.DESTROY
