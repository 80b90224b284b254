"""Memory is enabled step by step: logging only, then short-term memory, then long-term memory."""

import pytest

from agent_memory import AgentMemoryClient, DecisionLogger, Experiment, MemoryManager
from agent_memory.core.clock import FixedClock
from agent_memory.storage.factory import in_memory_stores
from tests.unit.trading_agents.market_hunter.hunter_samples import HOUR, SOURCES, START, market
from trading_agents import IntegratedMarketHunterAgent, MarketContext, MemoryAwareMarketHunterAgent

AGENT = "market-hunter"
LEARNED = {"context": "bullish", "source": "silent", "success_rate": 1.0, "confidence": 0.9, "description": "lies"}


@pytest.fixture
def stores():
    clock = FixedClock(int((START + 60 * HOUR).timestamp() * 1_000))
    opened = in_memory_stores(clock)
    MemoryManager(AGENT, stores=opened, clock=clock).sync.store_ltm("PATTERN", "silence", LEARNED)
    return opened, clock


def memory_of(stores):
    return MemoryManager(AGENT, stores=stores[0], clock=stores[1])


def logger_of(stores):
    return DecisionLogger(AGENT, stores=stores[0], clock=stores[1])


async def run(agent, cycles=26):
    return [await agent.run_cycle_with_memory(market(n), 2) for n in range(cycles)]


def hunter(memory=None, logger=None, **changes):
    return MemoryAwareMarketHunterAgent(AGENT, 0.1, memory, logger, sources=SOURCES, exploration_rate=0.0, **changes)


async def test_without_both_it_is_the_agent_without_memory():
    plain = IntegratedMarketHunterAgent(AGENT, 0.1, sources=SOURCES, exploration_rate=0.0)
    expected = [await plain.run_cycle(market(n), 2) for n in range(26)]
    agent = hunter()
    assert await run(agent) == expected
    assert agent.scores.of("bullish") == plain.scores.of("bullish")
    assert await agent.select_sources_with_memory(MarketContext.BULLISH, 1) == (["always_right"], None)
    assert await agent.learn_from_outcomes() == []


async def test_logging_only(stores):
    agent = hunter(logger=logger_of(stores))
    signals = await run(agent)
    assert signals == await run(hunter())
    decisions = await agent.logger.query_decisions(limit=1_000)
    assert {one["decision_type"] for one in decisions} == {"SOURCE_SELECTION", "QUERY", "SIGNAL_GENERATION", "LEARNING"}
    assert [one["success"] for one in decisions].count(None) == 4  # three signals and a LEARNING of the last cycle
    assert not any(one["memory_ids"] for one in decisions)
    patterns = await agent.learn_from_outcomes(START + 26 * HOUR)
    assert "always_right_in_bullish" in {one["id"] for one in patterns}
    assert [one["pattern_id"] for one in await memory_of(stores).retrieve_ltm("PATTERN")] == ["silence"]
    assert await memory_of(stores).load_state() is None
    assert (await memory_of(stores).read_cycle())["context"] is None
    _, decision_id = await agent.select_sources_with_memory(MarketContext.BULLISH, 1)
    assert (await agent.logger.get_decision(decision_id))["context"]["recent_performance"] is None


async def test_short_term_memory_beside_logging(stores):
    agent = hunter(memory_of(stores), logger_of(stores), long_term=False)
    await run(agent)
    newest = (await agent.logger.query_decisions("SOURCE_SELECTION"))[0]
    assert newest["context"]["recent_performance"]["always_right"] > 0.9
    assert newest["context"]["applied_patterns"] == newest["memory_ids"] == []
    assert (await agent.memory.read_cycle())["context"]["market"] == "bullish"
    assert (await agent.memory.load_state())["data"]["current_cycle"] == 26
    assert await agent.learn_from_outcomes(START + 26 * HOUR)
    assert [one["pattern_id"] for one in await agent.memory.retrieve_ltm("PATTERN")] == ["silence"]


async def test_long_term_memory_beside_both(stores):
    agent = hunter(memory_of(stores), logger_of(stores))
    await run(agent)
    newest = (await agent.logger.query_decisions("SOURCE_SELECTION"))[0]
    assert newest["memory_ids"] == ["silence"]
    assert newest["reasoning"]["score_breakdown"] == {"silent": {"learned": 0.5, "silence": 1.0}}
    assert newest["reasoning"]["scores"]["silent"] == 0.75
    await agent.learn_from_outcomes(START + 26 * HOUR)
    assert len(await agent.memory.retrieve_ltm("PATTERN")) > 1


