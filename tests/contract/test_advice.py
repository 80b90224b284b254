"""Advice: from the nightly estimates, with the claims that hold, and with what a logged decision keeps of it."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from agent_memory import DecisionLogger, InvalidInput, MemoryManager
from agent_memory.core.clock import FixedClock, date_of
from agent_memory.core.ids import decision_id_for
from agent_memory.memory import recent_results
from agent_memory.memory.long_term import LongTermMemory
from agent_memory.nightly.consolidation import consolidate
from agent_memory.storage.dynamodb.memories import DynamoDBMemories
from agent_memory.storage.factory import in_memory_stores
from tests.contract.samples import new_agent

SOURCES = ["derivatives", "macro", "whales"]
BULLISH = {"market": {"trend": "bullish"}}
BEARISH = {"market": {"trend": "bearish"}}
START = datetime(2026, 11, 15, tzinfo=UTC)
DAYS = 5


@pytest.fixture(scope="module")
def estimate():
    """What the nightly job learns where whales are right in bullish markets and macro is wrong; all are judged."""
    clock = FixedClock(int((START + timedelta(days=DAYS)).timestamp() * 1000))
    stores = in_memory_stores(clock)
    log, chance = DecisionLogger("learner", stores=stores, clock=clock).sync, random.Random(5)
    for hour in range(DAYS * 24):
        at = START + timedelta(hours=hour)
        signals = [
            {
                "decision_type": "SIGNAL_GENERATION",
                "context": BULLISH if hour % 2 else BEARISH,
                "reasoning": {"source": source},
                "decision_id": decision_id_for("SIGNAL_GENERATION", at, f"{hour} {source}"),
            }
            for source in SOURCES
        ]
        log.log_decisions(signals)
        rates = {"whales": 0.95 if hour % 2 else 0.5, "macro": 0.05 if hour % 2 else 0.5, "derivatives": 0.5}
        log.log_outcomes(
            [
                {
                    "decision_id": one["decision_id"],
                    "outcome": {},
                    "success": chance.random() < rates[one["reasoning"]["source"]],
                    "timestamp": at + timedelta(minutes=30),
                }
                for one in signals
            ]
        )
    consolidate("learner", date_of(clock.now_ms() - 1), stores)
    (memory,) = LongTermMemory("learner", stores.memories, clock).find("ESTIMATE")
    return memory


def with_estimate(stores, clock, estimate, agent):
    """Store the estimate as the agent's own."""
    LongTermMemory(agent, stores.memories, clock).put("ESTIMATE", estimate.pattern_id, estimate.data)


@pytest.fixture(params=["own", "pool"])
def memory(request, stores, clock, estimate):
    """The memory of an agent whose estimate is its own, or that of its pool."""
    agent, pool = new_agent(), new_agent()
    with_estimate(stores, clock, estimate, agent if request.param == "own" else pool)
    return MemoryManager(agent, stores=stores, clock=clock, pools=[pool])


async def test_what_was_learned_of_signals_advises_the_selection_of_sources(memory):
    advice = await memory.advise("SOURCE_SELECTION", BULLISH, SOURCES)
    by_option = {one["option"]: one for one in advice["options"]}
    assert by_option["whales"]["expected"] > 0.75
    assert by_option["macro"]["expected"] < 0.25
    assert by_option["whales"]["interval"][0] > 0.6
    elsewhere = await memory.advise("SOURCE_SELECTION", BEARISH, SOURCES)
    assert all(abs(one["expected"] - 0.5) < 0.2 for one in elsewhere["options"])
    assert advice["estimated_from"]["memory_id"] == "SIGNAL_GENERATION:reasoning.source"
    assert advice["memory_ids"][0] == "SIGNAL_GENERATION:reasoning.source"
    assert advice["choice"] is None
    direct = await memory.advise("SIGNAL_GENERATION", BULLISH, SOURCES, choice="reasoning.source")
    assert direct["options"] == advice["options"]


