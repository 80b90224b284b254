"""The stacks of Agent Memory, and a stack with an agent that uses them directly.

cd examples/direct_agent && cdk deploy --all
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # of the project, whose stacks these are

import stacks  # noqa: F401  chooses a Node.js, which has to happen before aws_cdk is imported

import aws_cdk as cdk  # isort: skip
from aws_cdk import aws_iam as iam  # isort: skip
from aws_cdk import aws_lambda as lambda_  # isort: skip

from stacks.application import Stacks, add_stacks
from stacks.base_stack import BaseStack
from stacks.config import DeployConfig
from stacks.constructs.acknowledge import acknowledge
from stacks.constructs.direct_agent_access import DirectAgentAccess
from stacks.constructs.function_layers import architecture, library_layers, runtime
from stacks.constructs.log_groups import log_group_for

AGENT_ID = "scout"
_ENI_POLICY = "service-role/AWSLambdaENIManagementAccess"
_FUNCTION = Path(__file__).with_name("function")


class ScoutStack(BaseStack):
    """The agent's function.

    Attributes:
        function: the function.
    """

    def __init__(self, scope: cdk.App, *, config: DeployConfig, memory: Stacks) -> None:
        after = [memory.storage, *([memory.cache] if memory.cache else [])]
        description = "An agent that uses Agent Memory directly"
        super().__init__(scope, AGENT_ID, config=config, description=description, after=after)
        name = f"{config.prefix}-{AGENT_ID}"
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        access = DirectAgentAccess(
            self,
            "Access",
            config=config,
            storage=memory.storage,
            cache=memory.cache,
            agent_id=AGENT_ID,
            role=role,
        )
        log_group = log_group_for(self, "Logs", f"/aws/lambda/{name}", config)
        log_group.grant_write(role)
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=name,
            description="Runs one cycle of the agent",
            runtime=runtime(config),
            architecture=architecture(config),
            code=lambda_.Code.from_asset(str(_FUNCTION), exclude=["__pycache__"]),
            handler="handler.handler",
            layers=library_layers(self, "Library", config=config),
            environment={"AGENT_ID": AGENT_ID, **access.environment},
            memory_size=512,
            timeout=cdk.Duration.seconds(60),
            role=role,
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            tracing=lambda_.Tracing.DISABLED,
            vpc=access.vpc,
            vpc_subnets=access.subnets if access.vpc else None,
            security_groups=access.security_groups or None,
        )
        if access.vpc:
            role.add_managed_policy(iam.ManagedPolicy.from_aws_managed_policy_name(_ENI_POLICY))
        self._acknowledge(role, in_vpc=access.vpc is not None)

    def _acknowledge(self, role: iam.Role, *, in_vpc: bool) -> None:
        for rule in ("AwsSolutions-L1", "Serverless-LambdaLatestVersion"):
            acknowledge(self.function, rule, "python3.13 is the latest runtime that the library is tested on.")
        acknowledge(
            self.function, "Serverless-LambdaDLQ", "Whoever invokes it waits for the answer, and sees its errors."
        )
        acknowledge(self.function, "Serverless-LambdaTracing", "Every invocation that is traced is charged.")
        if in_vpc:
            acknowledge(
                role,
                f"AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{_ENI_POLICY}]",
                "AWS maintains the list of network interface actions that a function in a VPC needs.",
            )


def build_app() -> cdk.App:
    """The app: a deployment in which the agent has a user of the cache, and the agent."""
    app = cdk.App()
    region = os.environ.get("CDK_DEFAULT_REGION")
    context = {**app.node.get_all_context(), "direct_agents": AGENT_ID}
    config = DeployConfig.from_context(context, default_region=region)
    ScoutStack(app, config=config, memory=add_stacks(app, config, default_region=region))
    return app


if __name__ == "__main__":
    build_app().synth()
