"""Which sources a cycle queries, in what order, and what becomes of one that does not answer."""

import pytest

from agent_memory import DecisionLogger, InvalidInput, MemoryManager, Unavailable
from agent_memory.core.clock import FixedClock
from agent_memory.storage.factory import in_memory_stores
from tests.unit.trading_agents.market_hunter.hunter_samples import HOUR, SOURCES, START, market
from trading_agents import IntegratedMarketHunterAgent, MarketContext, MemoryAwareMarketHunterAgent

NAMES = [f"s{n}" for n in range(8)]


class Counted:
    """Sources that count how often they are queried."""

    def __init__(self, names=NAMES):
        self.calls = dict.fromkeys(names, 0)
        self.errors = {}

    def sources(self):
        return {name: self._source(name) for name in self.calls}

    def _source(self, name):
        def read(data):
            self.calls[name] += 1
            if name in self.errors:
                raise self.errors[name]
            return 0.5 * data["next"]

        return read


def hunter(counted, **changes):
    clock = FixedClock(int((START + 60 * HOUR).timestamp() * 1_000))
    memory = MemoryManager("hunter", stores=in_memory_stores(clock), clock=clock)
    logger = DecisionLogger("hunter", memory_manager=memory, clock=clock)
    sources = counted.sources()
    settings = {"exploration_rate": 0.0, "timer": None, **changes}
    return MemoryAwareMarketHunterAgent("hunter", 0.1, memory, logger, sources=sources, **settings)


async def newest(agent, decision_type):
    return (await agent.logger.query_decisions(decision_type))[0]


@pytest.mark.parametrize(("ask", "calls"), [("all", 8), ("chosen", 2)])
async def test_all_sources_are_asked_or_only_the_chosen(ask, calls):
    counted = Counted()
    agent = hunter(counted, ask=ask)
    signals = await agent.run_cycle_with_memory(market(0), 2)
    assert sum(counted.calls.values()) == calls
    assert [one["source"] for one in signals] == ["s0", "s1"]
    query = await newest(agent, "QUERY")
    assert len(query["reasoning"]["sources"]) == len(query["outcome"]["readings"]) == calls
    assert query["reasoning"]["parameters"] == {"ask": ask, "max_sources": 2}
    logged = await agent.logger.query_decisions("SIGNAL_GENERATION")
    assert len(logged) == calls
    assert sum(bool(one["reasoning"]["targets"]) for one in logged) == 2
    propensities = (await newest(agent, "SOURCE_SELECTION"))["reasoning"]["propensities"]
    assert len(propensities) == 8  # so that it can be learned from what was chosen
    plain = Counted()
    without_memory = IntegratedMarketHunterAgent("h", 0.1, sources=plain.sources(), exploration_rate=0.0, ask=ask)
    await without_memory.run_cycle(market(0), 2)
    assert sum(plain.calls.values()) == calls


async def test_only_chosen_sources_are_judged_and_exploration_reaches_the_others():
    counted = Counted()
    agent = hunter(counted, ask="chosen", exploration_rate=0.5)
    for n in range(40):
        await agent.run_cycle_with_memory(market(n), 1)
    assert sum(counted.calls.values()) == 40
    assert sum(calls > 0 for calls in counted.calls.values()) > 4
    judged = {source: one.judged for source, one in agent.scores.details("bullish").items()}
    last = agent.last_selection.selected[0]
    assert judged == {source: calls - (source == last) for source, calls in counted.calls.items()}


