"""A managed policy for the role of one agent: its own paths of the API and the memory of its pools."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigw
from aws_cdk import aws_iam as iam
from constructs import Construct

from agent_memory.admin.agent_policy import agent_policy

# A placeholder of the API's ARN, which is only known at deployment.
_PLACEHOLDER = "arn:aws:execute-api:region:000000000000:api"


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
        arn = cdk.Stack.of(scope).format_arn(service="execute-api", resource=api.api_id)
        statements = agent_policy(_PLACEHOLDER, agent_id, reads=reads, writes=writes)["Statement"]
        super().__init__(
            scope,
            construct_id,
            description=f"The calls of Agent Memory that agent {agent_id} may make",
            statements=[
                iam.PolicyStatement(
                    sid=one["Sid"],
                    actions=[one["Action"]],
                    resources=[path.replace(_PLACEHOLDER, arn) for path in one["Resource"]],
                )
                for one in statements
            ],
        )
