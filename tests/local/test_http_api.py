"""The deployed HTTP API from outside: responses to signed requests, and refused ones."""

import time

import httpx
import pytest

from agent_memory import (
    AgentMemoryClient,
    BufferedDecisionLogger,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
)
from agent_memory.core.errors import TooLarge
from agent_memory.core.ids import new_decision_id
from agent_memory.core.json_values import canonical_json

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
        context = {"market": {"volatility": "high", "trend": "bullish"}, "cycle": 142, "integral": 2.0, "tiny": 1e-9}
        for _ in range(2):
            logged = await client.log_decision(
                "SOURCE_SELECTION", context, {"selected": ["a"]}, decision_id=decision_id
            )
            assert logged == decision_id
        with pytest.raises(Conflict):
            await client.log_decision("SOURCE_SELECTION", {}, {"selected": ["b"]}, decision_id=decision_id)
        await client.log_outcome(decision_id, {"signals": 2}, True, {"quality": 0.85})
        with pytest.raises(Conflict):
            await client.log_outcome(decision_id, {"signals": 3}, True)
        found = await client.get_decision(decision_id)
        assert canonical_json(found["context"]) == canonical_json(context)
        assert await client.query_decisions(context_filter={"trend": "bullish", "integral": 2.0}) == [found]
        assert await client.query_decisions(context_filter={"market": {"trend": "a+b c/d?&="}}) == []


async def test_errors_say_why_and_show_no_stack_trace(local_cloud):
    async with client_of(local_cloud, "hunter") as client:
        with pytest.raises(InvalidInput) as caught:
            await client.log_decision("SOURCE_SELECTION", {"a": {"": 1}}, {})
        assert caught.value.field == "/context/a"
        with pytest.raises(NotFound):
            await client.get_decision(new_decision_id("QUERY", 5))
        with pytest.raises(NotFound):
            await client.log_outcome(new_decision_id("QUERY", 5), {}, True)
        # A client that does not check its agent id, as one in another language might not.
        client._http.agent_id = "Bad!"
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


async def test_chains_horizons_statistics_and_cursors(local_cloud):
    async with client_of(local_cloud, "chained") as client:
        first = await client.log_decision("SOURCE_SELECTION", {"market": {"trend": "up"}}, {"selected": ["a", "b"]})
        second = await client.log_decision("SIGNAL_GENERATION", {}, {}, parent_ids=[first], memory_ids=["whale_pump"])
        await client.log_outcome(first, {"move": 1}, False, horizon="1h")
        await client.log_outcome(first, {"move": 2}, True, horizon="exit", headline=True)
        await client.log_outcome(first, {"move": 3}, True, horizon="exit", amend=True)
        found = await client.get_decision(first)
        assert (found["success"], found["outcome"], found["horizon"]) == (True, {"move": 3}, "exit")
        assert len(found["superseded_outcomes"]) == len(found["other_outcomes"]) == 1
        chain = {one["decision_id"]: one["why"] for one in await client.get_decision_chain(first)}
        assert chain == {second: "names this decision as a parent"}
        statistics = await client.analyze_decision_patterns(group_by="source")
        assert {group["group"]: group["succeeded"] for group in statistics["groups"]} == {"a": 1, "b": 1, None: 0}
        page = await client.page_decisions(limit=1, newest_first=False)
        rest = await client.page_decisions(limit=1, newest_first=False, cursor=page["cursor"])
        assert [one["decision_id"] for one in page["decisions"] + rest["decisions"]] == [first, second]
        with pytest.raises(InvalidInput, match="another query"):
            await client.page_decisions("LEARNING", limit=1, cursor=page["cursor"])


async def test_five_megabytes_are_stored_and_ten_are_413(local_cloud):
    async with client_of(local_cloud, "large") as client:
        text = "because " * (5_000_000 // 8)
        decision_id = await client.log_decision("QUERY", {"n": 1}, {"why": text})
        assert (await client.get_decision(decision_id))["reasoning"] == {"why": text}
        other = await client.log_decision("QUERY", {"n": 2}, {"why": text})
        first = await client.page_decisions(newest_first=False)  # two do not fit into one reply
        assert ([one["decision_id"] for one in first["decisions"]], first["cursor"] is None) == ([decision_id], False)
        assert [one["decision_id"] for one in await client.query_decisions()] == [other, decision_id]
        with pytest.raises(TooLarge, match="exceeds 5,500,000 bytes"):
            await client.log_decision("QUERY", {"n": 3}, {"why": text + text})
        assert len(await client.query_decisions(context_filter={"n": 3})) == 0


def test_agents_without_asyncio(local_cloud):
    with client_of(local_cloud, "blocking").sync as client:
        decision_id = client.log_decision("QUERY", {"market": {"trend": "up"}}, {})
        assert client.get_decision(decision_id)["context"] == {"market": {"trend": "up"}}


async def test_a_buffer_in_front_of_the_api(local_cloud, tmp_path):
    async with BufferedDecisionLogger(client_of(local_cloud, "buffered"), tmp_path / "buffer") as buffered:
        ids = [await buffered.log_decision("QUERY", {"n": n}, {}) for n in range(150)]
        for n, one in enumerate(ids):
            await buffered.log_outcome(one, {"n": n}, n % 2 == 0, horizon="1h")
        await buffered.flush(60)
        assert buffered.metrics().acknowledged == 300
        found = await buffered.query_decisions(limit=1000)
    assert {one["decision_id"]: one["outcome"] for one in found} == {one: {"n": n} for n, one in enumerate(ids)}


async def test_state_and_contexts_over_signed_http(local_cloud):
    async with client_of(local_cloud, "stateful") as client:
        saved = await client.save_state({"current_cycle": 1, "configuration": {"rate": 0.1}}, expected_version=0)
        await client.create_checkpoint("before-open")
        with pytest.raises(Conflict):
            await client.save_state({}, expected_version=0)
        await client.save_state({"current_cycle": 2, "configuration": {"rate": 0.2}})
        assert (await client.restore_checkpoint("before-open"))["data"] == saved["data"]
        assert len(await client.list_configurations()) == 3
        assert [one["name"] for one in await client.list_checkpoints()] == ["before-open"]
        await client.store_stm("context:current", {"trend": "up"})
        decision_id = await client.log_decision("QUERY", {"market": {"trend": "up"}}, {})
        met = await client.get_context_memory(context_filter={"trend": "up"})
        assert [one.get("decision_id") for one in met["entries"]] in ([None, decision_id], [decision_id, None])
        assert met["complete"] is True
        await client.store_ltm("PATTERN", "pump", {"confidence": 0.5}, reason="seen twice")
        await client.update_ltm_confidence("pump", 0.6)
        assert [one["version"] for one in await client.get_ltm_history("PATTERN", "pump")] == [1, 2]
        assert await client.clear_stm("context:*") == 1
