"""The usage examples from the design of the trading memory, unchanged except for the imports; and our own example."""

from types import SimpleNamespace

import pytest

from examples import trade_with_memory
from trading_agents import (
    Composer,
    HedgeAgentWithMemory,
    LiquidityAgentWithMemory,
    SentimentAgentWithMemory,
    TradingMemoryStore,
)

bars = [
    {
        "time": f"2026-11-20T{hour:02}:00:00Z",
        "features": {
            "hedge": {"net_gamma_exposure": -0.7, "smart_flow_signal": 0.4},
            "liquidity": {"amihud": 2.5, "close": 95, "value_area_low": 98, "value_area_high": 102},
            "sentiment": {"momentum": 1.8, "trend_strength": 30, "volatility": 0.01},
        },
    }
    for hour in range(4)
]


def test_a_single_agent_with_memory(capsys):
    # Create memory store (1-hour half-life)
    memory = TradingMemoryStore(decay_half_life=3600)

    # Create agent
    hedge_agent = HedgeAgentWithMemory(name="Hedge", memory=memory)

    # Simulate trading day
    for bar in bars:
        # Perceive current market
        hedge_agent.perceive("SPY", bar["time"], bar["features"])

        # Make decision with memory
        signal, conf, context = hedge_agent.act_with_memory("SPY", bar["time"], bar["features"])

        print(f"{bar['time']}: {signal} (conf={conf:.2f}, past_trades={context['past_trades']})")  # noqa: T201

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "2026-11-20T00:00:00Z: long (conf=0.70, past_trades=0)"
    assert lines[-1] == "2026-11-20T03:00:00Z: long (conf=0.56, past_trades=0)"


def test_agents_that_share_a_memory():
    # Shared memory across all agents
    shared_memory = TradingMemoryStore(decay_half_life=7200)  # 2-hour half-life

    # Create agents
    hedge = HedgeAgentWithMemory("Hedge", shared_memory)
    liquidity = LiquidityAgentWithMemory("Liquidity", shared_memory)
    sentiment = SentimentAgentWithMemory("Sentiment", shared_memory)
    composer = Composer()

    # All agents can learn from each other's observations
    for bar in bars:
        hedge.perceive("SPY", bar["time"], bar["features"])
        liquidity.perceive("SPY", bar["time"], bar["features"])
        sentiment.perceive("SPY", bar["time"], bar["features"])

        # Make decisions
        h_signal, h_conf, _ = hedge.act_with_memory("SPY", bar["time"], bar["features"])
        l_signal, l_conf, _ = liquidity.act_with_memory("SPY", bar["time"], bar["features"])
        s_signal, s_conf, _ = sentiment.act_with_memory("SPY", bar["time"], bar["features"])

        # Composer uses signals + memory context for final decision
        final_signal = composer.decide(
            [(h_signal, h_conf, hedge), (l_signal, l_conf, liquidity), (s_signal, s_conf, sentiment)]
        )

    assert final_signal == "long"
    assert SimpleNamespace(**final_signal.context).weights.keys() == {"Hedge", "Liquidity", "Sentiment"}


@pytest.mark.slow
def test_the_example_finds_the_informed_agent(capsys):
    trade_with_memory.main()
    printed = dict(line.split(": ", 1) for line in capsys.readouterr().out.splitlines())
    assert printed["loaded unchanged"] == "True"
    weights = eval(printed["weights"])  # noqa: S307  printed by our own program
    assert weights["Hedge"] > 0.8
