from datetime import timedelta

import pytest

from tests.unit.demo.replay_fakes import FakeMemory, at, first_bars
from trading_agents.demo import plan
from trading_agents.demo.cycles import Cycles
from trading_agents.demo.short_term import remember

NOW = at("2026-11-20T10:30:00")
BARS = first_bars(260)


@pytest.fixture
async def cycles():
    return await Cycles.simulated(BARS, plan.begin(BARS, 1, NOW).started_at, 24)


async def test_the_last_cycles_are_in_short_term_memory(cycles):
    memory = FakeMemory()
    memory.set_time(NOW)
    assert await remember(memory, cycles, NOW) == 10
    found = await memory.manager.read_cycle()
    last = cycles.decisions([23])
    assert found["context"] == last[-1]["context"]
    assert [queries[0]["timestamp"][11:13] for queries in found["queries"]] == [
        f"{hour:02d}" for hour in range(10, 0, -1)
    ]
    signals = [one for one in last if one["decision_type"] == "SIGNAL_GENERATION"]
    assert sorted(one["source"] for one in found["signals"]) == sorted(one["reasoning"]["source"] for one in signals)
    assert signals
    assert found["decision_ids"] == [one["decision_id"] for one in reversed(last)]
    assert found["missing"] == []


@pytest.mark.parametrize(
    ("hours", "kept"),
    [
        (0.9, {"context", "queries", "signals", "decision_ids"}),
        (1, {"queries", "signals", "decision_ids"}),
        (2, {"queries", "signals"}),
        (4, {"queries"}),
        (33, set()),
    ],
)
async def test_expired_entries_are_not_written(cycles, hours, kept):
    memory = FakeMemory()
    now = at("2026-11-20T10:00:00") + timedelta(hours=hours)
    memory.set_time(now)
    await remember(memory, cycles, now)
    assert {name for name, value in (await memory.manager.read_cycle()).items() if value} == kept