async def test_a_choice_is_repeatable_and_the_decision_keeps_its_propensity_and_its_memories(memory, stores):
    asked = {"choose": "thompson", "count": 2, "seed": "cycle 1"}
    advice = await memory.advise("SOURCE_SELECTION", BULLISH, SOURCES, **asked)
    assert await memory.advise("SOURCE_SELECTION", BULLISH, SOURCES, **asked) == advice
    choice = advice["choice"]
    assert choice["chosen"][0] == "whales"
    assert sum(one["propensity"] for one in choice["propensities"]) == pytest.approx(2, abs=1e-5)
    log = DecisionLogger(memory.agent_id, stores=stores)
    logged = await log.log_decision("SOURCE_SELECTION", BULLISH, {"selected": choice["chosen"]}, **advice["log_with"])
    found = await log.get_decision(logged)
    assert found["joint_propensity"] == choice["joint_propensity"]
    assert (found["policy"], found["policy_version"], found["propensity"]) == ("thompson", "1", None)
    assert found["memory_ids"] == advice["memory_ids"]
    one = await memory.advise("SOURCE_SELECTION", BULLISH, SOURCES, choose="greedy", exploration=0.2, seed="a")
    assert one["log_with"]["propensity"] in (pytest.approx(0.8), pytest.approx(0.1))


async def test_claims_are_matched_by_their_facts_and_quarantined_memories_are_left_out(memory):
    claims = {
        "whales_bullish": ["context.market.trend=bullish", "reasoning.source=whales"],
        "whales_bearish": ["context.market.trend=bearish", "reasoning.source=whales"],
        "bullish": ["context.market.trend=bullish"],
        "other_source": ["reasoning.source=news"],
    }
    for name, features in claims.items():
        data = {"features": features, "decision_type": "SIGNAL_GENERATION", "status": "active", "confidence": 0.9}
        await memory.store_ltm("PATTERN", name, data)
    await memory.store_ltm("PATTERN", "no_features", {"confidence": 0.9})
    found = await memory.retrieve_ltm("PATTERN", matches=BULLISH)
    assert {one["pattern_id"] for one in found} >= {"whales_bullish", "bullish", "other_source"}
    assert not {one["pattern_id"] for one in found} & {"whales_bearish", "no_features"}
    advice = await memory.advise("SOURCE_SELECTION", BULLISH, SOURCES)
    whales = next(one for one in advice["options"] if one["option"] == "whales")
    assert "whales_bullish" in [one["memory_id"] for one in whales["claims"]]
    assert "bullish" in [one["memory_id"] for one in advice["claims"]]
    assert {"whales_bullish", "bullish"} <= set(advice["memory_ids"])
    assert not {"whales_bearish", "other_source"} & set(advice["memory_ids"])
    (stored,) = [one for one in found if one["pattern_id"] == "whales_bullish"]
    await memory.store_ltm("PATTERN", "whales_bullish", {**stored, "quarantined": {"reason": "poisoned"}})
    after = await memory.advise("SOURCE_SELECTION", BULLISH, SOURCES)
    assert "whales_bullish" not in after["memory_ids"]


async def test_a_quarantined_estimate_advises_nothing(stores, clock, estimate):
    agent = new_agent()
    with_estimate(stores, clock, estimate, agent)
    memory = MemoryManager(agent, stores=stores, clock=clock)
    (stored,) = await memory.retrieve_ltm("ESTIMATE")
    await memory.store_ltm("ESTIMATE", stored["pattern_id"], {**stored, "quarantined": True})
    advice = await memory.advise("SOURCE_SELECTION", BULLISH, SOURCES)
    assert advice["estimated_from"] is None
    assert all(one["is_prior"] and one["interval"] == [0, 1] for one in advice["options"])


