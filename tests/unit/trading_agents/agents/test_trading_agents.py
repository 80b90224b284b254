"""What each agent decides, and what it learns."""

import pytest

from trading_agents import (
    HedgeAgentWithMemory,
    LiquidityAgentWithMemory,
    MarkovAgentWithMemory,
    SentimentAgentWithMemory,
    TradingMemoryStore,
    WyckoffAgentWithMemory,
)

ALL = (
    HedgeAgentWithMemory,
    LiquidityAgentWithMemory,
    SentimentAgentWithMemory,
    WyckoffAgentWithMemory,
    MarkovAgentWithMemory,
)


def voted(agent, group, **readings):
    return agent.act_with_memory("SPY", 0, {group: readings})[:2]


def agent_of(kind):
    return kind("A", TradingMemoryStore())


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("features", [{}, {"hedge": {}}, {"other": {"x": 1}}])
def test_without_readings_every_agent_is_neutral(kind, features):
    assert agent_of(kind).act_with_memory("SPY", 0, features) == (
        "neutral",
        0.4,
        {"past_trades": 0, "win_rate": 0.5},
    )


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ({"close": 95, "value_area_low": 98, "value_area_high": 102, "poc": 100}, ("long", 0.6)),
        ({"close": 105, "value_area_low": 98, "value_area_high": 102, "poc": 100}, ("short", 0.6)),
        ({"close": 100, "value_area_low": 98, "value_area_high": 102, "poc": 100}, ("neutral", 0.4)),
        ({"close": 95, "value_area_low": 98, "value_area_high": 102, "poc": 90}, ("neutral", 0.4)),
        ({"close": 95, "value_area_low": 98, "value_area_high": 102, "amihud": 2.5}, ("long", pytest.approx(0.48))),
    ],
)
def test_the_liquidity_agent_trades_back_to_value(readings, expected):
    assert voted(agent_of(LiquidityAgentWithMemory), "liquidity", **readings) == expected


def test_the_liquidity_agent_learns_the_usual_impact_of_each_regime():
    agent = agent_of(LiquidityAgentWithMemory)
    low = {"close": 95, "value_area_low": 98, "value_area_high": 102}

    def confidence(impact, regime):
        features = {"liquidity": {**low, "kyle_lambda": impact}, "markov": {"regime": regime}}
        return agent.act_with_memory("SPY", 0, features)[1]

    for _ in range(10):
        assert confidence(1.0, "calm") == 0.6
        assert confidence(5.0, "turbulent") == 0.6
    assert confidence(5.0, "calm") == pytest.approx(0.48)
    assert confidence(5.0, "turbulent") == 0.6


@pytest.mark.parametrize(
    ("momentum", "strength", "expected"),
    [
        (1.0, 30, ("long", 0.65)),
        (-1.0, 30, ("short", 0.65)),
        (2.0, 10, ("short", 0.5)),
        (-2.0, 10, ("long", 0.5)),
        (2.0, 22, ("neutral", 0.4)),
        (0.2, 40, ("neutral", 0.4)),
    ],
)
def test_the_sentiment_agent_follows_trends_and_fades_the_rest(momentum, strength, expected):
    agent = agent_of(SentimentAgentWithMemory)
    assert voted(agent, "sentiment", momentum=momentum, trend_strength=strength) == expected


def test_the_sentiment_agent_is_cautious_where_sentiment_turns_or_volatility_is_unusual():
    agent = agent_of(SentimentAgentWithMemory)
    for momentum in (2.0, -2.0, 2.0):
        agent.perceive("SPY", 0, {"sentiment": {"momentum": momentum}})
    assert voted(agent, "sentiment", momentum=1.0, trend_strength=30) == ("long", pytest.approx(0.52))
    assert agent.act_with_memory("BTC", 0, {"sentiment": {"momentum": 1.0, "trend_strength": 30}})[1] == 0.65
    calm = agent_of(SentimentAgentWithMemory)
    for _ in range(10):
        voted(calm, "sentiment", volatility=0.01)
    seen = {"momentum": 1.0, "trend_strength": 30}
    assert voted(calm, "sentiment", volatility=0.021, **seen)[1] == pytest.approx(0.52)
    assert voted(calm, "sentiment", volatility=0.019, **seen)[1] == 0.65


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ({"spring": True, "phase": "markdown"}, ("long", 0.7)),
        ({"upthrust": True}, ("short", 0.7)),
        ({"phase": "Accumulation"}, ("long", 0.5)),
        ({"phase": "distribution"}, ("short", 0.5)),
        ({"spring": False, "phase": "unknown"}, ("neutral", 0.4)),
    ],
)
def test_the_wyckoff_agent_trades_its_setups(readings, expected):
    assert voted(agent_of(WyckoffAgentWithMemory), "wyckoff", **readings) == expected


