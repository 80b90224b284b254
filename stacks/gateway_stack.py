"""Gateway: one agent's tools at a gateway of Amazon Bedrock AgentCore, for each agent that the settings name."""

import hashlib

import aws_cdk as cdk
from aws_cdk import aws_bedrockagentcore as agentcore
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from agent_memory.client.tools.catalog import allowed_tools
from agent_memory.client.tools.gateway_schema import gateway_schema
from agent_memory.client.tools.results import NOTICE
from agent_memory.core.ids import alias_of
from stacks.base_stack import BaseStack
from stacks.cache_stack import CacheStack
from stacks.config import DeployConfig
from stacks.constructs.agent_function import AgentFunction
from stacks.constructs.cache_access import allow_cache, cache_environment, cache_network
from stacks.constructs.embedder_access import allow_embedder, recall_environment
from stacks.constructs.permissions import allow_agents_calls
from stacks.storage_stack import StorageStack

TARGET = "memory"
"""The target's name, which comes before that of each tool: `memory___record_decision`."""

_MAX_NAME = 48
_DIGEST = 8


class GatewayStack(BaseStack):
    """A gateway for each agent of `gateway_agents`, and the function behind all of them.

    Who may call a gateway acts as its agent: AWS_IAM is its authorizer, and the permission is
    `bedrock-agentcore:InvokeGateway` on its ARN. The gateway's role may invoke the function by the alias of that agent
    only, from which the function knows the agent.

    Attributes:
        function: the function behind the gateways.
        gateways: the gateway of each agent.
    """

    def __init__(
        self, scope: Construct, *, config: DeployConfig, storage: StorageStack, cache: CacheStack | None
    ) -> None:
        after = [storage, *([cache] if cache else [])]
        super().__init__(
            scope, "gateway", config=config, description="Agent Memory: tools for AgentCore Gateway", after=after
        )
        self.function = AgentFunction(
            self,
            "Gateway",
            config=config,
            name="gateway",
            description="Tools of Agent Memory behind AgentCore Gateway",
            environment={
                "AGENT_MEMORY_ARCHIVE_BUCKET": storage.archive_name,
                "AGENT_MEMORY_WRITE_SHARDS": str(config.write_shards),
                "AGENT_MEMORY_GATEWAY_READ_ONLY": str(config.gateway_read_only).lower(),
                **cache_environment(config, cache),
                **recall_environment(config),
            },
            memory_mb=1024,
            timeout_seconds=60,
            network=cache_network(config, cache),
            traced=config.trace_requests,
        )
        allow_cache(self.function, cache)
        allow_embedder(self.function)
        allow_agents_calls(self.function, storage)
        self._tools = gateway_schema(allowed_tools(read_only=config.gateway_read_only))
        self.gateways = {agent_id: self._gateway(agent_id) for agent_id in config.gateway_agent_ids}

    def _gateway(self, agent_id: str) -> agentcore.CfnGateway:
        scope = Construct(self, alias_of(agent_id))
        alias = lambda_.CfnAlias(
            scope,
            "Alias",
            function_name=self.function.function_name,
            function_version="$LATEST",
            name=alias_of(agent_id),
            description=f"The gateway of agent {agent_id}",
        )
        name = gateway_name(self.config.prefix, agent_id)
        role = self._role(scope, name, alias)
        gateway = agentcore.CfnGateway(
            scope,
            "Gateway",
            name=name,
            description=f"Decision log and memory of agent {agent_id}",
            authorizer_type="AWS_IAM",
            protocol_type="MCP",
            protocol_configuration=agentcore.CfnGateway.GatewayProtocolConfigurationProperty(
                mcp=agentcore.CfnGateway.MCPGatewayConfigurationProperty(
                    instructions=f"The decision log and memory of the agent {agent_id}. Record each decision before "
                    f"acting on it, and its outcome once it is known. {NOTICE}"
                )
            ),
            role_arn=role.role_arn,
        )
        target = agentcore.CfnGatewayTarget(
            scope,
            "Target",
            gateway_identifier=gateway.attr_gateway_identifier,
            name=TARGET,
            description="The tools",
            credential_provider_configurations=[{"credentialProviderType": "GATEWAY_IAM_ROLE"}],
            target_configuration={
                "mcp": {"lambda": {"lambdaArn": alias.ref, "toolSchema": {"inlinePayload": self._tools}}}
            },
        )
        target.node.add_dependency(role)  # with its policy, which AgentCore checks
        cdk.CfnOutput(scope, "Arn", value=gateway.attr_gateway_arn, description=f"Gateway of agent {agent_id}: ARN")
        cdk.CfnOutput(scope, "Url", value=gateway.attr_gateway_url, description=f"Gateway of agent {agent_id}: MCP")
        return gateway

    def _role(self, scope: Construct, name: str, alias: lambda_.CfnAlias) -> iam.Role:
        """The role of one gateway, which AgentCore may assume for that gateway only.

        https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/gateway-prerequisites-permissions.html
        """
        arn = self.format_arn(service="bedrock-agentcore", resource="gateway", resource_name=f"{name}-*")
        conditions = {"StringEquals": {"aws:SourceAccount": self.account}, "ArnLike": {"aws:SourceArn": arn}}
        role = iam.Role(
            scope, "Role", assumed_by=iam.ServicePrincipal("bedrock-agentcore.amazonaws.com", conditions=conditions)
        )
        role.add_to_policy(iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[alias.ref]))
        return role


def gateway_name(prefix: str, agent_id: str) -> str:
    """The name of an agent's gateway: letters, digits and single hyphens, at most 48, and no two agents share one."""
    written = "-".join(filter(None, "".join(c if c.isalnum() else "-" for c in f"{prefix}-{agent_id}").split("-")))
    if written == f"{prefix}-{agent_id}" and len(written) <= _MAX_NAME:
        return written
    digest = hashlib.sha256(agent_id.encode()).hexdigest()[:_DIGEST]
    return f"{written[: _MAX_NAME - _DIGEST - 1].rstrip('-')}-{digest}"
