"""An agent's policy as a construct and as the output of the command."""

import json

import aws_cdk as cdk
import pytest
from aws_cdk import aws_apigatewayv2 as apigw
from aws_cdk import aws_lambda as lambda_

from agent_memory import InvalidInput
from agent_memory.admin.agent_policy import (
    MAX_POLICY_CHARACTERS,
    METHODS,
    agent_policy,
    agent_policy_by_tag,
    invocation_policy,
)
from agent_memory.cli import main
from stacks.constructs.agent_access import AgentAccess, InvocationAccess, TaggedAgentAccess
from tests.stacks.iam import identity_statements, is_allowed
from tests.stacks.templates import Template, as_list, text_of

ARN = "arn:aws:execute-api:eu-central-1:123456789012:abc"


@pytest.fixture
def stack(tmp_path):
    app = cdk.App(outdir=str(tmp_path))
    return cdk.Stack(app, "Agents", env=cdk.Environment(account="123456789012", region="eu-central-1"))


@pytest.fixture
def api(stack):
    return apigw.HttpApi.from_http_api_attributes(stack, "Api", http_api_id="abc")


def synthesized(stack):
    """The statements of the stack's only policy, with its ARNs as text."""
    template = stack.node.root.synth().get_stack_by_name("Agents").template
    policy = Template(template).only("AWS::IAM::ManagedPolicy")["PolicyDocument"]
    return [
        {**one, "Resource": [text_of(arn).replace("<AWS::Partition>", "aws") for arn in as_list(one["Resource"])]}
        for one in policy["Statement"]
    ]


def printed(capsys, *options):
    assert main(["policy", "--api", ARN, *options]) == 0
    return json.loads(capsys.readouterr().out)["Statement"]


def test_the_construct_and_the_command_agree(stack, api, capsys):
    AgentAccess(stack, "Hunter", api=api, agent_id="hunter", reads=["desk"], writes=["shared"])
    found = printed(capsys, "--agent", "hunter", "--reads", "desk", "--writes", "shared")
    assert synthesized(stack) == found
    allowed = {one["Sid"]: one["Resource"] for one in found if one["Effect"] == "Allow"}
    assert allowed == {
        "OwnPaths": [f"{ARN}/$default/{method}/v1/agents/hunter/*" for method in METHODS],
        "ReadPools": [f"{ARN}/$default/GET/v1/agents/desk/memory/*"],
        "WritePools": [f"{ARN}/$default/{method}/v1/agents/shared/memory/*" for method in METHODS],
    }


def test_the_construct_and_the_command_agree_on_the_policy_by_tag(stack, api, capsys):
    TaggedAgentAccess(stack, "Agents", api=api, reads=["desk"])
    assert synthesized(stack) == printed(capsys, "--by-tag", "--reads", "desk")


FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:agent-memory-api"


def test_direct_invocations_are_permitted_by_the_agents_alias_only(capsys):
    assert main(["policy", "--agent", "btc.hunter", "--function", FUNCTION]) == 0
    policy = json.loads(capsys.readouterr().out)
    statements = identity_statements(policy)
    for resource, expected in (
        (f"{FUNCTION}:agent-btcDOThunter", True),
        (FUNCTION, False),
        (f"{FUNCTION}:agent-hunter", False),
        (f"{FUNCTION}:$LATEST", False),
        (f"{FUNCTION}-2:agent-btcDOThunter", False),
    ):
        assert is_allowed(statements, "lambda:InvokeFunction", resource) is expected
        assert not is_allowed(statements, "lambda:UpdateAlias", resource)


def test_one_policy_has_both_ways(capsys):
    assert main(["policy", "--agent", "hunter", "--api", ARN, "--function", FUNCTION]) == 0
    sids = [one["Sid"] for one in json.loads(capsys.readouterr().out)["Statement"]]
    assert sids == ["OwnPaths", "AmbiguousPaths", "OwnAlias"]
    for options in (["--agent", "hunter"], ["--by-tag", "--function", FUNCTION]):
        assert main(["policy", *options]) == 2


@pytest.mark.parametrize(
    "arn", ["", f"{FUNCTION}:live", FUNCTION.replace("agent-memory-api", "*"), ARN, f"{FUNCTION}\n"]
)
def test_a_function_with_an_alias_or_a_wildcard_is_refused(arn):
    with pytest.raises(InvalidInput, match="function_arn"):
        invocation_policy(arn, "hunter")


