"""Paper trading with a client as log and as keeper of the state: killed anywhere, it ends as one run."""

import contextlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agent_memory import Unavailable
from tests.http_events import call_routes, client_with
from tests.unit.trading_agents.paper_samples import Killed, KillingMemory, feed, paper_bars
from trading_agents.paper import PaperSettings, StateInStore, trade_on_paper

SETTINGS = PaperSettings()


@pytest.fixture(scope="module")
def bars():
    """Bars of which the last ended this hour, since the API takes no decisions from the time before its retention."""
    ends = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    last = ends - timedelta(hours=1)
    old = paper_bars(254)
    return [replace(bar, time=last - (old[-1].time - bar.time)) for bar in old]


def client_of(agent_id):
    return client_with(call_routes, agent_id)


async def start(agent_id, bars, dies_at=None, moment=""):
    """One process: from the stored state to the end of the bars, or of the process."""
    async with client_of(agent_id) as client:
        with StateInStore(KillingMemory(client.sync, dies_at, moment), agent_id) as state:
            return await trade_on_paper(state.load(agent_id, SETTINGS), feed(bars), client, state)


async def logged(agent_id):
    """What is known about each decision, without its id, which depends on the agent's name."""
    async with client_of(agent_id) as client:
        found = await client.query_decisions(limit=1_000)
    names = ("decision_type", "timestamp", "context", "reasoning", "success", "outcome", "metrics", "horizon")
    return sorted(json.dumps({name: one.get(name) for name in names}, sort_keys=True) for one in found)


@pytest.mark.slow
@pytest.mark.usefixtures("served")
async def test_killed_anywhere_it_ends_as_one_run(bars):
    assert await start("one-run", bars) == len(bars)
    expected = await logged("one-run")
    assert len(expected) == 6 * (len(bars) - 250)
    for dies_at, moment in ((100, "after"), (152, "before"), (1, "after"), (2, "unanswered"), (1, "before")):
        with contextlib.suppress(Killed, Unavailable):
            await start("killed", bars, dies_at, moment)
    await start("killed", bars)
    assert await logged("killed") == expected
