"""Paper trading against the deployed stacks, killed while bars arrive."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from agent_memory import AgentMemoryClient, DecisionLogger
from agent_memory.core.clock import SystemClock
from agent_memory.storage.factory import in_memory_stores
from trading_agents.paper import PaperBar, PaperTrader, trade_on_paper

pytestmark = [pytest.mark.local_cloud, pytest.mark.slow]

COMMAND = Path(sys.executable).with_name("agent-memory")
COUNT, WARM_UP = 300, 250
HOUR = timedelta(hours=1)


def random_bars():
    """Hourly bars of a random walk, of which the last has just ended."""
    chance, last = np.random.default_rng(11), datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    bars, price = [], 100.0
    for n in range(COUNT):
        opened, price = price, price * float(np.exp(chance.normal(0, 0.01)))
        reach = 1 + abs(float(chance.normal(0, 0.004)))
        high, low = max(opened, price) * reach, min(opened, price) / reach
        volume = float(chance.lognormal(10, 1))
        bars.append(PaperBar(last - (COUNT - n) * HOUR, opened, high, low, price, volume))
    return bars


def lines_of(bars):
    return "".join(f"{b.time.isoformat()},{b.open!r},{b.high!r},{b.low!r},{b.close!r},{b.volume!r}\n" for b in bars)


async def feed(bars):
    for bar in bars:
        yield bar


def kept(decisions):
    """Each decision by its id."""
    return {one["decision_id"]: one for one in decisions}


async def undisturbed(agent, bars):
    logger = DecisionLogger(agent, stores=in_memory_stores(SystemClock()))
    await trade_on_paper(PaperTrader(agent), feed(bars), logger)
    return kept(await logger.query_decisions(limit=1_000))


async def in_the_table(cloud, agent):
    async with AgentMemoryClient(cloud.api_url, agent, session=cloud.boto_session()) as client:
        return kept(await client.query_decisions(limit=1_000))


@contextmanager
def trading(cloud, arguments):
    """The command in a process of its own, which is killed afterwards."""
    process = subprocess.Popen(
        [str(COMMAND), *arguments],
        env=os.environ | cloud.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def kill_after(count, cloud, agent, arguments):
    """Follow the file until `count` decisions are in the table, then kill the process."""
    with trading(cloud, [*arguments, "--follow"]) as process:
        deadline = time.monotonic() + 120
        while len(asyncio.run(in_the_table(cloud, agent))) < count:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
        process.send_signal(signal.SIGKILL)


@pytest.mark.parametrize("way", ["url", "buffer", "tables"])
def test_killed_and_started_again_it_decides_as_if_undisturbed(local_cloud, tmp_path, way):
    agent, bars, path = f"paper-{way}", random_bars(), tmp_path / "bars.csv"
    arguments = ["paper", "--bars", str(path), "--agent", agent, "--state", str(tmp_path / "state")]
    arguments += [] if way == "tables" else ["--url", local_cloud.api_url]
    arguments += ["--buffer", str(tmp_path / "buffer")] if way == "buffer" else []
    path.write_text("timestamp,open,high,low,close,volume\n" + lines_of(bars[:275]))
    for count in (7, 60, 100):
        kill_after(count, local_cloud, agent, arguments)
    with path.open("a") as file:
        file.write(lines_of(bars[275:]))
    kill_after(160, local_cloud, agent, arguments)
    with trading(local_cloud, arguments) as process:
        output, error = process.communicate(timeout=120)
    assert process.returncode == 0, error
    assert "trades in total; equity" in output
    found = asyncio.run(in_the_table(local_cloud, agent))
    assert len(found) == (COUNT - WARM_UP) * 6
    assert found == asyncio.run(undisturbed(agent, bars))
