"""An agent's policy as a construct and as the output of the command."""

import json

import aws_cdk as cdk
import pytest
from aws_cdk import aws_apigatewayv2 as apigw

from agent_memory import InvalidInput
from agent_memory.admin.agent_policy import agent_policy
from agent_memory.cli import main
from stacks.constructs.agent_access import AgentAccess
from tests.stacks.templates import Template, text_of

ARN = "arn:aws:execute-api:eu-central-1:123456789012:abc"


def test_the_construct_and_the_command_agree(tmp_path, capsys):
    app = cdk.App(outdir=str(tmp_path))
    stack = cdk.Stack(app, "Agents", env=cdk.Environment(account="123456789012", region="eu-central-1"))
    api = apigw.HttpApi.from_http_api_attributes(stack, "Api", http_api_id="abc")
    AgentAccess(stack, "Hunter", api=api, agent_id="hunter", reads=["desk"], writes=["shared"])
    app.synth()
    policy = Template(json.loads((tmp_path / "Agents.template.json").read_text())).only("AWS::IAM::ManagedPolicy")
    found = {
        one["Sid"]: text_of(one["Resource"]).replace("<AWS::Partition>", "aws")
        for one in policy["PolicyDocument"]["Statement"]
    }
    assert main(["policy", "--agent", "hunter", "--api", ARN, "--reads", "desk", "--writes", "shared"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert found == {one["Sid"]: one["Resource"][0] for one in printed["Statement"]}
    assert found == {
        "OwnPaths": f"{ARN}/$default/*/v1/agents/hunter/*",
        "ReadPools": f"{ARN}/$default/GET/v1/agents/desk/memory/*",
        "WritePools": f"{ARN}/$default/*/v1/agents/shared/memory/*",
    }


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("arn:aws:s3:::bucket", "hunter"), "api_arn"),
        ((f"{ARN}/*", "hunter"), "api_arn"),
        ((ARN, "*"), "agent_id"),
    ],
)
def test_arguments_that_would_widen_the_policy_are_refused(arguments, field):
    with pytest.raises(InvalidInput) as caught:
        agent_policy(*arguments)
    assert caught.value.field == field
    with pytest.raises(InvalidInput, match="pools/0"):
        agent_policy(ARN, "hunter", reads=["*"])
