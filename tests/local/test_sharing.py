"""Access to agents' memories: IAM policies on the API's paths, with signed requests."""

import json
import secrets

import boto3
import pytest

from agent_memory import AgentMemoryClient, Forbidden
from agent_memory.admin.agent_policy import agent_policy

pytestmark = pytest.mark.local_cloud


@pytest.fixture
def client_with(local_cloud):
    """Creates a client that signs as a new IAM user, whose policy allows the paths of the agent and its pools."""
    users = local_cloud.boto_session().client("iam")
    api_arn = f"arn:aws:execute-api:us-east-1:000000000000:{local_cloud.outputs['ApiId']}"

    def client(agent_id, *, pools=(), acts_for=None, **allowed):
        name = f"{agent_id}-{secrets.token_hex(3)}"
        users.create_user(UserName=name)
        policy = agent_policy(api_arn, agent_id, **allowed)
        users.put_user_policy(UserName=name, PolicyName="own-paths", PolicyDocument=json.dumps(policy))
        key = users.create_access_key(UserName=name)["AccessKey"]
        session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name="us-east-1")
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