async def test_a_memory_that_is_no_estimate_is_left_out_and_named(stores, clock, estimate):
    """Anybody who may write to a pool can store something under the id of an estimate; its readers still choose."""
    agent, pool = new_agent(), new_agent()
    with_estimate(stores, clock, estimate, pool)
    data = {**estimate.data, "success": {"options": [{"option": "whales"}]}}
    LongTermMemory(agent, stores.memories, clock).put("ESTIMATE", estimate.pattern_id, data)
    memory = MemoryManager(agent, stores=stores, clock=clock, pools=[pool])
    advice = await memory.advise("SOURCE_SELECTION", BULLISH, SOURCES, choose="thompson", recent=True)
    assert advice["estimated_from"]["agent_id"] == pool
    (missing,) = advice["missing"]
    assert (missing["id"], missing["reason"]) == (f"{agent} ESTIMATE {estimate.pattern_id}", "damaged")


async def test_without_any_estimate_every_option_has_the_wide_prior(stores, clock):
    memory = MemoryManager(new_agent(), stores=stores, clock=clock)
    advice = await memory.advise("TRADE", {}, ["long", "short"], choose="thompson", seed="1")
    assert [(one["expected"], one["interval"], one["is_prior"]) for one in advice["options"]] == [
        (0.5, [0.0, 1.0], True),
        (0.5, [0.0, 1.0], True),
    ]
    assert advice["log_with"]["propensity"] == pytest.approx(0.5, abs=1e-6)
    assert advice["memory_ids"] == []


async def test_advice_takes_two_requests_to_the_table(stores, clock, estimate):
    if not isinstance(stores.memories, DynamoDBMemories):
        pytest.skip("requests are counted on DynamoDB; this store sends none")
    agent = new_agent()
    with_estimate(stores, clock, estimate, agent)
    memory = MemoryManager(agent, stores=stores, clock=clock)
    events, sent = stores.memories._client.meta.events, []
    events.register("before-call.dynamodb", lambda model, **_: sent.append(model.name), unique_id="count")
    try:
        await memory.advise("SOURCE_SELECTION", BULLISH, SOURCES, choose="thompson")
    finally:
        events.unregister("before-call.dynamodb", unique_id="count")
    assert sorted(sent) == ["BatchGetItem", "Query"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"options": []}, "options"),
        ({"options": ["a", "a"]}, "options"),
        ({"options": [1]}, "options/0"),
        ({"options": ["x" * 65]}, "options/0"),
        ({"options": [str(n) for n in range(33)]}, "options"),
        ({"decision_type": "lower"}, "decision_type"),
        ({"context": ["a"]}, "context"),
        ({"count": 3}, "count"),
        ({"choose": "best"}, "choose"),
        ({"exploration": 1}, "exploration"),
        ({"seed": ""}, "seed"),
        ({"recent": "yes"}, "recent"),
    ],
)
async def test_an_invalid_question_names_its_argument(stores, clock, change, field):
    memory = MemoryManager(new_agent(), stores=stores, clock=clock)
    question = {"decision_type": "TRADE", "context": {}, "options": ["long", "short"], **change}
    with pytest.raises(InvalidInput) as caught:
        await memory.advise(**question)
    assert caught.value.field == field


MIDNIGHT = START + timedelta(days=DAYS)


def log_signals(stores, clock, agent, signals, *, known_at, memory_ids=(), cycle_id=None):
    """Log signals, each a source with its success and perhaps a P&L, whose results are known at a time."""
    log = DecisionLogger(agent, stores=stores, clock=clock).sync
    made_at = known_at - timedelta(minutes=40)
    for n, (source, success, *pnl) in enumerate(signals):
        decision_id = log.log_decision(
            "SIGNAL_GENERATION",
            BULLISH,
            {"source": source, **({"cycle_id": cycle_id} if cycle_id else {})},
            decision_id=decision_id_for("SIGNAL_GENERATION", made_at, f"{n} {known_at}"),
            memory_ids=list(memory_ids),
        )
        log.log_outcome(decision_id, {"pnl": pnl[0]} if pnl else {}, success, timestamp=known_at)


async def advised(memory, option, **asked):
    advice = await memory.advise("SOURCE_SELECTION", BULLISH, SOURCES, **asked)
    assert advice["missing"] == []
    (found,) = [one for one in advice["options"] if one["option"] == option]
    return found["expected"], found["deviation"], advice["estimated_from"]["recent_results"]