async def test_memory_without_a_log(stores):
    agent = hunter(memory_of(stores), long_term=False)
    assert await run(agent) == await run(hunter())
    assert (await logger_of(stores).query_decisions()) == []
    found = await agent.memory.read_cycle()
    assert (found["context"]["cycle"], found["decision_ids"]) == (25, [])
    with_log = hunter(memory_of(stores), logger_of(stores))  # of decisions that were not logged nothing is expected
    await with_log.run_cycle_with_memory(market(26), 2)
    assert await with_log.logger.query_decisions("SIGNAL_GENERATION", success_filter=True) == []


async def test_one_client_is_both():
    assert {"write_shards", "write_cycle", "save_state", "log_decisions"} <= set(dir(AgentMemoryClient))


class OneSource:
    """An adviser that expects one source to be right."""

    def __init__(self, source):
        self.source, self.asked = source, 0

    async def advise(self, _decision_type, _context, options, *, recent):
        assert recent
        self.asked += 1
        known = [{"option": one, "expected": float(one == self.source), "is_prior": False} for one in options]
        return {"options": known, "memory_ids": ["advice"]}


async def test_an_adviser_decides_without_any_other_memory(stores):
    adviser = OneSource("always_wrong")
    agent = hunter(logger=logger_of(stores), adviser=adviser)
    await run(agent, cycles=5)
    selections = await agent.logger.query_decisions("SOURCE_SELECTION")
    assert adviser.asked == 5
    assert all(one["reasoning"]["selected"][0] == "always_wrong" for one in selections)
    assert all(one["memory_ids"] == ["advice"] for one in selections)


async def test_an_experiment_withholds_advice_from_some_cycles_and_says_from_which(stores):
    agent = hunter(logger=logger_of(stores), adviser=OneSource("always_wrong"), experiment=Experiment("advice", 0.5))
    await run(agent)
    decisions = await agent.logger.query_decisions(limit=1_000)
    withheld = {}
    for one in decisions:
        if one["decision_type"] == "SOURCE_SELECTION":
            (entry,) = one["metadata"]["experiments"]
            withheld[one["context"]["cycle"]] = entry["withheld"]
            assert entry["unit_id"] == f"{AGENT}/{one['context']['cycle']}"
            assert one["memory_ids"] == ([] if entry["withheld"] else ["advice"])
    assert set(withheld.values()) == {True, False}
    signals = [one for one in decisions if one["decision_type"] == "SIGNAL_GENERATION"]
    for one in signals:
        logged = one["metadata"].get("experiments", [])
        expected = [withheld[one["context"]["cycle"]]] if one["reasoning"]["chosen"] else []
        assert [entry["withheld"] for entry in logged] == expected


@pytest.mark.parametrize(
    ("withholds", "is_named"),
    [
        ({}, False),
        ({"memory_type": "PATTERN"}, False),
        ({"memory_id": "silence"}, False),
        ({"memory_type": "ESTIMATE"}, True),
        ({"memory_id": "another"}, True),
    ],
)
async def test_an_experiment_withholds_what_it_says_and_nothing_else(stores, withholds, is_named):
    """Else what it shows under the name of one memory is what all of them are worth."""
    agent = hunter(memory_of(stores), logger_of(stores), experiment=Experiment("some", 0.5, **withholds))
    await run(agent)
    named = {True: set(), False: set()}
    for one in await agent.logger.query_decisions("SOURCE_SELECTION", context_filter={"market": "bullish"}, limit=100):
        (entry,) = one["metadata"]["experiments"]
        named[entry["withheld"]].add("silence" in one["memory_ids"])
    assert named == {True: {is_named}, False: {True}}


async def test_signals_say_with_which_probability_their_source_was_selected(stores):
    agent = hunter(memory_of(stores), logger_of(stores))
    await run(agent, cycles=3)
    signals = await agent.logger.query_decisions("SIGNAL_GENERATION")
    assert {one["policy"] for one in signals} == {"hunter"}
    assert all(one["propensity"] == (one["reasoning"]["propensity"] or None) for one in signals)
    assert {one["propensity"] for one in signals} == {1.0, None}  # nothing is explored


def test_sources_on_which_memory_cannot_advise_are_named(stores, caplog):
    sources = {f"source-{n}": SOURCES["steady"] for n in range(33)}
    MemoryAwareMarketHunterAgent(AGENT, 0.1, memory_of(stores), sources=dict(list(sources.items())[:32]))
    assert not caplog.text
    MemoryAwareMarketHunterAgent(AGENT, 0.1, memory_of(stores), sources=sources)
    assert caplog.text.rstrip().endswith("characters: source-32")
