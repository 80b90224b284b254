"""What-if evaluation, influence and quarantine are the same over HTTP and directly on the stores."""

import random

import pytest

from agent_memory import DecisionLogger, InvalidInput, MemoryManager, NotFound
from tests.http_events import call_routes, client_with


@pytest.fixture
def client(served):
    return client_with(call_routes)


def policy(decision):
    return {"buy": 0.9, "sell": 0.1} if decision["context"]["trend"] == "up" else {"sell": 1.0}


def log_trades(logger, count):
    chance = random.Random(3)
    trades = []
    for n in range(count):
        trend, action = chance.choice(["up", "down"]), chance.choice(["buy", "sell"])
        success = chance.random() < (0.7 if (trend, action) in {("up", "buy"), ("down", "sell")} else 0.3)
        trades.append(({"trend": trend}, {"action": action}, {"propensity": 0.5} if n else {}, success))
    results = logger.log_decisions(
        [
            {"decision_type": "TRADE", "context": context, "reasoning": reasoning, **propensity}
            for context, reasoning, propensity, _ in trades
        ]
    )
    logger.log_outcomes(
        [
            {"decision_id": result["decision_id"], "outcome": {}, "success": success, "metrics": {"pnl": 2.0 * success}}
            for result, (_, _, _, success) in list(zip(results, trades, strict=True))[:-1]
        ]
    )


async def test_what_another_policy_would_have_achieved(client, served):
    direct = DecisionLogger("market-hunter", stores=served)
    log_trades(direct.sync, 1_500)
    arguments = {"decision_type": "TRADE", "choice": "reasoning.action"}
    found = await client.evaluate_policy(policy, **arguments)
    assert found == await direct.evaluate_policy(policy, **arguments)
    assert found == direct.sync.evaluate_policy(policy, **arguments)
    truth = (0.9 * 0.7 + 0.1 * 0.3 + 0.7) / 2
    for estimator in ("ips", "snips", "doubly_robust"):
        low, high = found[estimator]["interval"]
        assert low <= truth <= high
    assert (found["decisions"], found["without_propensity"], found["without_outcome"]) == (1_498, 1, 1)
    assert found["complete"]
    earned = await direct.evaluate_policy(policy, **arguments, reward="metrics.pnl")
    assert earned["snips"]["value"] == pytest.approx(2 * found["snips"]["value"])
    none = await client.evaluate_policy(policy, (None, "2020-01-01T00:00:00Z"), choice="reasoning.action")
    assert none["refused"].startswith("no decision")


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"policy": {"buy": 1}}, "policy"),
        ({"policy": lambda _: 0.5}, "policy"),
        ({"policy": lambda _: {"buy": 2}}, "policy/buy"),
        ({"policy": lambda _: {"buy": "often"}}, "policy/buy"),
        ({"policy": lambda _: {"buy": None}}, "policy/buy"),
        ({"policy": policy, "choice": 5}, "choice"),
        ({"policy": policy, "max_weight": 0.5}, "max_weight"),
        ({"policy": policy, "max_weight": "5"}, "max_weight"),
        ({"policy": policy, "decision_type": "trade"}, "decision_type"),
    ],
)
def test_invalid_arguments_are_named(served, arguments, field):
    direct = DecisionLogger("market-hunter", stores=served).sync
    log_trades(direct, 5)
    with pytest.raises(InvalidInput) as caught:
        direct.evaluate_policy(**{"choice": "reasoning.action", **arguments})
    assert caught.value.field == field


async def test_influence_and_quarantine_over_http(client, served):
    direct = MemoryManager("market-hunter", stores=served)
    await client.store_ltm("PATTERN", "whales", {"confidence": 0.9})
    based = await client.log_decision("QUERY", {}, {}, memory_ids=["whales"])
    await client.log_decision("QUERY", {}, {}, memory_ids=["others"])
    found = await client.influence("whales")
    assert found == await direct.influence("whales")
    assert [one["decision_id"] for one in found["decisions"]] == [based]
    (quarantined,) = await client.quarantine("whales", "written by an intruder")
    assert quarantined["memories"] == [{"memory_type": "PATTERN", "version": 2}]
    assert await client.retrieve_ltm("PATTERN") == []
    assert await client.list_quarantines() == await direct.list_quarantines()
    assert (await client.influence("whales"))["quarantined"]
    (released,) = await client.release("whales", "it was right")
    assert released["memories"] == [{"memory_type": "PATTERN", "version": 3}]
    assert [one["confidence"] for one in await client.retrieve_ltm("PATTERN")] == [0.9]
    for memory in (client, direct):
        with pytest.raises(NotFound):
            await memory.release("whales", "again")
        with pytest.raises(InvalidInput):
            await memory.quarantine("no id", "x")
        with pytest.raises(InvalidInput):
            await memory.quarantine("whales", "")
