import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_memory.core.errors import Conflict
from demo import cycles as hunted
from demo import plan
from demo.cycles import AGENT_ID, Cycles
from demo.errors import DemoError
from demo.progress import ProgressStore
from demo.replay import Replay
from demo.sending import send_all
from tests.unit.demo.replay_fakes import FakeMemory, FakeNightError, FakeNights, Watching, at, first_bars

NOW = at("2026-11-20T10:30:00")
DAYS = 3
BARS = first_bars(260)


def store_of(memory, now=NOW):
    return ProgressStore(memory.stores.states, AGENT_ID, lambda: now)


async def run(memory, nights, now=NOW, watcher=None):
    """One run of the replay, as the demo does it."""
    memory.set_time(now)
    store = store_of(memory, now)
    progress = store.load() or plan.begin(BARS, DAYS, now)
    count = plan.cycles_until(progress, BARS, now)
    cycles = await Cycles.lived(BARS, progress.started_at, count)
    replay = Replay(memory, nights, cycles, progress, save=store.save, watcher=watcher or Watching())
    return await replay.run(list(plan.days_to_do(progress, count, now)))


LIFE = asyncio.run(Cycles.lived(BARS, plan.begin(BARS, DAYS, NOW).started_at, 72 + 62))
EVERY = [len(LIFE.decisions([n])) for n in range(len(LIFE))]
"""How many decisions each cycle makes: that differs with what the sources know."""
MADE = EVERY[:72]
DAYS_OF_CYCLES = (range(13), range(13, 37), range(37, 61), range(61, 72))
OF_DAY = [sum(MADE[n] for n in day) for day in DAYS_OF_CYCLES]
"""Decisions of each of the four days; the last cycle of a day is judged on the next."""


def check_complete(memory, cycles):
    """Every decision of every cycle once, and an outcome for each but those of the last cycle."""
    stored = memory.decisions()
    assert len({decision["decision_id"] for decision in stored}) == len(stored) == sum(EVERY[:cycles])
    without = [decision for decision in stored if decision["success"] is None]
    assert {decision["context"]["cycle"] for decision in without} == {cycles - 1}
    assert len(without) == EVERY[cycles - 1]


async def test_everything_is_logged_and_nights_come_in_order():
    memory, watcher = FakeMemory(), Watching()
    nights = FakeNights(memory)
    result = await run(memory, nights, watcher=watcher)
    check_complete(memory, 72)
    assert [str(day) for day in nights.days] == ["2026-11-17", "2026-11-18", "2026-11-19"]
    assert (result.decisions, result.outcomes, result.nights) == (sum(MADE), sum(MADE[:-1]), 3)
    assert watcher.nights == nights.days
    assert [(str(day), *counts) for day, *counts in watcher.days] == [
        ("2026-11-17", OF_DAY[0], OF_DAY[0] - MADE[12]),
        ("2026-11-18", OF_DAY[1], OF_DAY[1] - MADE[36] + MADE[12]),
        ("2026-11-19", OF_DAY[2], OF_DAY[2] - MADE[60] + MADE[36]),
        ("2026-11-20", OF_DAY[3], OF_DAY[3] - MADE[71] + MADE[60]),
    ]


async def test_types_are_as_a_cycle_makes_them():
    memory = FakeMemory()
    await run(memory, FakeNights(memory))
    counts = Counter(decision["decision_type"] for decision in memory.decisions())
    assert counts == {
        "SOURCE_SELECTION": 72,
        "QUERY": 72,
        "LEARNING": counts["LEARNING"],
        "SIGNAL_GENERATION": sum(MADE) - 144 - counts["LEARNING"],
    }
    assert 65 <= counts["LEARNING"] <= 71
    assert counts["SIGNAL_GENERATION"] > 144


@pytest.mark.parametrize("seconds", [0.0, 0.05])
async def test_a_night_sees_the_same_however_long_it_takes(seconds):
    memory = FakeMemory()
    nights = FakeNights(memory, seconds=seconds)
    await run(memory, nights)
    # The outcomes of a day's last cycle are told by the next day, after the night.
    ends = [range(end) for end in (13, 37, 61)]
    until = [(sum(MADE[n] for n in end), sum(MADE[n] for n in end[:-1])) for end in ends]
    assert list(nights.seen.values()) == [(one, one) for one in until]


async def test_batches_hold_at_most_a_hundred():
    memory = FakeMemory()
    await run(memory, FakeNights(memory))
    assert max(memory.sizes) <= 100
    assert sum(memory.sizes) == sum(MADE) + sum(MADE[:-1])


