"""The construct `DirectAgentAccess`, and the example of an agent that uses it, in templates."""

import json

import pytest

from examples.direct_agent.app import AGENT_ID, ScoutStack
from stacks import PROJECT
from stacks.config import ConfigError, DeployConfig
from tests.stacks.conftest import build
from tests.stacks.templates import Template, text_of
from tests.stacks.test_security_rules import findings


def app_with_agent(folder, **context):
    app, memory = build(folder, **{"direct_agents": AGENT_ID, **context})
    config = DeployConfig.from_context(app.node.get_all_context())
    ScoutStack(app, config=config, memory=memory)
    return app


def synthesized(folder, **context):
    app_with_agent(folder, **context).synth()
    files = {path.name.split(".")[0].rsplit("-", 1)[1]: path for path in folder.glob("*.template.json")}
    return {name: Template(json.loads(path.read_text())) for name, path in files.items()}


@pytest.fixture(scope="module")
def templates(tmp_path_factory):
    return synthesized(tmp_path_factory.mktemp("direct"))


def test_the_agent_has_its_own_user_of_the_cache_which_may_use_its_own_keys(templates):
    users = {one["UserId"]: one for one in templates["cache"].properties("AWS::ElastiCache::User")}
    assert set(users) == {"agent-memory-api", "agent-memory-agent-scout"}
    own = users["agent-memory-agent-scout"]
    assert own["UserName"] == own["UserId"]
    assert own["AuthenticationMode"] == {"Type": "iam"}
    assert own["AccessString"].startswith("on ~stm:{scout}:* ~stm:accesses:{scout}:* resetchannels -@all ")
    assert len(templates["cache"].only("AWS::ElastiCache::UserGroup")["UserIds"]) == 2


@pytest.mark.parametrize("context", [{}, {"encryption_key": "own"}])
def test_no_security_rule_is_broken(tmp_path, context):
    assert findings(app_with_agent(tmp_path, **context)) == []


def test_the_policy_names_the_agents_keys_its_objects_and_its_user(templates):
    statements = {
        one["Sid"]: one
        for policy in templates["scout"].properties("AWS::IAM::Policy")
        for one in policy["PolicyDocument"]["Statement"]
        if "Sid" in one
    }
    assert set(statements) == {"OwnItems", "OwnObjects", "OwnArchive", "OwnDigests", "OwnKeys", "OwnCacheUser"}
    leading = statements["OwnItems"]["Condition"]
    assert leading["ForAllValues:StringLike"] == {"dynamodb:LeadingKeys": ["scout", "scout#*"]}
    assert leading["Null"] == {"dynamodb:LeadingKeys": "false"}
    connect = [text_of(one) for one in statements["OwnCacheUser"]["Resource"]]
    assert connect[1].endswith(":user:agent-memory-agent-scout")
    assert not any("*" in one for one in connect)


def test_the_agent_is_in_the_caches_network_and_finds_the_stores(templates):
    function = templates["scout"].only("AWS::Lambda::Function")
    assert len(function["VpcConfig"]["SubnetIds"]) == 2
    assert len(function["VpcConfig"]["SecurityGroupIds"]) == 1
    variables = function["Environment"]["Variables"]
    assert variables["AGENT_MEMORY_REDIS_USER"] == "agent-memory-agent-scout"
    assert variables["AGENT_MEMORY_REDIS_TLS"] == "true"
    assert {"AGENT_MEMORY_TABLE_PREFIX", "AGENT_MEMORY_ARCHIVE_BUCKET", "AGENT_MEMORY_REDIS_CACHE"} <= set(variables)


def test_an_agent_without_a_user_of_the_cache_is_refused_with_the_setting(tmp_path):
    with pytest.raises(ConfigError, match="direct_agents=other,scout"):
        synthesized(tmp_path, direct_agents="other")


@pytest.mark.parametrize(
    "context", [{"cache": "off"}, {"encryption_key": "own"}, {"profile": "local", "redis_endpoint": "h:1"}]
)
def test_other_deployments_have_such_an_agent_too(tmp_path, context):
    scout = synthesized(tmp_path, **context)["scout"]
    variables = scout.only("AWS::Lambda::Function")["Environment"]["Variables"]
    is_in_network = "VpcConfig" in scout.only("AWS::Lambda::Function")
    assert is_in_network is ("encryption_key" in context)
    assert ("AGENT_MEMORY_REDIS_ENDPOINT" in variables) is (context.get("cache") != "off")


def test_the_example_is_deployed_with_the_flags_of_the_project():
    own, project = (
        json.loads((folder / "cdk.json").read_text()) for folder in (PROJECT / "examples" / "direct_agent", PROJECT)
    )
    assert own["context"] == project["context"]
