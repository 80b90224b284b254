"""Managed policies for the roles of agents: their paths of the API, the memory of their pools, direct invocations."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigw
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from agent_memory.admin.agent_policy import AGENT_TAG, agent_policy, agent_policy_by_tag, invocation_policy
from agent_memory.core.ids import alias_of

# A placeholder of the API's ARN, which is only known at deployment. It is as long as the longest one, so that a policy
# which fits into IAM's limit with it also fits with the ARN.
_FUNCTION_PLACEHOLDER = "arn:aws:lambda:us-east-1:000000000000:function:placeholder"
_PLACEHOLDER = "arn:aws-iso-f:execute-api:us-isof-south-1:000000000000:aaaaaaaaaa"


class AgentAccess(iam.ManagedPolicy):
    """A policy for the role that an agent runs as; see `agent_memory.admin.agent_policy`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        api: apigw.IHttpApi,
        agent_id: str,
        reads: Sequence[str] = (),
        writes: Sequence[str] = (),
    ) -> None:
        policy = agent_policy(_PLACEHOLDER, agent_id, reads=reads, writes=writes)
        super().__init__(
            scope,
            construct_id,
            description=f"The calls of Agent Memory that agent {agent_id} may make",
            document=_document(api, policy),
        )


class TaggedAgentAccess(iam.ManagedPolicy):
    """One policy for the roles of all agents, each of which has the tag `agent_id`; see docs/security.md."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        api: apigw.IHttpApi,
        reads: Sequence[str] = (),
        writes: Sequence[str] = (),
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            description=f"The calls of Agent Memory that the agent in the tag {AGENT_TAG} may make",
            document=_document(api, agent_policy_by_tag(_PLACEHOLDER, reads=reads, writes=writes)),
        )


def _document(api: apigw.IHttpApi, policy: Mapping[str, Any]) -> iam.PolicyDocument:
    arn = cdk.Stack.of(api).format_arn(service="execute-api", resource=api.api_id)
    return iam.PolicyDocument.from_json(json.loads(json.dumps(policy).replace(_PLACEHOLDER, arn)))


class InvocationAccess(Construct):
    """An agent's alias of the API's function, and a policy for the role that invokes the function by it.

    The alias tells the function which agent invokes it; see `agent_memory.admin.agent_policy.invocation_policy`.

    Attributes:
        alias_arn: what the agent passes as `FunctionName`.
        policy: the policy for its role.
    """

    def __init__(self, scope: Construct, construct_id: str, *, function: lambda_.IFunction, agent_id: str) -> None:
        super().__init__(scope, construct_id)
        name = alias_of(agent_id)
        alias = lambda_.CfnAlias(
            self,
            "Alias",
            function_name=function.function_name,
            function_version="$LATEST",  # each deployment of the function is in effect at once, as for the HTTP API
            name=name,
            description=f"Direct invocations by agent {agent_id}",
        )
        self.alias_arn = alias.ref
        document = invocation_policy(_FUNCTION_PLACEHOLDER, agent_id)
        text = json.dumps(document).replace(f"{_FUNCTION_PLACEHOLDER}:{name}", self.alias_arn)
        self.policy = iam.ManagedPolicy(
            self,
            "Policy",
            description=f"Direct invocations of Agent Memory by agent {agent_id}",
            document=iam.PolicyDocument.from_json(json.loads(text)),
        )