async def test_a_second_run_in_the_same_hour_sends_nothing():
    memory = FakeMemory()
    await run(memory, FakeNights(memory))
    requests, nights = memory.requests, FakeNights(memory)
    result = await run(memory, nights, now=NOW + timedelta(minutes=20))
    assert memory.requests == requests
    assert (result.decisions, result.outcomes, result.nights, nights.days) == (0, 0, 0, [])


@pytest.mark.parametrize("hours", [1, 13, 14, 62])
async def test_a_later_run_goes_on_with_the_bars_that_follow(hours):
    memory = FakeMemory()
    await run(memory, FakeNights(memory))
    first = memory.decisions()
    nights = FakeNights(memory)
    result = await run(memory, nights, now=NOW + timedelta(hours=hours))
    check_complete(memory, 72 + hours)
    end = 72 + hours
    assert (result.decisions, result.outcomes) == (sum(EVERY[72:end]), sum(EVERY[71 : end - 1]))
    assert len(nights.days) == (10 + hours) // 24
    decided = [{**decision, "success": None} for decision in memory.decisions()[: sum(MADE)]]
    fields = ("decision_id", "timestamp", "context", "reasoning")
    assert [[d[name] for name in fields] for d in decided] == [[d[name] for name in fields] for d in first]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(interruptions=st.lists(st.integers(1, 13), min_size=1, max_size=3))
@pytest.mark.slow
def test_interrupted_runs_go_on_without_duplicates(interruptions):
    async def scenario():
        memory = FakeMemory()
        days = []
        for request in interruptions:
            memory.fails_at = {memory.requests + request}
            nights = FakeNights(memory)
            try:
                await run(memory, nights)
            except asyncio.CancelledError:
                assert nights.running == 0
            days += nights.days
        memory.fails_at = set()
        nights = FakeNights(memory)
        await run(memory, nights)
        check_complete(memory, 72)
        days += nights.days
        # An interrupted night is run again, never one before it.
        assert [str(day) for day in sorted(set(days))] == ["2026-11-17", "2026-11-18", "2026-11-19"]
        assert days == sorted(days)

    asyncio.run(scenario())


async def test_a_failed_night_ends_the_run_and_is_the_first_thing_of_the_next():
    memory = FakeMemory()
    second = at("2026-11-18").date()
    with pytest.raises(FakeNightError):
        await run(memory, FakeNights(memory, fails_on=[second]))
    assert store_of(memory).load().nights_through == "2026-11-17"
    nights = FakeNights(memory)
    await run(memory, nights)
    assert [str(day) for day in nights.days] == ["2026-11-18", "2026-11-19"]
    check_complete(memory, 72)


async def test_two_runs_side_by_side_end_in_a_conflict():
    memory = FakeMemory()
    stores = [store_of(memory), store_of(memory)]
    progress = plan.begin(BARS, DAYS, NOW)
    stores[0].save(progress)
    with pytest.raises(Conflict):
        stores[1].save(progress)


async def test_progress_comes_back_as_it_was_saved():
    memory = FakeMemory()
    progress = plan.begin(BARS, DAYS, NOW).after_cycles(30).after_night(at("2026-11-17").date())
    store_of(memory).save(progress)
    assert store_of(memory).load() == progress
    assert store_of(FakeMemory()).load() is None


async def test_a_decision_stored_with_other_content_says_what_to_do(monkeypatch):
    memory = FakeMemory()
    await run(memory, FakeNights(memory))
    version = memory.stores.states.get(AGENT_ID, "DEMO_REPLAY").version
    memory.stores.states.put(
        AGENT_ID,
        "DEMO_REPLAY",
        {"bars": BARS.fingerprint(), "days": DAYS, "start": "2026-11-17T11:00:00+00:00"},
        expected_version=version,
        now_ms=0,
    )
    monkeypatch.setattr(hunted, "EXPLORATION_RATE", 0.9)
    with pytest.raises(DemoError, match="stored with other content: start over with `make local-reset`"):
        await run(memory, FakeNights(memory))


async def test_what_the_api_refuses_is_told():
    async def send(_records):
        return [{"decision_id": None, "status": "invalid", "error": "/decisions/0/context: is missing"}]

    with pytest.raises(DemoError, match=r"'invalid' for None: /decisions/0/context: is missing"):
        await send_all(send, [{}])


async def test_at_most_four_batches_are_under_way():
    under_way, most = 0, 0

    async def send(records):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.001)
        under_way -= 1
        return [{"decision_id": n, "status": "created"} for n in records]

    assert await send_all(send, [{"n": n} for n in range(950)]) == 950
    assert most == 4
