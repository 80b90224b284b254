"""The gateways of AgentCore: who is the agent, what they may invoke, and which tools they have."""

import json
import re

import pytest

from agent_memory.client.tools.catalog import TOOLS, Effect
from agent_memory.client.tools.gateway_schema import gateway_schema
from stacks.gateway_stack import TARGET, gateway_name
from tests.stacks.conftest import DEPLOYMENTS, synthesize
from tests.stacks.templates import text_of

AGENTS = ("market-hunter", "scout.eu")


@pytest.fixture
def gateway(deployments):
    return deployments("all guards")["gateway"]


def test_there_is_no_gateway_unless_an_agent_is_named(aws, local):
    assert "gateway" not in aws.templates
    assert "gateway" not in local.templates


def test_each_agent_has_a_gateway_that_iam_guards(gateway):
    found = gateway.properties("AWS::BedrockAgentCore::Gateway")
    assert [(one["Name"], one["AuthorizerType"], one["ProtocolType"]) for one in found] == [
        (gateway_name("agent-memory", agent), "AWS_IAM", "MCP") for agent in AGENTS
    ]
    assert all("ExceptionLevel" not in one for one in found)  # DEBUG would show callers the errors of the function


def test_a_gateway_may_invoke_the_function_by_the_alias_of_its_agent_and_nothing_else(gateway):
    aliases = gateway.of_type("AWS::Lambda::Alias")
    assert sorted(one["Properties"]["Name"] for one in aliases.values()) == ["agent-market-hunter", "agent-scoutDOTeu"]
    for gateway_, target in zip(
        *(gateway.properties(f"AWS::BedrockAgentCore::{one}") for one in ("Gateway", "GatewayTarget")), strict=True
    ):
        (role,) = (gateway_["RoleArn"]["Fn::GetAtt"][0],)
        alias = text_of(target["TargetConfiguration"]["Mcp"]["Lambda"]["LambdaArn"])
        assert gateway.role_permissions(role) == {("lambda:InvokeFunction", alias)}
        agent = aliases[alias.strip("<>")]["Properties"]["Name"].removeprefix("agent-").replace("DOT", ".")
        assert agent in gateway_["Description"]
        (trust,) = gateway.resources[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "bedrock-agentcore.amazonaws.com"}
        assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": "123456789012"}
        source = text_of(trust["Condition"]["ArnLike"]["aws:SourceArn"])
        assert source.endswith(f":gateway/{gateway_['Name']}-*")


def test_the_tools_are_those_of_the_mcp_server(gateway):
    for target in gateway.properties("AWS::BedrockAgentCore::GatewayTarget"):
        assert (target["Name"], target["CredentialProviderConfigurations"]) == (
            TARGET,
            [{"CredentialProviderType": "GATEWAY_IAM_ROLE"}],
        )
        payload = target["TargetConfiguration"]["Mcp"]["Lambda"]["ToolSchema"]["InlinePayload"]
        assert [one["Name"] for one in payload] == [one.name for one in TOOLS]
        assert [one["Description"] for one in payload] == [one["description"] for one in gateway_schema(TOOLS)]
        # What callers name is passed on as it is, although CloudFormation's own keys begin with a capital.
        arguments = payload[0]["InputSchema"]["Properties"]
        assert {"decision_type", "context", "reasoning"} <= set(arguments)
        assert payload[0]["InputSchema"]["Required"] == ["decision_type", "context", "reasoning"]
        assert arguments["parent_ids"]["Items"] == {"Type": "string"}


@pytest.mark.slow
def test_a_gateway_may_be_read_only(tmp_path):
    found = synthesize(tmp_path, **DEPLOYMENTS["dev"], gateway_agents="scout", gateway_read_only="true")["gateway"]
    (target,) = found.properties("AWS::BedrockAgentCore::GatewayTarget")
    payload = target["TargetConfiguration"]["Mcp"]["Lambda"]["ToolSchema"]["InlinePayload"]
    assert [one["Name"] for one in payload] == [one.name for one in TOOLS if one.effect is Effect.READS]
    variables = found.function("agent-memory-gateway")["Environment"]["Variables"]
    assert variables["AGENT_MEMORY_GATEWAY_READ_ONLY"] == "true"


def test_the_function_may_do_what_the_apis_function_may(deployments):
    stacks = deployments("all guards")
    of_gateway = stacks["gateway"].permissions("agent-memory-gateway")
    of_api = stacks["api"].permissions("agent-memory-api")
    logs = {"logs:CreateLogStream", "logs:PutLogEvents"}
    assert {one for one in of_gateway if one[0] not in logs} == {one for one in of_api if one[0] not in logs}


@pytest.mark.parametrize(
    "agent",
    [
        "hunter",
        "a.b",
        "a_b",
        "a-b",
        "a--b",
        "a..b",
        "x" * 63,
        "x" * 62 + "y",
        "a-",
        "a.",
        "market-hunter-of-the-desk-in-london",
    ],
)
def test_a_gateways_name_is_one_that_agentcore_takes(agent):
    assert re.fullmatch(r"([0-9a-zA-Z][-]?){1,48}", gateway_name("agent-memory", agent))
    assert len(gateway_name("agent-memory", agent)) <= 48


def test_no_two_agents_share_a_name():
    agents = ["a.b", "a_b", "a-b", "a--b", "a..b", "a-", "a", "x" * 63, "x" * 62]
    assert len({gateway_name("agent-memory", one) for one in agents}) == len(agents)


def test_the_address_of_each_gateway_is_an_output(gateway):
    texts = json.dumps(gateway.outputs)
    assert texts.count("GatewayUrl") == texts.count("GatewayArn") == len(AGENTS)
