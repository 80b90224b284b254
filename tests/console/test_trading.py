"""Prices around a decision and trading memories, from the files that `agent-memory ui` is given."""

from datetime import timedelta

import pytest

from agent_memory import DecisionLogger, InvalidInput
from agent_memory.cli.console.extensions import PRICES, TRADING_MEMORY, opened
from tests.console.client import Client
from tests.console.data import AGENT, NOW, clock, console_of
from tests.console.test_text import parts
from trading_agents.memory import TradingMemoryItem, TradingMemoryStore
from trading_agents.tuning.contents import contents
from trading_agents.tuning.memories import memories_of

FIRST, BARS = NOW - timedelta(hours=200), 200
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def prices(tmp_path):
    lines = ["timestamp,open,high,low,close"]
    for hour in range(BARS):
        time = FIRST + timedelta(hours=hour)
        lines.append(f"{time:%Y-%m-%dT%H:%M:%SZ},{100 + hour},{101.5 + hour},{99 + hour},{100.5 + hour}")
    path = tmp_path / "prices.csv"
    path.write_text("\n".join(lines) + "\n")
    return opened(PRICES, path, "--bars")


@pytest.fixture
def trading_memory(tmp_path):
    store = TradingMemoryStore()
    for number in range(4):
        at = (FIRST + timedelta(hours=number)).timestamp()
        data = {"signal": "long", "recalled": [HOSTILE]}
        store.append(TradingMemoryItem("signal", "a vote", 0.5, HOSTILE, data, timestamp=at))
    path = tmp_path / "memory.json"
    store.save(path)
    return path


async def test_prices_around_a_decision_are_those_of_the_file(fresh, prices):
    at = FIRST + timedelta(hours=100, minutes=30)
    log = DecisionLogger(AGENT, stores=fresh, clock=clock()).sync
    decision_id = log.log_decision("TRADE", {"symbol": "AAPL"}, {}, timestamp=at)
    client = Client(console_of(fresh, prices=prices))
    (plot,) = (await client.page(f"/decisions/{decision_id}")).plots
    assert plot["mark"] == "2026-11-16T08:30:00.000Z"
    assert plot["times"][0] == f"{FIRST + timedelta(hours=41):%Y-%m-%dT%H:%M:%S}Z"
    assert {one["label"]: one["values"] for one in plot["series"]} == {
        name: [first + hour for hour in range(41, 161)]
        for name, first in (("Open", 100), ("High", 101.5), ("Low", 99), ("Close", 100.5))
    }
    (past,) = (await client.page(f"/decisions/{decision_id}?as_of={at:%Y-%m-%d}")).plots
    assert past["times"][-1] == f"{at:%Y-%m-%d}T23:00:00Z"


async def test_a_decision_outside_the_file_says_so(fresh, prices):
    log = DecisionLogger(AGENT, stores=fresh, clock=clock()).sync
    decision_id = log.log_decision("TRADE", {"symbol": "AAPL"}, {}, timestamp=FIRST - timedelta(days=9))
    page = await Client(console_of(fresh, prices=prices)).page(f"/decisions/{decision_id}")
    assert page.plots == []
    assert "There are no bars of its symbol around it" in page.visible
    assert "Price around it" not in (await Client(console_of(fresh)).page(f"/decisions/{decision_id}")).visible


async def test_a_trading_memory_is_shown_as_it_is(fresh, trading_memory):
    client = Client(console_of(fresh, trading_memory=opened(TRADING_MEMORY, trading_memory, "--trading-memory")))
    assert f"/agents/{AGENT}/trading" in (await client.page("/trading")).links
    page = await client.page("/trading/memories")
    (memory,) = memories_of(trading_memory)
    (kind,) = contents(memory.store)
    (row,) = page.rows("kinds-0")
    assert (row["items"], row["importance"], row["kind"]) == (4, kind.importance, "signal")
    assert [one["recalled"] for one in page.rows("recalled-0")] == [HOSTILE] * 4
    assert "Nothing can be said from 0 trades" in page.visible
    assert not parts(page)
    assert all(set(one) - {"defer"} == {"src"} for one in page.scripts)


async def test_without_a_trading_memory_there_is_no_such_page(writer):
    assert f"/agents/{AGENT}/trading" not in (await writer.page("")).links
    assert "--trading-memory" in (await writer.page("/trading", status=400)).visible


def test_a_file_that_cannot_be_used_names_the_option(tmp_path):
    path = tmp_path / "bars.csv"
    path.write_text("a,b\n1,2\n")
    for name, option in ((PRICES, "--bars"), (TRADING_MEMORY, "--trading-memory")):
        with pytest.raises(InvalidInput, match=option):
            opened(name, path, option)
    with pytest.raises(InvalidInput, match="no installed package"):
        opened("weather", path, "--weather")
