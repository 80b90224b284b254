"""Long lists are sent in several requests, whose results are returned as one list."""

import json

import httpx
import pytest

from agent_memory import DecisionLogger, Unavailable
from agent_memory.core.http_limits import MAX_BODY_BYTES
from tests.http_events import call_routes, client_with

pytestmark = pytest.mark.usefixtures("no_waits")


def decision(n, **more):
    return {"decision_type": "QUERY", "context": {"n": n}, "reasoning": {}, **more}


class Counting:
    def __init__(self):
        self.sizes = []

    def __call__(self, request):
        self.sizes.append(len(request.content))
        return call_routes(request)


async def test_results_are_in_the_order_of_the_items(served):
    requests = Counting()
    decisions = [decision(n) for n in range(250)]
    decisions[0] = decision(0, oops=1)
    decisions[120] = decision(120, context=5)
    decisions[130] = decision(float("nan"))
    decisions[249] = "not an object"
    async with client_with(requests) as client:
        results = await client.log_decisions(decisions)
        assert len(requests.sizes) == 3
        errors = {n: result["error"] for n, result in enumerate(results) if result["status"] != "created"}
        assert {n: error["field"] for n, error in errors.items()} == {
            0: "/decisions/0/oops",
            120: "/decisions/120/context",
            130: "/decisions/130/context/n",
            249: "/decisions/249",
        }
        assert errors[120]["message"].startswith("/decisions/120/context: expected a JSON object")
        found = await client.get_decision(results[200]["decision_id"])
        assert found["context"] == {"n": 200}
        outcomes = [
            {"decision_id": one["decision_id"], "outcome": {"n": n}, "success": True} for n, one in enumerate(results)
        ]
        recorded = await client.log_outcomes(outcomes)
        assert [n for n, one in enumerate(recorded) if one["status"] != "recorded"] == [0, 120, 130, 249]
        assert (await client.get_decision(results[200]["decision_id"]))["outcome"] == {"n": 200}


async def test_an_empty_list_needs_no_request():
    async with client_with(lambda _: httpx.Response(500)) as client:
        assert await client.log_decisions([]) == []
        assert await client.log_outcomes([]) == []


async def test_a_request_stays_below_the_size_limit(served):
    requests = Counting()
    decisions = [decision(n, metadata={"x": '"' * 400_000}) for n in range(12)]
    async with client_with(requests) as client:
        assert {one["status"] for one in await client.log_decisions(decisions)} == {"created"}
    # A quote takes two bytes in the body and four in the Lambda event: three decisions per request.
    assert [size // 800_000 for size in requests.sizes] == [3] * 4
    assert max(requests.sizes) < MAX_BODY_BYTES


async def test_the_direct_class_returns_the_same_results(served):
    decisions = [decision(1), decision(2, oops=1), "not an object", decision(3, decision_id="x")]
    async with client_with(call_routes) as client:
        over_http = await client.log_decisions(decisions)
    direct = await DecisionLogger("other", stores=served).log_decisions(decisions)
    assert [{**one, "decision_id": None} for one in over_http] == [{**one, "decision_id": None} for one in direct]


async def test_a_failed_request_is_raised_after_the_others_have_finished(served):
    def one_fails(request):
        numbers = [one["context"]["n"] for one in json.loads(request.content)["decisions"]]
        return httpx.Response(503) if 150 in numbers else call_routes(request)

    async with client_with(one_fails) as client:
        with pytest.raises(Unavailable):
            await client.log_decisions([decision(n) for n in range(300)])
    logged = await DecisionLogger("market-hunter", stores=served).query_decisions(limit=1000)
    assert len(logged) == 200
