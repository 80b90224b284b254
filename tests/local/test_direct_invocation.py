"""Direct invocations of the deployed API's function, signed by roles of agents, in a cloud that evaluates policies."""

import json

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from agent_memory import DecisionLogger
from agent_memory.admin.agent_policy import invocation_policy
from agent_memory.core.ids import alias_of
from local.stores import stores_of
from tests.local.function_log import counted, counted_so_far
from tests.local.test_permissions import TRUSTED

pytestmark = pytest.mark.local_cloud

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:agent-memory-api"
AGENTS = ("hunter", "btc.scout")
DECISION = {"decision_type": "QUERY", "context": {"market": {"trend": "up"}}, "reasoning": {}}


@pytest.fixture(scope="module")
def invoke_as(local_cloud):
    """Invokes the function with the role of an agent, which has the policy of direct invocations and nothing else."""
    session = local_cloud.boto_session()
    iam, functions, clients = session.client("iam"), session.client("lambda"), {}
    for agent_id in AGENTS:
        functions.create_alias(FunctionName="agent-memory-api", Name=alias_of(agent_id), FunctionVersion="$LATEST")
        role, trust = f"invokes-{agent_id}", json.dumps({"Version": "2012-10-17", "Statement": [TRUSTED]})
        arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        document = json.dumps(invocation_policy(FUNCTION, agent_id))
        iam.put_role_policy(RoleName=role, PolicyName="invoke", PolicyDocument=document)
        held = session.client("sts").assume_role(RoleArn=arn, RoleSessionName=agent_id)["Credentials"]
        clients[agent_id] = boto3.client(
            "lambda",
            region_name="us-east-1",
            endpoint_url=local_cloud.endpoint_url,
            config=Config(proxies={}, retries={"total_max_attempts": 1}),
            aws_access_key_id=held["AccessKeyId"],
            aws_secret_access_key=held["SecretAccessKey"],
            aws_session_token=held["SessionToken"],
        )

    def invoke(role_of, payload, *, alias=None, **arguments):
        arguments = arguments or {"FunctionName": f"{FUNCTION}:{alias_of(alias or role_of)}"}
        response = clients[role_of].invoke(**arguments, Payload=json.dumps(payload).encode())
        result = json.loads(response["Payload"].read())
        assert "FunctionError" not in response, result
        return result["statusCode"], result["body"]

    yield invoke
    for agent_id in AGENTS:
        functions.delete_alias(FunctionName="agent-memory-api", Name=alias_of(agent_id))
        iam.delete_role_policy(RoleName=f"invokes-{agent_id}", PolicyName="invoke")
        iam.delete_role(RoleName=f"invokes-{agent_id}")


@pytest.mark.parametrize("agent_id", AGENTS)
async def test_an_agent_invokes_its_own_alias(local_cloud, invoke_as, agent_id):
    before = counted_so_far(local_cloud)
    status, logged = invoke_as(agent_id, {"agent_id": agent_id, "operation": "log_decision", **DECISION})
    assert (status, logged["status"]) == (201, "created")
    own = {"agent_id": agent_id, "operation": "get_decision", "decision_id": logged["decision_id"]}
    assert invoke_as(agent_id, own)[1]["context"] == DECISION["context"]
    found = await DecisionLogger(agent_id, stores=stores_of(local_cloud)).get_decision(logged["decision_id"])
    assert found["agent_id"] == agent_id
    assert counted(local_cloud, before + 1) == before + 1


def test_the_payload_of_another_agent_is_refused_by_the_function(invoke_as):
    status, body = invoke_as("hunter", {"agent_id": "btc.scout", "operation": "load_state"})
    assert (status, body["error"]["code"]) == (403, "forbidden")
    path = "/v1/agents/btc.scout/state"
    forged = {
        "rawPath": path,
        "routeKey": "$default",
        "rawQueryString": "",
        "requestContext": {"http": {"method": "GET", "path": path}, "requestId": "forged", "stage": "$default"},
    }
    assert invoke_as("hunter", forged)[0] == 400


@pytest.mark.parametrize(
    "arguments",
    [
        {"FunctionName": "agent-memory-api"},
        {"FunctionName": FUNCTION},
        {"FunctionName": f"{FUNCTION}:{alias_of('btc.scout')}"},
        {"FunctionName": "agent-memory-api", "Qualifier": alias_of("btc.scout")},
        {"FunctionName": "agent-memory-api", "Qualifier": "$LATEST"},
        {"FunctionName": "agent-memory-consolidation"},
    ],
)
def test_iam_refuses_every_other_alias_and_function(invoke_as, arguments):
    with pytest.raises(ClientError, match="AccessDenied"):
        invoke_as("hunter", {"agent_id": "btc.scout", "operation": "load_state"}, **arguments)
