"""What an experiment withholds from a unit is neither advised nor retrieved, over HTTP as on the stores."""

import httpx
import pytest

from agent_memory import DecisionLogger, Experiment, InvalidInput, MemoryManager
from tests.http_events import call_routes, client_with

CONTEXT = {"market": {"trend": "up"}}
OPTIONS = ["fade", "follow"]
EARLIER = "2020-01-01T00:00:00.000Z"
SIGNED = {
    "authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261120/us-east-1/execute-api/aws4_request",
    "x-amz-security-token": "session-token",
}
ESTIMATE = {
    "choice": "reasoning.strategy",
    "decision_type": "TRADE",
    "decisions": 50,
    "facts": [],
    "success": {
        "half_life_days": 30.0,
        "mean": 0.5,
        "variance": 0.01,
        "result_deviation": 0.5,
        "deviations": {"option": 0.1, "fact": 0.1, "option_fact": 0.1},
        "options": [{"option": "follow", "features": [], "means": [0.9], "covariance": [0.001], "weight": 50.0}],
    },
}
PATTERN = {"features": ["context.market.trend=up", "reasoning.strategy=follow"], "confidence": 0.9, "status": "active"}


@pytest.fixture(params=["stores", "http"])
def memory(request, served):
    direct = MemoryManager("market-hunter", stores=served)
    direct.sync.store_ltm("ESTIMATE", "TRADE:reasoning.strategy", ESTIMATE)
    direct.sync.store_ltm("PATTERN", "trend", PATTERN)
    return direct if request.param == "stores" else client_with(call_routes)


def units(experiment):
    """A unit from which memory is withheld, and one that has it."""
    assignments = [experiment.assign(f"cycle-{n}") for n in range(50)]
    return next(one for one in assignments if one.is_withheld), next(one for one in assignments if not one.is_withheld)


@pytest.mark.parametrize(
    ("withheld", "estimate", "claims"),
    [
        ({}, False, False),
        ({"memory_type": "ESTIMATE"}, False, True),
        ({"memory_type": "PATTERN"}, True, False),
        ({"memory_id": "trend"}, True, False),
        ({"memory_type": "ESTIMATE", "memory_id": "trend"}, True, True),
    ],
)
async def test_advice_leaves_out_what_is_withheld_and_says_so_in_the_log(memory, served, withheld, estimate, claims):
    experiment = Experiment("advice-pays", 0.5, **withheld)
    without, with_memory = units(experiment)
    plain = await memory.advise("TRADE", CONTEXT, OPTIONS)
    full = await memory.advise("TRADE", CONTEXT, OPTIONS, assignment=with_memory)
    assert full == {**plain, "log_with": {**plain["log_with"], "metadata": with_memory.metadata()}}
    advice = await memory.advise("TRADE", CONTEXT, OPTIONS, assignment=without, choose="greedy", seed="1")
    follow = advice["options"][1]
    assert (advice["estimated_from"] is not None, follow["is_prior"]) == (estimate, not estimate)
    assert bool(follow["claims"]) == claims
    log = DecisionLogger("market-hunter", stores=served)
    reasoning = {"strategy": advice["choice"]["chosen"][0]}
    found = await log.get_decision(await log.log_decision("TRADE", CONTEXT, reasoning, **advice["log_with"]))
    assert found["metadata"]["experiments"][0]["withheld"] is True
    assert ("TRADE:reasoning.strategy" in found["memory_ids"]) == estimate


async def test_retrieval_leaves_out_what_is_withheld(memory):
    without, with_memory = units(Experiment("patterns-pay", 0.5, memory_type="PATTERN"))
    assert await memory.retrieve_ltm("PATTERN", assignment=without) == []
    assert [one["pattern_id"] for one in await memory.retrieve_ltm("PATTERN", assignment=with_memory)] == ["trend"]
    assert len(await memory.retrieve_ltm("ESTIMATE", assignment=without)) == 1


def test_the_route_names_what_is_wrong_with_it(served):
    response = call_routes_with('{"type": "PATTERN"}')
    assert response == ("withhold/type", 400)


def call_routes_with(withhold):
    """The field and the status of the answer to advice that is asked for directly."""
    query = {"decision_type": "TRADE", "context": "{}", "options": '["a"]', "withhold": withhold}
    request = httpx.Request(
        "GET",
        "https://api.example/v1/agents/market-hunter/memory/advice",
        params=query,
        headers=SIGNED,
    )
    response = call_routes(request)
    return response.json()["error"]["field"], response.status_code


def test_a_bad_name_is_refused(served):
    memory = MemoryManager("market-hunter", stores=served).sync
    with pytest.raises(InvalidInput) as caught:
        memory.advise("TRADE", {}, ["a"], result="profit")
    assert caught.value.field == "result"


async def test_recent_results_count_over_http_as_on_the_stores(memory, served):
    model = {**ESTIMATE["success"], "design_effect": 1.0}
    direct = MemoryManager("market-hunter", stores=served)
    await direct.store_ltm(
        "ESTIMATE", "TRADE:reasoning.strategy", {**ESTIMATE, "success": model, "known_until": EARLIER}
    )
    log = DecisionLogger("market-hunter", stores=served)
    failed = await log.log_decision("TRADE", CONTEXT, {"strategy": "follow"})
    await log.log_outcome(failed, {}, False)
    plain = await memory.advise("TRADE", CONTEXT, OPTIONS)
    recent = await memory.advise("TRADE", CONTEXT, OPTIONS, recent=True)
    assert (plain["estimated_from"]["recent_results"], recent["estimated_from"]["recent_results"]) == (None, 1)
    assert recent["options"][1]["expected"] == pytest.approx(0.9 - 0.9 * 0.001 / (0.001 + 0.25))
    assert recent["options"][0] == plain["options"][0]


@pytest.mark.parametrize("asked", [{"choose": "thompson"}, {"choose": "greedy", "exploration": 0.5, "count": 2}])
@pytest.mark.parametrize("result", ["success", "reward"])
async def test_a_seed_leads_to_the_same_choice_by_the_estimate_of_a_pool(served, asked, result):
    """Over HTTP each namespace is asked by itself, and none of them knows the agent that asks."""
    both = {**ESTIMATE, "reward": {"path": "outcome.pnl", **ESTIMATE["success"]}}
    MemoryManager("desk", stores=served).sync.store_ltm("ESTIMATE", "TRADE:reasoning.strategy", both)
    MemoryManager("desk", stores=served).sync.store_ltm("PATTERN", "trend", PATTERN)
    direct = MemoryManager("reader", stores=served, pools=["desk", "other"])
    over_http = client_with(call_routes, "reader", pools=["desk", "other"])
    options, chosen = ["fade", "follow", "wait"], set()
    for seed in range(12):
        question = {**asked, "seed": str(seed), "result": result}
        advice = await direct.advise("TRADE", CONTEXT, options, **question)
        assert await over_http.advise("TRADE", CONTEXT, options, **question) == advice
        chosen.add(tuple(advice["choice"]["chosen"]))
    assert len(chosen) > 1


async def test_over_http_advice_by_the_estimate_of_a_pool_says_that_own_results_are_missing(served):
    MemoryManager("desk", stores=served).sync.store_ltm("ESTIMATE", "TRADE:reasoning.strategy", ESTIMATE)
    over_http = client_with(call_routes, "reader", pools=["desk"])
    advice = await over_http.advise("TRADE", CONTEXT, OPTIONS, recent=True)
    assert [(one["id"], one["reason"]) for one in advice["missing"]] == [("decisions", "limit")]
    assert (await over_http.advise("TRADE", CONTEXT, OPTIONS))["missing"] == []