async def test_recent_results_count_only_with_recent(memory, stores, clock):
    log_signals(stores, clock, memory.agent_id, [("whales", False)] * 9, known_at=MIDNIGHT - timedelta(minutes=5))
    plain = await advised(memory, "whales")
    assert (plain[0] > 0.75, plain[2]) == (True, None)
    assert await advised(memory, "whales", recent=True) == (*plain[:2], 0)  # the estimate knew these
    others = await advised(memory, "macro")
    failed = [("whales", False)] * 9 + [("unknown", True)]
    log_signals(stores, clock, memory.agent_id, failed, known_at=MIDNIGHT + timedelta(minutes=10))
    assert await advised(memory, "whales") == plain
    expected, deviation, count = await advised(memory, "whales", recent=True)
    assert (expected < plain[0] - 0.05, deviation < plain[1], count) == (True, True, 10)
    assert (await advised(memory, "macro", recent=True))[:2] == others[:2]


async def test_decisions_of_one_cycle_count_as_one_recent_result(stores, clock, estimate):
    agents = [new_agent(), new_agent()]
    for agent, count in zip(agents, (1, 9), strict=True):
        with_estimate(stores, clock, estimate, agent)
        failed = [("whales", False)] * count
        log_signals(stores, clock, agent, failed, known_at=MIDNIGHT + timedelta(hours=1), cycle_id="17")
    one, nine = [
        await advised(MemoryManager(each, stores=stores, clock=clock), "whales", recent=True) for each in agents
    ]
    assert nine[:2] == pytest.approx(one[:2])


async def test_recent_decisions_that_rest_on_a_quarantined_memory_do_not_count(stores, clock, estimate):
    agent = new_agent()
    with_estimate(stores, clock, estimate, agent)
    memory = MemoryManager(agent, stores=stores, clock=clock)
    plain = await advised(memory, "whales")
    known_at = MIDNIGHT + timedelta(hours=1)
    log_signals(stores, clock, agent, [("whales", False)] * 9, known_at=known_at, memory_ids=["poisoned"])
    assert (await advised(memory, "whales", recent=True))[0] < plain[0]
    await memory.quarantine("poisoned", "it was injected")
    assert await advised(memory, "whales", recent=True) == (*plain[:2], 0)


async def test_recent_rewards_count_in_the_mean_reward(stores, clock, estimate):
    agent = new_agent()
    success = estimate.data["success"]
    reward = {**success, "path": "outcome.pnl", "mean": 0.0}
    data = {**estimate.data, "reward": reward}
    LongTermMemory(agent, stores.memories, clock).put("ESTIMATE", estimate.pattern_id, data)
    memory = MemoryManager(agent, stores=stores, clock=clock)
    plain = await advised(memory, "whales", result="reward")
    log_signals(
        stores, clock, agent, [("whales", False, -1.5), ("whales", True)], known_at=MIDNIGHT + timedelta(hours=1)
    )
    expected, _, count = await advised(memory, "whales", result="reward", recent=True)
    assert (expected < plain[0], count) == (True, 1)
    advice = await memory.advise("SOURCE_SELECTION", BULLISH, ["whales"], recent=True)
    assert advice["options"][0]["reward"]["expected"] == expected


async def test_advice_says_when_not_all_recent_decisions_count(stores, clock, estimate, monkeypatch):
    monkeypatch.setattr(recent_results, "MAX_RECENT", 3)
    agent = new_agent()
    with_estimate(stores, clock, estimate, agent)
    log_signals(stores, clock, agent, [("whales", False)] * 5, known_at=MIDNIGHT + timedelta(hours=1))
    memory = MemoryManager(agent, stores=stores, clock=clock)
    advice = await memory.advise("SOURCE_SELECTION", BULLISH, SOURCES, recent=True)
    assert advice["estimated_from"]["recent_results"] == 3
    assert [(one["id"], one["reason"]) for one in advice["missing"]] == [("decisions", "limit")]
