"""Runs market hunters in child processes that are killed repeatedly. Used by the trial `hunter`.

Everything is imported once and each child is forked from here, before this process has any thread.
"""

import asyncio
import os
import random
import signal
import sys
import time
from datetime import datetime, timedelta

import numpy as np

from agent_memory import DecisionLogger, MemoryManager
from agent_memory.storage.factory import open_stores
from trading_agents import MemoryAwareMarketHunterAgent

AGENT = "killed-hunter"
INTERVAL = timedelta(minutes=10)
CHECKPOINT_CYCLES = 20
LIFE_CYCLES = 3.5

SOURCES = {
    "seer": lambda data: 0.5 * data["next"],
    "liar": lambda data: -0.5 * data["next"],
    "coin": lambda data: 0.5 * data["coin"],
    "mute": lambda data: None,  # noqa: ARG005
}


def market(cycle, start):
    """Market data of a cycle, the same in every process; `next` predicts the direction of the price."""
    coming, coin = np.random.default_rng([5, cycle]).choice([-1, 1], 2).tolist()
    before = np.random.default_rng([5, cycle - 1]).choice([-1, 1], 2).tolist()[0] if cycle else 1
    return {
        "context": {"trend": "bullish" if cycle % 3 else "bearish", "volatility": "high" if cycle % 2 else "low"},
        "close": [100.0, 100.0 + before + cycle / 1_000],
        "next": coming,
        "coin": coin,
        "timestamp": start + cycle * INTERVAL,
    }


def new_hunter(stores):
    memory = MemoryManager(AGENT, stores=stores)
    logger = DecisionLogger(AGENT, memory_manager=memory)
    return MemoryAwareMarketHunterAgent(
        AGENT,
        0.1,
        memory,
        logger,
        sources=SOURCES,
        exploration_rate=0.3,
        checkpoint_cycles=CHECKPOINT_CYCLES,
        timer=None,
    )


async def hunt(stores, cycles, start):
    """Run the cycles that are left; returns how many these were."""
    agent = new_hunter(stores)
    await agent.resume()
    first = agent.current_cycle
    while agent.current_cycle < cycles:
        await agent.run_cycle_with_memory(market(agent.current_cycle, start), 2)
    return cycles - first


def live(seconds, stores, cycles, start):
    """Fork a child that hunts, and kill it after `seconds`; returns whether it was still running."""
    child = os.fork()
    if child == 0:
        asyncio.run(hunt(stores, cycles, start))
        os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def main(table_prefix, cycles, start, kills, cycle_seconds):
    """Print how many processes were killed, and how many cycles were left when the last kill was done."""
    cycles, kills, start = int(cycles), int(kills), datetime.fromisoformat(start)
    stores = open_stores(table_prefix=table_prefix, redis_endpoint=os.environ["REDIS_ENDPOINT"])
    moments = random.Random(20_261_128)
    longest = 2 * LIFE_CYCLES * float(cycle_seconds)
    killed = sum(live(moments.uniform(0, longest), stores, cycles, start) for _ in range(kills))
    sys.stdout.write(f"{killed} {asyncio.run(hunt(stores, cycles, start))}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
