"""The base agent does what its design says, step by step, and its rules keep to their limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.core.errors import InvalidInput
from tests.unit.trading_agents.agents.reference_agents import PlainAgent, PlainHedgeAgent
from trading_agents import (
    HedgeAgentWithMemory,
    MemoryAwareAgent,
    PosteriorRule,
    TradingMemoryItem,
    TradingMemoryStore,
    Unchanged,
    WinRateRule,
)

NOW = 1_795_176_000.0


class Ticking:
    """A clock that a test moves on."""

    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


signed = st.floats(-3, 3).map(lambda value: round(value, 2))
features = st.fixed_dictionaries(
    {},
    optional={
        "hedge": st.fixed_dictionaries({}, optional={"net_gamma_exposure": signed, "smart_flow_signal": signed}),
        "liquidity": st.fixed_dictionaries({}, optional={"amihud": signed}),
        "sentiment": st.fixed_dictionaries({}, optional={"momentum": signed}),
    },
)
steps = st.lists(st.tuples(st.sampled_from(["SPY", "BTC"]), features, st.none() | signed, st.floats(0, 9_000)))


@given(steps=steps, agents=st.sampled_from([(MemoryAwareAgent, PlainAgent), (HedgeAgentWithMemory, PlainHedgeAgent)]))
def test_a_life_of_an_agent_is_that_of_the_design(steps, agents):
    ours, plain = agents
    clock = Ticking()
    stores = [TradingMemoryStore(3_600, clock=clock) for _ in range(2)]
    lives = [ours("Hedge", stores[0]), plain("Hedge", stores[1])]
    for number, (symbol, seen, pnl, passed) in enumerate(steps):
        clock.now += passed
        told = []
        for agent in lives:
            agent.perceive(symbol, number, seen)
            if pnl is not None:
                agent.remember_outcome(symbol, f"t{number}", pnl, 100.0, 101.0)
                agent.memory.add("market_event", "gamma squeeze", 1.5, symbol)
            recalled = agent.recall(symbol, "strong squeeze win")
            told.append((agent.act_with_memory(symbol, number, seen), recalled))
        assert told[0] == told[1]
    assert stores[0].items == list(stores[1].items)


def outcomes_in(memory, *profits, symbol="SPY"):
    for pnl in profits:
        memory.append(TradingMemoryItem("outcome", "x", 1.0, symbol, {"pnl": pnl}, timestamp=NOW))


class Sure(MemoryAwareAgent):
    def _base_decision(self, symbol, features):  # noqa: ARG002
        return "long", 0.9


def confidence_after(rule, *profits, others=()):
    memory = TradingMemoryStore(clock=Ticking())
    outcomes_in(memory, *profits)
    outcomes_in(memory, *others, symbol="BTC")
    return Sure("A", memory, confidence_rule=rule).act_with_memory("SPY", 0, {})[1]


@pytest.mark.parametrize(
    ("rule", "profits", "expected"),
    [
        (None, [], 0.9),
        (None, [-1, -1, 1], 0.9 * 0.7),
        (None, [1, 1, -1], 1.0),
        (None, [1, -1], 0.9),
        (WinRateRule(min_outcomes=4), [-1, -1, -1], 0.9),
        (WinRateRule(min_outcomes=4), [-1, -1, -1, -1], 0.9 * 0.7),
        (WinRateRule(boost=1.05), [1, 1, 1], 0.9 * 1.05),
        (Unchanged(), [-1] * 10, 0.9),
        (PosteriorRule(), [-1] * 29, 0.9),
        (PosteriorRule(), [-1] * 30, 0.9 * 0.7),
        (PosteriorRule(), [1, 1, -1] * 10, 0.9),
    ],
)
def test_each_rule_changes_confidence_by_what_it_says(rule, profits, expected):
    assert confidence_after(rule, *profits) == pytest.approx(expected, rel=1e-12)


def test_a_posterior_is_shrunk_to_the_pooled_rate():
    rule = PosteriorRule()
    # 6 of 30 won here, 66 of 132 in all: p0 = 67/134 = 0.5, p = (30 * 0.5 + 6) / 60 = 0.35; wins and losses of 1.
    here, everywhere = [1] * 6 + [-1] * 24, [1] * 66 + [-1] * 66
    assert rule.expected_profit(here, everywhere) == pytest.approx(0.35 - 0.65)
    # A loser that wins rarely but much is no loser.
    assert rule.expected_profit(here, [4] * 66 + [-1] * 66) == pytest.approx(0.35 * 4 - 0.65)


def test_no_rule_changes_confidence_by_more_than_thirty_percent():
    class Wild:
        def factor(self, record):
            return 0.0 if record.win_rate < 0.5 else 9.0

    assert confidence_after(Wild(), -1) == pytest.approx(0.9 * 0.7)
    assert confidence_after(Wild(), 1) == 1.0
    for made, field in ((lambda: WinRateRule(cut=0.6), "cut"), (lambda: WinRateRule(boost=1.4), "boost")):
        with pytest.raises(InvalidInput) as caught:
            made()
        assert caught.value.field == field


@pytest.mark.parametrize(
    ("seen", "field"),
    [
        ({"liquidity": {"amihud": "high"}}, "features.liquidity.amihud"),
        ({"sentiment": [1, 2]}, "features.sentiment"),
    ],
)
def test_readings_that_are_no_numbers_are_named(seen, field):
    with pytest.raises(InvalidInput) as caught:
        MemoryAwareAgent("A", TradingMemoryStore()).perceive("SPY", 0, seen)
    assert caught.value.field == field


def test_readings_that_are_not_there_yet_are_neutral():
    memory = TradingMemoryStore()
    agent = HedgeAgentWithMemory("A", memory)
    agent.perceive("SPY", 0, {"liquidity": {"amihud": None}, "sentiment": {"momentum": float("nan")}})
    assert memory.items == []
    nothing = {"hedge": {"net_gamma_exposure": float("nan"), "smart_flow_signal": None}}
    assert agent.act_with_memory("SPY", 0, nothing)[:2] == ("neutral", 0.4)
    with pytest.raises(InvalidInput, match="pnl"):
        agent.remember_outcome("SPY", "t", float("nan"), 1.0, 1.0)
