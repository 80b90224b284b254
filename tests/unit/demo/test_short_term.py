from datetime import timedelta

import pytest
from replay_fakes import FakeMemory, at, first_bars

from demo import plan
from demo.cycles import Cycles
from demo.short_term import remember

NOW = at("2026-11-20T10:30:00")
BARS = first_bars(260)


@pytest.fixture
def cycles():
    return Cycles(BARS, plan.begin(BARS, 1, NOW).started_at, 24)


async def test_the_last_cycles_are_in_mind(cycles):
    memory = FakeMemory()
    memory.set_time(NOW)
    assert await remember(memory, cycles, NOW) == 3
    context = await memory.manager.retrieve_stm("context:current")
    assert context == cycles.decisions([23])[0]["context"]
    queries = await memory.manager.retrieve_stm("queries:recent")
    assert [query["timestamp"][11:13] for query in queries] == [f"{hour:02d}" for hour in range(10, 0, -1)]
    signals = await memory.manager.retrieve_stm("signals:active")
    assert [signal["symbol"] for signal in signals] == ["AAPL", "IBM", "MSFT"]


async def test_entries_vanish_when_their_time_since_the_cycle_is_over(cycles):
    memory = FakeMemory()
    memory.set_time(NOW)
    await remember(memory, cycles, NOW)
    memory.set_time(at("2026-11-20T10:59:58"))
    assert await memory.manager.retrieve_stm("context:current") is not None
    memory.set_time(at("2026-11-20T11:00:01"))
    assert await memory.manager.retrieve_stm("context:current") is None
    assert await memory.manager.retrieve_stm("signals:active") is not None


@pytest.mark.parametrize(("hours", "stored"), [(0.9, 3), (1, 2), (4, 1), (24, 0)])
async def test_what_has_vanished_is_not_stored(cycles, hours, stored):
    memory = FakeMemory()
    now = at("2026-11-20T10:00:00") + timedelta(hours=hours)
    memory.set_time(now)
    assert await remember(memory, cycles, now) == stored
