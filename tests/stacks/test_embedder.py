"""The setting `embedder`: a variable, a permission on one model, and a route to it from the VPC."""

import pytest

from agent_memory.model.recall_weights import weights_from
from agent_memory.pricing.deployment import read_deployment
from stacks.config import ConfigError, DeployConfig
from tests.stacks.conftest import DEPLOYMENTS, synthesize
from tests.stacks.templates import text_of

MODEL = "arn:aws:bedrock:eu-central-1::foundation-model/amazon.titan-embed-text-v2:0"
FUNCTIONS = {"api": "agent-memory-api", "gateway": "agent-memory-gateway"}


@pytest.fixture(scope="module")
def with_embedder(deployments):
    return deployments("embedder")


@pytest.mark.parametrize("stack", FUNCTIONS)
def test_functions_that_recall_may_invoke_the_model_and_nothing_else_of_bedrock(with_embedder, stack):
    function = with_embedder[stack].function(FUNCTIONS[stack])
    assert function["Environment"]["Variables"]["AGENT_MEMORY_EMBEDDER"] == "bedrock"
    granted = with_embedder[stack].permissions(FUNCTIONS[stack])
    assert [(action, resource) for action, resource in granted if "bedrock" in action] == [
        ("bedrock:InvokeModel", MODEL)
    ]


def test_the_endpoint_of_the_vpc_is_for_the_functions_and_the_model_only(with_embedder):
    cache = with_embedder["cache"]
    (endpoint,) = [one for one in cache.properties("AWS::EC2::VPCEndpoint") if one["VpcEndpointType"] == "Interface"]
    assert endpoint["ServiceName"] == "com.amazonaws.eu-central-1.bedrock-runtime"
    assert endpoint["PrivateDnsEnabled"]
    assert len(endpoint["SubnetIds"]) == 1
    (statement,) = endpoint["PolicyDocument"]["Statement"]
    assert (statement["Action"], text_of(statement["Resource"])) == ("bedrock:InvokeModel", MODEL)
    (group,) = endpoint["SecurityGroupIds"]
    rules = [one for one in cache.properties("AWS::EC2::SecurityGroupIngress") if one["GroupId"] == group]
    assert [(one["FromPort"], one["ToPort"]) for one in rules] == [(443, 443)]
    assert "SourceSecurityGroupId" in rules[0]


def test_the_endpoint_is_a_line_of_the_cost(with_embedder):
    deployment = read_deployment(with_embedder.folder)
    assert deployment.endpoint_zones == 1
    assert "AWS::EC2::VPCEndpoint" not in deployment.unpriced


@pytest.mark.slow
def test_weights_reach_the_function(tmp_path):
    found = synthesize(tmp_path, recall_weights="meaning=0.7,outcome=0")
    variables = found["api"].function("agent-memory-api")["Environment"]["Variables"]
    assert weights_from(variables) == {"meaning": 0.7, "outcome": 0.0}


@pytest.mark.slow
def test_without_a_cache_there_is_no_endpoint_to_pay_for(tmp_path):
    found = synthesize(tmp_path, **DEPLOYMENTS["prod without a cache"], embedder="bedrock")
    assert read_deployment(found.folder).endpoint_zones == 0
    assert found["api"].function("agent-memory-api")["Environment"]["Variables"]["AGENT_MEMORY_EMBEDDER"] == "bedrock"


def test_by_default_there_is_none(deployments):
    api = deployments("prod")["api"]
    assert "AGENT_MEMORY_EMBEDDER" not in api.function("agent-memory-api")["Environment"]["Variables"]
    assert not [action for action, _ in api.permissions("agent-memory-api") if "bedrock" in action]


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"embedder": "local"}, "embedder"),
        (
            {"recall_weights": "meaning=2,words=1"},
            "recall_weights: .*the weights are importance, text, meaning",
        ),
        ({"recall_weights": "meaning"}, "recall_weights: .*write meaning=NUMBER"),
        (
            {"embedder": "bedrock", "profile": "local", "redis_endpoint": "127.0.0.1:6379"},
            "embedder: profile=local does not support it; the local cloud has no Bedrock",
        ),
    ],
)
def test_what_a_deployment_cannot_have_is_refused(settings, error):
    with pytest.raises(ConfigError, match=error):
        DeployConfig.from_context(settings)
