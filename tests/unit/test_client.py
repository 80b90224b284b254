"""The HTTP client against the real routes, without a network between."""

import json

import httpx
import pytest

from agent_memory import AgentMemoryClient, Conflict, Forbidden, InvalidInput, NotFound, Unavailable
from agent_memory.clock import SystemClock
from agent_memory.ids import new_decision_id
from agent_memory.service import api
from agent_memory.service.deployment import Deployment
from agent_memory.stores.connections import in_memory_stores
from tests.http_events import Context, http_event


class Keys:
    """A session with credentials and nothing else."""

    region_name = "us-east-1"

    def get_credentials(self):
        import botocore.credentials

        return botocore.credentials.Credentials("AKIDEXAMPLE", "example", "session-token")


def to_the_routes(request: httpx.Request) -> httpx.Response:
    assert request.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert request.headers["x-amz-security-token"] == "session-token"
    event = http_event(request.method, request.url.path, raw=request.content.decode(), query=dict(request.url.params))
    answer = api.app.resolve(event, Context())
    return httpx.Response(answer["statusCode"], text=answer["body"])


@pytest.fixture
def client(monkeypatch):
    served = Deployment(in_memory_stores())
    monkeypatch.setattr(api, "deployment", lambda: served)
    transport = httpx.MockTransport(to_the_routes)
    return AgentMemoryClient("https://api.example", "market-hunter", session=Keys(), transport=transport)


async def test_the_client_does_what_the_direct_classes_do(client):
    async with client:
        decision_id = await client.log_decision("QUERY", {"market": {"trend": "up"}}, {"whole": 1.0}, {"v": "1"})
        await client.log_outcome(decision_id, {"rows": 1}, True, {"quality": 0.5})
        found = await client.get_decision(decision_id)
        assert (found["reasoning"], found["metrics"]) == ({"whole": 1.0}, {"quality": 0.5})
        assert await client.query_decisions("QUERY", success_filter=True, context_filter={"trend": "up"}) == [found]
        assert await client.query_decisions(success_filter=False) == []
        await client.store_stm("context:current", [1, 2], 60)
        assert await client.retrieve_stm("context:current") == [1, 2]
        await client.store_ltm("PATTERN", "a=b+c", {"confidence": 0.75})
        assert (await client.retrieve_ltm("PATTERN", {"min_confidence": 0.5}))[0]["pattern_id"] == "a=b+c"


async def test_refusals_become_the_same_errors(client):
    with pytest.raises(InvalidInput) as caught:
        await client.log_decision("lower", {}, {})
    assert caught.value.field == "/decision_type"
    with pytest.raises(NotFound):
        await client.get_decision(new_decision_id("QUERY", 5))
    decision_id = new_decision_id("QUERY", SystemClock().now_ms())
    await client.log_decision("QUERY", {}, {}, decision_id=decision_id)
    with pytest.raises(Conflict):
        await client.log_decision("QUERY", {"x": 1}, {}, decision_id=decision_id)
    with pytest.raises(InvalidInput, match="not JSON"):
        await client.log_decision("QUERY", {"x": float("nan")}, {})


@pytest.mark.parametrize(
    ("status", "kind"), [(403, Forbidden), (500, Unavailable), (503, Unavailable), (429, Unavailable)]
)
async def test_what_the_gateway_refuses_is_told(status, kind):
    transport = httpx.MockTransport(lambda _: httpx.Response(status, text=json.dumps({"message": "Forbidden"})))
    async with AgentMemoryClient("https://api.example", "hunter", session=Keys(), transport=transport) as client:
        with pytest.raises(kind, match="Forbidden"):
            await client.query_decisions()


async def test_a_dead_network_is_unavailable():
    def dead(_):
        raise httpx.ConnectError("refused")

    async with AgentMemoryClient("https://x", "hunter", session=Keys(), transport=httpx.MockTransport(dead)) as client:
        with pytest.raises(Unavailable, match="ConnectError"):
            await client.query_decisions()