@pytest.mark.parametrize("ask", ["all", "chosen"])
async def test_a_source_at_its_limit_is_not_asked_and_the_next_best_replaces_it(ask):
    counted = Counted()
    agent = hunter(counted, ask=ask, rate_limits={"s0": 2})
    for n in range(3):
        signals = await agent.run_cycle_with_memory(market(n), 2)
    assert counted.calls["s0"] == 2
    assert len(signals) == 2
    assert "s0" not in {one["source"] for one in signals}
    query = await newest(agent, "QUERY")
    assert query["outcome"]["failed"] == {"s0": "rate limit"}
    assert query["reasoning"]["parameters"]["limits"] == {"s0": 2}
    assert query["reasoning"]["fallback"] == "next_best"
    assert query["reasoning"]["priority"]["s0"] == 1
    replacing = [
        one["reasoning"]
        for one in await agent.logger.query_decisions("SIGNAL_GENERATION", context_filter={"cycle": 2})
        if one["reasoning"].get("fallback")
    ]
    assert [one["chosen"] for one in replacing] == [False]
    assert replacing[0]["targets"]
    # Each query was counted once, in its time: by the limit or with the cycle.
    assert (await agent.memory.check_rate_limit("s0", 100))["remaining"] == 100 - 3 - 1
    assert (await agent.memory.check_rate_limit("s1", 100))["remaining"] == 100 - counted.calls["s1"] - 1


@pytest.mark.parametrize("error", [Unavailable("down"), TimeoutError("late"), ConnectionError("refused")])
async def test_a_source_that_is_down_is_named_and_replaced(error):
    counted = Counted()
    counted.errors = {"s0": error}
    agent = hunter(counted, ask="chosen")
    signals = await agent.run_cycle_with_memory(market(0), 2)
    assert [one["source"] for one in signals] == ["s1", "s2"]
    failed = (await newest(agent, "QUERY"))["outcome"]["failed"]
    assert failed == {"s0": f"{type(error).__name__}: {error}"}
    # The query was sent, and counts against the limit.
    assert (await agent.memory.check_rate_limit("s0", 100))["remaining"] == 98


async def test_if_no_source_answers_the_query_has_failed():
    counted = Counted(["a", "b"])
    counted.errors = {"a": Unavailable("down"), "b": OSError("down")}
    agent = hunter(counted)
    assert await agent.run_cycle_with_memory(market(0), 2) == []
    assert (await newest(agent, "QUERY"))["success"] is False
    assert (await newest(agent, "SOURCE_SELECTION"))["success"] is False


async def test_a_source_reads_the_market_data_of_the_cycle():
    prices = [100.0 + (n % 7) for n in range(100)]
    agent = IntegratedMarketHunterAgent("h", 0.1)
    for source in agent.sources:
        with pytest.raises(InvalidInput, match="no cycle has run yet") as caught:
            await agent.query_source(source)
        assert caught.value.field == "market_data"
    await agent.run_cycle({"context": MarketContext.BULLISH, "close": prices}, 2)
    for source in agent.sources:
        assert (await agent.query_source(source))["reading"] is not None
    aware = hunter(Counted())
    await aware.run_cycle_with_memory(market(1), 2)
    assert (await aware.query_source("s0"))["reading"] == 0.5


async def test_an_agent_can_query_its_sources_as_the_design_does():
    """A subclass whose `query_source` takes the source alone."""

    class Own(MemoryAwareMarketHunterAgent):
        async def query_source(self, source):
            return {"source": source, "reading": 0.3, "own": True}

    agent = Own("hunter", 0.1, sources=SOURCES)
    assert all(one["own"] for one in await agent.run_cycle_with_memory(market(0), 2))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ask": "some"}, "ask"),
        ({"rate_limits": {"s9": 1}}, "rate_limits/s9"),
        ({"rate_limits": {"s1": 0}}, "rate_limits/s1"),
        ({"target_agents": ["A b"]}, "target_agents/0"),
        ({"checkpoint_cycles": 0}, "checkpoint_cycles"),
    ],
)
def test_invalid_settings_are_named(changes, field):
    with pytest.raises(InvalidInput) as caught:
        hunter(Counted(), **changes)
    assert caught.value.field == field


def test_a_source_whose_name_cannot_be_a_key_is_named():
    with pytest.raises(InvalidInput) as caught:
        hunter(Counted(["whale flow"]))
    assert caught.value.field == "sources/whale flow"