def test_the_wyckoff_agent_learns_what_came_of_its_springs_alone():
    agent = agent_of(WyckoffAgentWithMemory)
    for number in range(10):
        voted(agent, "wyckoff", spring=True)
        agent.remember_outcome("SPY", f"t{number}", -1.0, 100, 99)
    assert agent.success_rate("SPY", "spring") == (0.25, 10)
    # × 0.7 for springs, by their record, and × 0.7 for the win rate of all.
    assert voted(agent, "wyckoff", spring=True) == ("long", pytest.approx(0.7 * 0.7 * 0.7))
    assert voted(agent, "wyckoff", upthrust=True) == ("short", pytest.approx(0.7 * 0.7))


def test_an_outcome_counts_for_the_setup_that_its_trade_was_decided_on():
    agent = agent_of(WyckoffAgentWithMemory)
    voted(agent, "wyckoff", spring=True)
    assert agent.setup("SPY") == "spring"
    voted(agent, "wyckoff", phase="unknown")
    assert agent.setup("SPY") == agent.setup("BTC") == ""
    voted(agent, "wyckoff", phase="markdown")
    for number in range(10):
        agent.remember_outcome("SPY", f"t{number}", 1.0, 100, 101, setup="spring")
    assert agent.success_rate("SPY", "spring") == (0.75, 10)
    assert agent.success_rate("SPY", "markdown") == (0.5, 0)
    assert agent.weigh("SPY", 0.5, "spring") == (pytest.approx(0.5 * 1.3 * 1.2), 1.0)
    assert agent.weigh("SPY", 0.5) == (pytest.approx(0.5 * 1.2), 1.0)


def test_the_markov_agent_learns_how_long_regimes_last():
    agent = agent_of(MarkovAgentWithMemory)
    for regime in ["calm"] * 9 + ["turbulent"] * 2 + ["calm"]:
        agent.act_with_memory("SPY", 0, {"markov": {"regime": regime, "p_turbulent": 0.2}})
    # Out of calm: 8 times calm, once turbulent; with one more each.
    assert agent.transitions("SPY", "calm") == {"calm": pytest.approx(9 / 11), "turbulent": pytest.approx(2 / 11)}
    assert voted(agent, "markov", regime="calm") == ("long", pytest.approx(0.6 * 9 / 11))
    assert agent.transitions("BTC", "calm") == {"calm": 1.0}
    assert voted(agent, "markov", regime="calm", p_turbulent=0.9)[0] == "neutral"
    assert voted(agent, "markov", regime="bear")[0] == "short"
    assert "Regime changed from calm to turbulent" in [item.content for item in agent.memory.items]


def test_agents_that_share_a_memory_learn_from_each_others_observations():
    shared = TradingMemoryStore(decay_half_life=7_200)
    hedge, liquidity = HedgeAgentWithMemory("Hedge", shared), LiquidityAgentWithMemory("Liquidity", shared)
    for amihud in (2.5, 3.0, 3.5):
        liquidity.perceive("SPY", 0, {"liquidity": {"amihud": amihud}})
    assert voted(hedge, "hedge", net_gamma_exposure=-0.7, smart_flow_signal=0.5) == ("long", pytest.approx(0.56))
    alone = agent_of(HedgeAgentWithMemory)
    assert voted(alone, "hedge", net_gamma_exposure=-0.7, smart_flow_signal=0.5) == ("long", 0.7)
