"""The base agent and the hedge agent do what the design of the trading memory says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory import InvalidInput
from tests.unit.trading_agents.agents.reference_agents import ReferenceAgent, ReferenceHedgeAgent
from trading_agents import (
    AS_DESIGNED,
    HedgeAgentWithMemory,
    MemoryAwareAgent,
    TradingMemoryStore,
)

NOW = 1_795_176_000.0


class ManualClock:
    """A clock that only the test advances."""

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


@given(
    steps=steps,
    agents=st.sampled_from([(MemoryAwareAgent, ReferenceAgent), (HedgeAgentWithMemory, ReferenceHedgeAgent)]),
)
def test_agents_behave_as_in_the_design(steps, agents):
    ours, reference = agents
    clock = ManualClock()
    stores = [TradingMemoryStore(3_600, clock=clock) for _ in range(2)]
    settings = dict(AS_DESIGNED) | ({"remember_squeezes": False} if ours is HedgeAgentWithMemory else {})
    both = [ours("Hedge", stores[0], **settings), reference("Hedge", stores[1])]
    for number, (symbol, seen, pnl, passed) in enumerate(steps):
        clock.now += passed
        results = []
        for agent in both:
            agent.perceive(symbol, number, seen)
            if pnl is not None:
                agent.remember_outcome(symbol, f"t{number}", pnl, 100.0, 101.0)
                agent.memory.add("market_event", "gamma squeeze", 1.5, symbol)
            recalled = agent.recall(symbol, "strong squeeze win")
            results.append((agent.act_with_memory(symbol, number, seen), recalled))
        assert results[0] == results[1]
    assert stores[0].items == list(stores[1].items)


@pytest.mark.parametrize(
    ("seen", "field"),
    [
        ({"liquidity": {"amihud": "high"}}, "features.liquidity.amihud"),
        ({"sentiment": [1, 2]}, "features.sentiment"),
    ],
)
def test_features_that_are_not_numbers_are_named(seen, field):
    with pytest.raises(InvalidInput) as caught:
        MemoryAwareAgent("A", TradingMemoryStore()).perceive("SPY", 0, seen)
    assert caught.value.field == field


def test_missing_features_are_neutral():
    memory = TradingMemoryStore()
    agent = HedgeAgentWithMemory("A", memory)
    agent.perceive("SPY", 0, {"liquidity": {"amihud": None}, "sentiment": {"momentum": float("nan")}})
    assert memory.items == []
    missing = {"hedge": {"net_gamma_exposure": float("nan"), "smart_flow_signal": None}}
    assert agent.act_with_memory("SPY", 0, missing)[:2] == ("neutral", 0.4)
    with pytest.raises(InvalidInput, match="pnl"):
        agent.remember_outcome("SPY", "t", float("nan"), 1.0, 1.0)


def test_a_setup_that_was_seen_three_times_this_week_is_met_with_caution():
    clock = ManualClock()
    agent = HedgeAgentWithMemory("A", TradingMemoryStore(86_400 * 30, clock=clock))
    squeeze, calm = ({"hedge": {"net_gamma_exposure": g, "smart_flow_signal": 0.5}} for g in (-0.7, 0.0))

    def confidence(seen):
        clock.now += 60
        return agent.act_with_memory("SPY", clock.now, seen)[1]

    values = []
    for _ in range(4):
        values += [confidence(squeeze), confidence(squeeze), confidence(calm)][:1]
    assert values == [0.7, 0.7, 0.7, pytest.approx(0.56)]
    assert agent.times_seen("SPY", "long") == 4
    assert confidence({"hedge": {"net_gamma_exposure": 0.7, "smart_flow_signal": -0.5}}) == 0.7
    clock.now += 8 * 86_400
    assert confidence(squeeze) == 0.7


def test_trades_that_were_opened_are_counted_up_to_five():
    agent = MemoryAwareAgent("A", TradingMemoryStore())
    for number in range(7):
        agent.remember_trade("SPY", f"t{number}", "long", 100.5)
        assert agent.act_with_memory("SPY", number, {})[2]["past_trades"] == min(number + 1, 5)
    assert agent.act_with_memory("QQQ", 0, {})[2]["past_trades"] == 0
    newest = agent.memory.get_recent(kind="trade", symbol="SPY", n=1)[0]
    assert newest.content == "Trade t6 opened: long at 100.5"
    assert newest.metadata == {"trade_id": "t6", "signal": "long", "entry": 100.5}


@pytest.mark.parametrize("price", [0, -1.0, float("nan"), float("inf")])
def test_a_trade_has_a_price(price):
    with pytest.raises(InvalidInput, match="entry_price"):
        MemoryAwareAgent("A", TradingMemoryStore()).remember_trade("SPY", "t", "long", price)
