"""Several agents with a shared memory perceive, vote and learn; a composer combines them. Needs no deployment."""

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trading_agents import (
    AgentHealth,
    Composer,
    HedgeAgentWithMemory,
    LiquidityAgentWithMemory,
    LossMemory,
    MarketOutcome,
    SentimentAgentWithMemory,
    TradingMemoryStore,
    VolatilityMemory,
)

HOUR_SECONDS = 3_600.0


def bars(count: int, seed: int = 7) -> Iterator[dict[str, Any]]:
    """Yield simulated hourly bars: random prices, and features that contain a little information on the next return."""
    chance, price = random.Random(seed), 100.0  # noqa: S311
    for hour in range(count):
        next_return = chance.gauss(0.0, 0.004)
        hint = chance.gauss(150 * next_return, 1.0)
        yield {
            "time": hour * HOUR_SECONDS,
            "next_return": next_return,
            "features": {
                "hedge": {"net_gamma_exposure": -hint, "smart_flow_signal": hint},
                "liquidity": {
                    "amihud": chance.gauss(0.0, 1.0),
                    "close": price,
                    "value_area_low": price * (1 + 0.002 * chance.gauss(0.0, 1.0)),
                    "value_area_high": price * (1.004 + 0.002 * chance.random()),
                },
                "sentiment": {"momentum": chance.gauss(0.0, 1.0), "trend_strength": 40 * chance.random()},
            },
        }
        price *= 1 + next_return


def main() -> None:
    """Trade three months of hourly bars, then save the memory and load it again."""
    now = 0.0
    shared_memory = TradingMemoryStore(decay_half_life=7_200, max_items=5_000, clock=lambda: now)
    agents = [
        HedgeAgentWithMemory("Hedge", shared_memory),
        LiquidityAgentWithMemory("Liquidity", shared_memory),
        SentimentAgentWithMemory("Sentiment", shared_memory),
    ]
    composer, health = Composer(shared_memory), AgentHealth()
    volatility, losses = VolatilityMemory(bars_per_day=24), LossMemory(shared_memory)
    for number, bar in enumerate(bars(2_000)):
        now = bar["time"]
        votes = []
        for agent in agents:
            agent.perceive("SPY", now, bar["features"])
            signal, confidence, _ = agent.act_with_memory("SPY", now, bar["features"])
            votes.append((signal, confidence * health.multiplier(agent.name), agent))
        decision = composer.decide(votes)
        size = volatility.multiplier * losses.exposure * {"long": 1, "short": -1, "neutral": 0}[decision]
        volatility.observe(bar["next_return"])
        for name, gain in composer.learn([MarketOutcome(decision.decision_id, bar["next_return"])]).items():
            if gain:
                health.observe(name, gain)
        if size:
            profit = size * bar["next_return"]
            losses.record(profit)
            agents[0].remember_outcome("SPY", f"trade-{number}", 1_000 * profit, 100.0, 100.0 * (1 + profit))
    print("weights:", {name: round(weight, 2) for name, weight in composer.weights().items()})
    print("health:", {name: entry["status"] for name, entry in health.report().items()})
    print("memory:", shared_memory.summarize("SPY")["recent_count"], "items of the last day")
    print("search for pauses:", [item.content for item in shared_memory.search("trading paused", "risk", topk=1)])
    with tempfile.TemporaryDirectory() as folder:
        shared_memory.save(Path(folder) / "memory")
        loaded = TradingMemoryStore.load(Path(folder) / "memory", clock=lambda: now)
        print("loaded unchanged:", loaded.items == shared_memory.items)


if __name__ == "__main__":
    main()
