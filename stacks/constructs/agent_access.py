"""Managed policies for the roles of agents: their own paths of the API and the memory of their pools."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigw
from aws_cdk import aws_iam as iam
from constructs import Construct

from agent_memory.admin.agent_policy import AGENT_TAG, agent_policy, agent_policy_by_tag

# A placeholder of the API's ARN, which is only known at deployment. It is as long as the longest one, so that a policy
# which fits into IAM's limit with it also fits with the ARN.
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
