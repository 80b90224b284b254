"""Access to agents' memories: IAM policies on the API's paths, with signed requests."""

import json
import secrets

import boto3
import httpx
import pytest

from agent_memory import AgentMemoryClient, Forbidden
from agent_memory.admin.agent_policy import agent_policy, agent_policy_by_tag
from agent_memory.client.signing import SigV4
from tests.agent_paths import PAGE

pytestmark = pytest.mark.local_cloud


@pytest.fixture
def api_arn(local_cloud):
    return f"arn:aws:execute-api:us-east-1:000000000000:{local_cloud.outputs['ApiId']}"


@pytest.fixture
def session_with(local_cloud):
    """Creates a session of a new IAM user that has a policy."""
    users = local_cloud.boto_session().client("iam")

    def session(name, policy, **tags):
        name = f"{name}-{secrets.token_hex(3)}"
        users.create_user(UserName=name, Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
        users.put_user_policy(UserName=name, PolicyName="own-paths", PolicyDocument=json.dumps(policy))
        key = users.create_access_key(UserName=name)["AccessKey"]
        return boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name="us-east-1")

    return session


@pytest.fixture
def client_with(local_cloud, api_arn, session_with):
    """Creates a client that signs as a new IAM user, whose policy allows the paths of the agent and its pools."""

    def client(agent_id, *, pools=(), acts_for=None, **allowed):
        session = session_with(agent_id, agent_policy(api_arn, agent_id, **allowed))
        return AgentMemoryClient(local_cloud.api_url, acts_for or agent_id, session=session, pools=pools)

    return client


async def test_an_agent_reaches_its_own_paths_and_no_others(client_with):
    async with client_with("lone") as own, client_with("lone", acts_for="neighbour") as other:
        decision_id = await own.log_decision("QUERY", {"market": {"trend": "up"}}, {})
        assert (await own.get_decision(decision_id))["decision_id"] == decision_id
        await own.store_ltm("PATTERN", "pump", {"confidence": 0.5})
        assert await own.save_state({"n": 1}, expected_version=0)
        for call in (
            other.query_decisions(),
            other.log_decision("QUERY", {}, {}),
            other.retrieve_ltm("PATTERN"),
            other.store_ltm("PATTERN", "pump", {}),
            other.retrieve_stm("context:current"),
            other.read_cycle(),
            other.clear_stm(),
            other.load_state(),
            other.recall("pump"),
        ):
            with pytest.raises(Forbidden):
                await call


async def test_a_name_that_begins_like_the_agents_is_another_agent(client_with):
    for other in ("lone-2", "lon", "lone.x"):
        async with client_with("lone", acts_for=other) as client:
            with pytest.raises(Forbidden):
                await client.retrieve_ltm("PATTERN")


async def test_a_pool_is_read_by_its_readers_and_written_by_its_writers(client_with):
    writer = client_with("writer", pools=["desk-pool"], writes=["desk-pool"])
    reader = client_with("reader", pools=["desk-pool"], reads=["desk-pool"])
    stranger = client_with("stranger", pools=["desk-pool"])
    async with writer, reader, stranger, writer.pool("desk-pool") as written, reader.pool("desk-pool") as read:
        await written.store_ltm("PATTERN", "gap-fill", {"confidence": 0.8, "text": "gaps fill by noon"})
        await reader.store_ltm("PATTERN", "mine", {"confidence": 0.9})
        found = await reader.retrieve_ltm("PATTERN")
        assert [(one["agent_id"], one["pattern_id"], one["changed_by"]) for one in found] == [
            ("reader", "mine", "reader"),
            ("desk-pool", "gap-fill", "writer"),
        ]
        assert ":user/writer-" in found[1]["changed_as"]
        assert (await reader.recall("gaps", top_k=1))[0]["memory"]["pattern_id"] == "gap-fill"
        (change,) = await read.get_ltm_history("PATTERN", "gap-fill")
        assert (change["changed_by"], ":user/writer-" in change["changed_as"]) == ("writer", True)
        for refused in (
            read.store_ltm("PATTERN", "gap-fill", {"confidence": 0.1}),
            read.update_ltm_confidence("gap-fill", 0.1),
            read.query_decisions(),
            stranger.retrieve_ltm("PATTERN"),
        ):
            with pytest.raises(Forbidden):
                await refused
        assert (await written.retrieve_ltm("PATTERN"))[0]["confidence"] == 0.8


# No plain dot segments, which clients resolve before they sign.
TRICKS = (
    *PAGE,
    *(f"/v1/agents/lone{separator}neighbour/decisions" for separator in ("%2F..%2F", "%5C", "%3B", "%252F", "//")),
    *(f"/v1/agents/neighbour/decisions{end}/v1/agents/lone/decisions" for end in ("%3f", "%23", "%3B", "%00", "/")),
)


def answers(cloud, session):
    with httpx.Client(base_url=cloud.api_url, auth=SigV4(session, "us-east-1"), trust_env=False) as client:
        own = client.get("/v1/agents/lone/decisions")
        return own, {path: client.get(cloud.api_url + path) for path in TRICKS}


async def test_no_spelling_of_a_path_reaches_another_agent(local_cloud, api_arn, session_with, client_with):
    async with client_with("neighbour") as neighbour:
        await neighbour.log_decision("QUERY", {"note": "known to the neighbour only"}, {})
    own, others = answers(local_cloud, session_with("lone", agent_policy(api_arn, "lone")))
    assert own.status_code == 200
    assert {path: one.status_code for path, one in others.items()} == dict.fromkeys(TRICKS, 403)


def test_the_function_refuses_paths_that_a_wider_policy_permits(local_cloud, api_arn, session_with):
    resource = f"{api_arn}/$default/*/v1/agents/lone*"
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resource}
    own, others = answers(local_cloud, session_with("lone", {"Version": "2012-10-17", "Statement": [statement]}))
    assert own.status_code == 200
    assert {path: one.status_code for path, one in others.items()} == dict.fromkeys(TRICKS, 403)
    codes = {path: one.json().get("error", {}).get("code") for path, one in others.items()}
    assert codes == dict.fromkeys(TRICKS, "forbidden")


def test_the_conditions_of_the_policy_by_tag(local_cloud, api_arn, session_with):
    """The emulator evaluates conditions but replaces no variables; tests/stacks/test_agent_access.py has the rest."""
    written = json.dumps(agent_policy_by_tag(api_arn)).replace("${aws:PrincipalTag/agent_id}", "lone")
    found = {}
    for name, tags in {"tagged": {"agent_id": "lone"}, "untagged": {}, "with a slash": {"agent_id": "lone/x"}}.items():
        session = session_with("tagged", json.loads(written), **tags)
        with httpx.Client(base_url=local_cloud.api_url, auth=SigV4(session, "us-east-1"), trust_env=False) as client:
            found[name] = client.get("/v1/agents/lone/decisions").status_code
    assert found == {"tagged": 200, "untagged": 403, "with a slash": 403}
