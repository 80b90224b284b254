"""`DecisionLogger` on stores in memory."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from agent_memory import Conflict, DecisionLogger, DecisionType, InvalidInput, MemoryManager, NotFound
from agent_memory.core.clock import DAY_MS, parse_instant
from agent_memory.core.ids import decision_id_for, new_decision_id

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
CONTEXT = {"market": {"volatility": "high", "trend": "bullish"}, "cycle": 142, "trading_hours": "american"}
REASONING = {"scores": {"whaleMovements": 0.92}, "selected": ["whaleMovements"], "exploration_triggered": False}


def nested(levels):
    value = 1
    for _ in range(levels):
        value = {"n": value}
    return value


@pytest.fixture
def logger(stores, clock):
    return DecisionLogger("market-hunter", stores=stores, clock=clock)


async def test_a_decision_with_its_outcome(logger):
    decision_id = await logger.log_decision("SOURCE_SELECTION", CONTEXT, REASONING, {"version": "1.0"})
    await logger.log_outcome(decision_id, {"signals_generated": 2}, True, {"quality": 0.85})
    assert await logger.get_decision(decision_id) == {
        "decision_id": decision_id,
        "agent_id": "market-hunter",
        "timestamp": "2026-11-20T12:00:00.000Z",
        "decision_type": "SOURCE_SELECTION",
        "context": CONTEXT,
        "reasoning": REASONING,
        "outcome": {"signals_generated": 2},
        "success": True,
        "metrics": {"quality": 0.85},
        "horizon": None,
        "outcome_recorded_at": "2026-11-20T12:00:00.000Z",
        "other_outcomes": [],
        "superseded_outcomes": [],
        "parent_ids": [],
        "memory_ids": [],
        "policy": None,
        "policy_version": None,
        "propensity": None,
        "joint_propensity": None,
        "metadata": {"version": "1.0"},
    }


async def test_a_repeated_decision_is_stored_once_and_a_changed_one_rejected(logger):
    decision_id = decision_id_for("QUERY", NOON, "cycle 1")
    for _ in range(2):
        assert await logger.log_decision("QUERY", CONTEXT, REASONING, decision_id=decision_id) == decision_id
    with pytest.raises(Conflict):
        await logger.log_decision("QUERY", {**CONTEXT, "cycle": 143}, REASONING, decision_id=decision_id)
    assert len(await logger.query_decisions()) == 1


async def test_an_outcome_cannot_be_changed_without_amend(logger):
    decision_id = await logger.log_decision(DecisionType.QUERY, CONTEXT, REASONING)
    for _ in range(2):
        await logger.log_outcome(decision_id, {"rows": 3}, True)
    with pytest.raises(Conflict):
        await logger.log_outcome(decision_id, {"rows": 3}, False)
    with pytest.raises(NotFound):
        await logger.log_outcome(new_decision_id("QUERY", 1_795_000_000_000), {}, True)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"success": 1}, "/success"),
        ({"outcome": None}, "/outcome"),
        ({"outcome": {"a": float("inf")}}, "/outcome/a"),
        ({"metrics": [1]}, "/metrics"),
        ({"horizon": "1 h"}, "/horizon"),
        ({"horizon": "x" * 64}, "/horizon"),
        ({"timestamp": "2026-11-20T13:00:00Z"}, "/timestamp"),
        ({"timestamp": "2026-11-20T10:00:00Z"}, "/timestamp"),
        ({"decision_id": "4711"}, "/decision_id"),
        ({"success_": True}, "/success_"),
        ({"amend": "yes"}, "/amend"),
        ({"headline": 1}, "/headline"),
    ],
)
async def test_an_invalid_outcome_is_rejected_with_the_field_and_nothing_is_written(logger, change, field):
    decision_id = await logger.log_decision("QUERY", {}, {})
    with pytest.raises(InvalidInput) as caught:
        logger.log.record_outcome({"decision_id": decision_id, "outcome": {}, "success": True, **change})
    assert caught.value.field == field
    assert (await logger.get_decision(decision_id))["success"] is None


async def test_outcomes_at_several_horizons_and_their_amendments(logger, clock):
    decision_id = await logger.log_decision("SIGNAL_GENERATION", CONTEXT, REASONING)
    await logger.log_outcome(decision_id, {"move": -0.5}, False, horizon="1h")
    clock.advance(3_600_000)
    await logger.log_outcome(decision_id, {"move": 2.0}, True, {"quality": 0.9}, horizon="exit", headline=True)
    with pytest.raises(Conflict):
        await logger.log_outcome(decision_id, {"move": 1.9}, True, horizon="exit")
    await logger.log_outcome(decision_id, {"move": 1.9}, True, horizon="exit", amend=True)
    found = await logger.get_decision(decision_id)
    assert (found["success"], found["outcome"], found["horizon"]) == (True, {"move": 1.9}, "exit")
    assert [(one["horizon"], one["success"]) for one in found["other_outcomes"]] == [("1h", False)]
    (earlier,) = found["superseded_outcomes"]
    assert (earlier["outcome"], earlier["metrics"], earlier["horizon"]) == ({"move": 2.0}, {"quality": 0.9}, "exit")
    assert earlier["recorded_at"] == earlier["replaced_at"] == "2026-11-20T13:00:00.000Z"
    assert [d["decision_id"] for d in await logger.query_decisions(success_filter=True)] == [decision_id]
    assert await logger.query_decisions(success_filter=False) == []


async def test_an_outcome_of_an_archived_decision_needs_the_archive(stores, clock):
    without_archive = DecisionLogger("market-hunter", stores=replace(stores, archive=None), clock=clock)
    decision_id = new_decision_id("QUERY", parse_instant(NOON) - 100 * DAY_MS)
    with pytest.raises(NotFound, match="over 90 days old"):
        await without_archive.log_outcome(decision_id, {}, True)


async def test_a_custom_type_is_found_by_its_id_from_another_process(logger, stores, clock):
    decision_id = await logger.log_decision("POSITION_SIZING", {}, {})
    elsewhere = DecisionLogger("market-hunter", stores=stores, clock=clock)
    assert (await elsewhere.get_decision(decision_id))["decision_type"] == "POSITION_SIZING"
    with pytest.raises(NotFound):
        await elsewhere.get_decision(new_decision_id("NEVER_LOGGED", 1_795_000_000_000))


async def test_agents_do_not_see_each_other(logger, stores, clock):
    decision_id = await logger.log_decision("QUERY", {}, {})
    other = DecisionLogger("other", stores=stores, clock=clock)
    with pytest.raises(NotFound):
        await other.get_decision(decision_id)
    assert await other.query_decisions() == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"decision_type": "lower"}, "/decision_type"),
        ({"context": None}, "/context"),
        ({"reasoning": ["a"]}, "/reasoning"),
        ({"context": {"a": float("nan")}}, "/context/a"),
        ({"metadata": {"x": {1: 2}}}, "/metadata/x"),
        ({"timestamp": "soon"}, "/timestamp"),
        ({"timestamp": datetime(2026, 11, 21, tzinfo=UTC)}, "/timestamp"),
        ({"timestamp": datetime(2019, 11, 19, tzinfo=UTC)}, "/timestamp"),
        ({"decision_id": decision_id_for("QUERY", datetime(2019, 1, 1, tzinfo=UTC), "x")}, "/decision_id"),
        ({"decision_id": decision_id_for("QUERY", datetime(2027, 1, 1, tzinfo=UTC), "x")}, "/decision_id"),
        ({"context": {"a": nested(40)}}, "/context/a" + "/n" * 31),
        ({"context": {"": 1}}, "/context"),
        ({"context": {"a": 10**38 + 1}}, "/context/a"),
        ({"context": {"a": 1e126}}, "/context/a"),
        ({"context": {"a": 1e-131}}, "/context/a"),
        ({"context": {"a": b"bytes"}}, "/context/a"),
        ({"context": {"a": "\ud800"}}, "/context/a"),
        ({"decision_type": "A" * 64}, "/decision_type"),
        ({"decision_type": "A#B"}, "/decision_type"),
        ({"decision_type": "A\n"}, "/decision_type"),
        ({"memory_ids": ["a#b"]}, "/memory_ids/0"),
        ({"memory_ids": ["ok", 7]}, "/memory_ids/1"),
        ({"memory_ids": "whale_pump"}, "/memory_ids"),
        ({"policy": ""}, "/policy"),
        ({"policy": "x" * 129}, "/policy"),
        ({"policy_version": 3}, "/policy_version"),
        *[
            ({name: value}, f"/{name}")
            for name in ("propensity", "joint_propensity")
            for value in (0, -0.1, 1.001, float("nan"), True, "0.5", 1e-200)
        ],
        ({"decision_id": ""}, "/decision_id"),
        ({"decision_id": "x" * 100_000}, "/decision_id"),
        ({"decision_id": "4711"}, "/decision_id"),
        ({"decision_id": decision_id_for("LEARNING", NOON, "x")}, "/decision_id"),
        ({"decision_id": decision_id_for("QUERY", NOON, "x"), "timestamp": "2026-11-20T11:00:00Z"}, "/timestamp"),
    ],
)
async def test_an_invalid_decision_is_rejected_with_the_field_and_nothing_is_written(logger, stores, change, field):
    valid = {"decision_type": "QUERY", "context": {}, "reasoning": {}}
    with pytest.raises(InvalidInput) as caught:
        await logger.log_decision(**{**valid, **change})
    assert caught.value.field == field
    assert await logger.query_decisions() == []


async def test_a_batch_stores_valid_decisions_and_reports_the_others(logger):
    valid = {"decision_type": "QUERY", "context": {"n": 1}, "reasoning": {}}
    results = await logger.log_decisions(
        [valid, {**valid, "contxt": {}}, {**valid, "context": {"x": float("inf")}}, valid]
    )
    assert [result["status"] for result in results] == ["created", "invalid", "invalid", "created"]
    assert [result.get("error", {}).get("field") for result in results] == [
        None,
        "/decisions/1/contxt",
        "/decisions/2/context/x",
        None,
    ]
    assert len(await logger.query_decisions()) == 2


async def test_a_logger_shares_the_stores_of_a_memory_manager(stores, clock):
    memory = MemoryManager(agent_id="market-hunter", stores=stores, clock=clock)
    logger = DecisionLogger(agent_id="market-hunter", memory_manager=memory)
    assert logger.agent_id == "market-hunter"
    await memory.store_stm("context:current", {"volatility": "high"}, ttl_seconds=60)
    assert await memory.retrieve_stm("context:current") == {"volatility": "high"}
    clock.advance(61_000)
    assert await memory.retrieve_stm("context:current") is None
