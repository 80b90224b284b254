"""What a function needs to recall as the settings say: environment variables, and a permission for the embedder."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from agent_memory.model.recall_weights import WEIGHTS_VARIABLE
from agent_memory.storage.embedders import EMBEDDER_VARIABLE
from agent_memory.storage.embedders.bedrock import MODEL
from stacks.config import DeployConfig
from stacks.constructs.agent_function import AgentFunction

INVOKE = "bedrock:InvokeModel"


def recall_environment(config: DeployConfig) -> Mapping[str, str]:
    """The variables that name the embedder and set the weights; empty by default."""
    embedder = {} if config.embedder == "off" else {EMBEDDER_VARIABLE: config.embedder}
    return {**embedder, **({WEIGHTS_VARIABLE: config.recall_weights} if config.recall_weights else {})}


def allow_embedder(function: AgentFunction) -> None:
    """Allow a function to invoke the embedder's model, and no other."""
    if function.config.embedder == "bedrock":
        arn = model_arn(cdk.Stack.of(function))
        function.add_to_role_policy(iam.PolicyStatement(actions=[INVOKE], resources=[arn]))


def model_arn(stack: cdk.Stack) -> str:
    """The ARN of the embedder's model, which belongs to no account."""
    return stack.format_arn(service="bedrock", account="", resource="foundation-model", resource_name=MODEL)