def test_the_construct_makes_the_alias_and_the_policy(stack):
    function = lambda_.Function.from_function_arn(stack, "Function", FUNCTION)
    InvocationAccess(stack, "Hunter", function=function, agent_id="btc.hunter")
    template = Template(stack.node.root.synth().get_stack_by_name("Agents").template)
    alias = template.only("AWS::Lambda::Alias")
    assert (alias["Name"], alias["FunctionVersion"]) == ("agent-btcDOThunter", "$LATEST")
    (name,) = template.of_type("AWS::Lambda::Alias")
    (statement,) = template.only("AWS::IAM::ManagedPolicy")["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("lambda:InvokeFunction", {"Ref": name})


@pytest.mark.parametrize("options", [(), ("--agent", "hunter", "--by-tag")])
def test_the_command_takes_an_agent_or_the_tag(options, capsys):
    assert main(["policy", "--api", ARN, *options]) == 2
    assert "--by-tag" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("arn:aws:s3:::bucket", "hunter"), "api_arn"),
        ((f"{ARN}/*", "hunter"), "api_arn"),
        ((ARN.replace("eu-central-1", "*"), "hunter"), "api_arn"),
        ((ARN.replace("123456789012", "١٢٣٤٥٦٧٨٩٠١٢"), "hunter"), "api_arn"),
        ((ARN.replace("eu-central-1", "cn-north-1"), "hunter"), "api_arn"),
        ((ARN.replace("arn:aws:", "arn:aws-us-gov:"), "hunter"), "api_arn"),
        *(((ARN, name), "agent_id") for name in ("*", "lo?e", "${*}", "lone/*", "lone*", "../lone", "", "lone\n")),
    ],
)
def test_arguments_that_would_widen_the_policy_are_refused(arguments, field):
    with pytest.raises(InvalidInput) as caught:
        agent_policy(*arguments)
    assert caught.value.field == field
    with pytest.raises(InvalidInput, match="pools/0"):
        agent_policy(ARN, "hunter", reads=["*"])
    with pytest.raises(InvalidInput, match="pools/1"):
        agent_policy_by_tag(ARN, writes=["desk", "desk/../x"])


@pytest.mark.parametrize(("partition", "region"), [("aws-cn", "cn-north-1"), ("aws-us-gov", "us-gov-west-1")])
def test_other_partitions_have_policies(partition, region):
    arn = f"arn:{partition}:execute-api:{region}:123456789012:abc"
    statements = identity_statements(agent_policy(arn, "hunter"))
    assert is_allowed(statements, "execute-api:Invoke", f"{arn}/$default/GET/v1/agents/hunter/state")


def test_pools_that_do_not_fit_into_a_policy_are_refused():
    pools = [f"{number:02}-{'p' * 60}" for number in range(20)]
    assert len(json.dumps(agent_policy(ARN, "hunter", writes=pools[:5]))) < MAX_POLICY_CHARACTERS
    with pytest.raises(InvalidInput, match="several policies"):
        agent_policy(ARN, "hunter", writes=pools)


@pytest.mark.parametrize(
    ("tag", "agents"),
    [("hunter", {"hunter"}), (None, set()), ("", set()), ("hunter/memory", set()), ("hunter-2", {"hunter-2"})],
)
def test_the_policy_by_tag_permits_the_agent_in_the_tag(tag, agents):
    statements = identity_statements(agent_policy_by_tag(ARN), {} if tag is None else {"agent_id": tag})
    permitted = {
        agent
        for agent in ("hunter", "hunter-2", "hunte", "neighbour", "")
        if is_allowed(statements, "execute-api:Invoke", f"{ARN}/$default/GET/v1/agents/{agent}/memory/recall")
    }
    assert permitted == agents


@pytest.mark.parametrize("path", ["memory/advice", "memory/crowding"])
def test_an_agent_reads_advice_for_itself_and_its_pools_alone(path):
    statements = identity_statements(agent_policy(ARN, "hunter", reads=["desk"], writes=["shared"]))
    permitted = {
        agent
        for agent in ("hunter", "desk", "shared", "hunter-2", "hunte", "trader")
        if is_allowed(statements, "execute-api:Invoke", f"{ARN}/$default/GET/v1/agents/{agent}/{path}")
    }
    assert permitted == {"hunter", "desk", "shared"}
