"""A managed policy for one agent's role, on a deployed API: its own paths and its pools' memory."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigw
from aws_cdk import aws_iam as iam
from constructs import Construct

from agent_memory.admin.agent_policy import agent_policy

# Stands for the API's ARN, which is known at deployment only, while the policy is made.
_STAND_IN = "arn:aws:execute-api:region:000000000000:api"


class AgentAccess(iam.ManagedPolicy):
    """May be attached to whatever role an agent runs as; see `agent_memory.admin.agent_policy`."""

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
        statements = agent_policy(_STAND_IN, agent_id, reads=reads, writes=writes)["Statement"]
        super().__init__(
            scope,
            construct_id,
            description=f"What agent {agent_id} may call of Agent Memory",
            statements=[
                iam.PolicyStatement(
                    sid=one["Sid"],
                    actions=[one["Action"]],
                    resources=[path.replace(_STAND_IN, arn) for path in one["Resource"]],
                )
                for one in statements
            ],
        )
