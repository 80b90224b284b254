"""Long lists go out in several requests, and come back as one."""

import json

import httpx
import pytest

from agent_memory import DecisionLogger, Unavailable
from agent_memory.core.http_limits import MAX_BODY_BYTES
from tests.http_events import client_over, to_the_routes

pytestmark = pytest.mark.usefixtures("no_waits")


def draft(n, **more):
    return {"decision_type": "QUERY", "context": {"n": n}, "reasoning": {}, **more}


class Counting:
    def __init__(self):
        self.sizes = []

    def __call__(self, request):
        self.sizes.append(len(request.content))
        return to_the_routes(request)


async def test_results_stand_where_their_items_stood(served):
    answers = Counting()
    drafts = [draft(n) for n in range(250)]
    drafts[0] = draft(0, oops=1)
    drafts[120] = draft(120, context=5)
    drafts[130] = draft(float("nan"))
    drafts[249] = "no draft"
    async with client_over(answers) as client:
        results = await client.log_decisions(drafts)
        assert len(answers.sizes) == 3
        wrong = {place: one["error"] for place, one in enumerate(results) if one["status"] != "created"}
        assert {place: error["field"] for place, error in wrong.items()} == {
            0: "/decisions/0/oops",
            120: "/decisions/120/context",
            130: "/context/n",
            249: "/decisions/249",
        }
        assert wrong[120]["message"].startswith("/decisions/120/context: expected a JSON object")
        found = await client.get_decision(results[200]["decision_id"])
        assert found["context"] == {"n": 200}
        reports = [
            {"decision_id": one["decision_id"], "outcome": {"n": n}, "success": True} for n, one in enumerate(results)
        ]
        recorded = await client.log_outcomes(reports)
        assert [n for n, one in enumerate(recorded) if one["status"] != "recorded"] == [0, 120, 130, 249]
        assert (await client.get_decision(results[200]["decision_id"]))["outcome"] == {"n": 200}


async def test_an_empty_list_needs_no_request():
    async with client_over(lambda _: httpx.Response(500)) as client:
        assert await client.log_decisions([]) == []
        assert await client.log_outcomes([]) == []


async def test_a_request_holds_no_more_bytes_than_it_may(served):
    answers = Counting()
    drafts = [draft(n, metadata={"x": '"' * 400_000}) for n in range(12)]
    async with client_over(answers) as client:
        assert {one["status"] for one in await client.log_decisions(drafts)} == {"created"}
    # A quote takes two bytes of a body and four of the event that carries it: three drafts to a request.
    assert [size // 800_000 for size in answers.sizes] == [3] * 4
    assert max(answers.sizes) < MAX_BODY_BYTES


async def test_the_direct_class_gives_the_same_results(served):
    drafts = [draft(1), draft(2, oops=1), "no draft", draft(3, decision_id="x")]
    async with client_over(to_the_routes) as client:
        over_http = await client.log_decisions(drafts)
    direct = await DecisionLogger("other", stores=served).log_decisions(drafts)
    assert [{**one, "decision_id": None} for one in over_http] == [{**one, "decision_id": None} for one in direct]


async def test_a_failed_request_is_told_once_the_others_have_ended(served):
    def one_fails(request):
        places = [one["context"]["n"] for one in json.loads(request.content)["decisions"]]
        return httpx.Response(503) if 150 in places else to_the_routes(request)

    async with client_over(one_fails) as client:
        with pytest.raises(Unavailable):
            await client.log_decisions([draft(n) for n in range(300)])
    logged = await DecisionLogger("market-hunter", stores=served).query_decisions(limit=1000)
    assert len(logged) == 200
