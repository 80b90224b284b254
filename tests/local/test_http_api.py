"""The deployed HTTP API from outside: what signed requests get, and what is refused."""

import time

import httpx
import pytest

from agent_memory import AgentMemoryClient, Conflict, Forbidden, InvalidInput, NotFound
from agent_memory.codec import canonical_json
from agent_memory.ids import new_decision_id

pytestmark = pytest.mark.local_cloud


def client_of(cloud, agent_id):
    return AgentMemoryClient(cloud.api_url, agent_id, session=cloud.boto_session())


def test_an_unsigned_request_gets_403(local_cloud):
    answer = httpx.get(f"{local_cloud.api_url}/v1/agents/hunter/decisions", trust_env=False)
    assert answer.status_code == 403
    assert "Traceback" not in answer.text


async def test_a_wrong_signature_gets_403(local_cloud):
    class OtherKeys:
        region_name = "us-east-1"

        def get_credentials(self):
            from botocore.credentials import Credentials

            real = local_cloud.boto_session().get_credentials()
            return Credentials(real.access_key, "not-the-secret")

    async with AgentMemoryClient(local_cloud.api_url, "hunter", session=OtherKeys()) as client:
        with pytest.raises(Forbidden):
            await client.query_decisions()


async def test_decisions_over_signed_http(local_cloud):
    async with client_of(local_cloud, "hunter") as client:
        decision_id = new_decision_id("SOURCE_SELECTION", int(time.time() * 1000))
        context = {"market": {"volatility": "high", "trend": "bullish"}, "cycle": 142, "whole": 2.0, "tiny": 1e-9}
        for _ in range(2):
            given = await client.log_decision("SOURCE_SELECTION", context, {"selected": ["a"]}, decision_id=decision_id)
            assert given == decision_id
        with pytest.raises(Conflict):
            await client.log_decision("SOURCE_SELECTION", {}, {"selected": ["b"]}, decision_id=decision_id)
        await client.log_outcome(decision_id, {"signals": 2}, True, {"quality": 0.85})
        with pytest.raises(Conflict):
            await client.log_outcome(decision_id, {"signals": 3}, True)
        found = await client.get_decision(decision_id)
        assert canonical_json(found["context"]) == canonical_json(context)
        assert await client.query_decisions(context_filter={"trend": "bullish", "whole": 2.0}) == [found]
        assert await client.query_decisions(context_filter={"market": {"trend": "a+b c/d?&="}}) == []


async def test_what_is_refused_says_why_and_shows_no_trace(local_cloud):
    async with client_of(local_cloud, "hunter") as client:
        with pytest.raises(InvalidInput) as caught:
            await client.log_decision("SOURCE_SELECTION", {"a": {"": 1}}, {})
        assert caught.value.field == "/context/a"
        with pytest.raises(NotFound):
            await client.get_decision(new_decision_id("QUERY", 5))
        with pytest.raises(NotFound):
            await client.log_outcome(new_decision_id("QUERY", 5), {}, True)
        # A client that does not check its agent id, as one in another language might not.
        client._http.base_url = f"{local_cloud.api_url}/v1/agents/Bad!/"
        with pytest.raises(InvalidInput, match="agent_id"):
            await client.query_decisions()


async def test_memory_over_signed_http(local_cloud):
    async with client_of(local_cloud, "hunter") as client:
        await client.store_stm("context:current", {"volatility": "high"}, 60)
        assert await client.retrieve_stm("context:current") == {"volatility": "high"}
        await client.store_ltm("STRATEGY", "fade-gaps", {"confidence": 0.7, "note": "first"})
        await client.store_ltm("STRATEGY", "fade-gaps", {"confidence": 0.8, "note": "second"})
        (found,) = await client.retrieve_ltm("STRATEGY", {"min_confidence": 0.75})
        assert (found["note"], found["version"]) == ("second", 2)
