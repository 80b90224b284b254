import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_memory import Conflict
from tests.unit.demo.replay_fakes import FakeJobError, FakeJobs, FakeMemory, RecordingListener, at, first_bars
from trading_agents.demo import cycles as cycles_module
from trading_agents.demo import plan
from trading_agents.demo.cycles import AGENT_ID, Cycles
from trading_agents.demo.errors import CannotContinueError, DemoError
from trading_agents.demo.progress import ProgressCopy, ProgressStore
from trading_agents.demo.replay import Replay
from trading_agents.demo.sending import send_all

pytestmark = pytest.mark.slow

NOW = at("2026-11-20T10:30:00")
DAYS = 3
BARS = first_bars(260)


def store_of(memory, now=NOW):
    return ProgressStore(memory.stores.states, AGENT_ID, lambda: now)


async def run(memory, jobs, now=NOW, listener=None):
    """Run the replay once, as the demo does."""
    memory.set_time(now)
    store = store_of(memory, now)
    progress = store.load() or plan.begin(BARS, DAYS, now)
    count = plan.cycles_until(progress, BARS, now)
    cycles = await Cycles.simulated(BARS, progress.started_at, count)
    replay = Replay(memory, jobs, cycles, progress, save=store.save, listener=listener or RecordingListener())
    return await replay.run(list(plan.days_to_do(progress, count, now)))


ALL_CYCLES = asyncio.run(Cycles.simulated(BARS, plan.begin(BARS, DAYS, NOW).started_at, 72 + 62))
ALL_COUNTS = [len(ALL_CYCLES.decisions([n])) for n in range(len(ALL_CYCLES))]
"""Number of decisions of each cycle, which depends on the readings of the sources."""
COUNTS = ALL_COUNTS[:72]
DAYS_OF_CYCLES = (range(13), range(13, 37), range(37, 61), range(61, 72))
OF_DAY = [sum(COUNTS[n] for n in day) for day in DAYS_OF_CYCLES]
"""Number of decisions of each of the four days; the last cycle of a day is judged on the next."""


def check_complete(memory, cycles):
    """Check that every decision is stored once, and has an outcome unless it is of the last cycle."""
    stored = memory.decisions()
    assert len({decision["decision_id"] for decision in stored}) == len(stored) == sum(ALL_COUNTS[:cycles])
    without = [decision for decision in stored if decision["success"] is None]
    assert {decision["context"]["cycle"] for decision in without} == {cycles - 1}
    assert len(without) == ALL_COUNTS[cycles - 1]


async def test_everything_is_logged_and_jobs_run_in_order():
    memory, listener = FakeMemory(), RecordingListener()
    jobs = FakeJobs(memory)
    result = await run(memory, jobs, listener=listener)
    check_complete(memory, 72)
    assert [str(day) for day in jobs.days] == ["2026-11-17", "2026-11-18", "2026-11-19"]
    assert (result.decisions, result.outcomes, result.jobs) == (sum(COUNTS), sum(COUNTS[:-1]), 3)
    assert listener.jobs == jobs.days
    assert [(str(day), *counts) for day, *counts in listener.days] == [
        ("2026-11-17", OF_DAY[0], OF_DAY[0] - COUNTS[12]),
        ("2026-11-18", OF_DAY[1], OF_DAY[1] - COUNTS[36] + COUNTS[12]),
        ("2026-11-19", OF_DAY[2], OF_DAY[2] - COUNTS[60] + COUNTS[36]),
        ("2026-11-20", OF_DAY[3], OF_DAY[3] - COUNTS[71] + COUNTS[60]),
    ]


async def test_the_numbers_of_decisions_by_type():
    memory = FakeMemory()
    await run(memory, FakeJobs(memory))
    counts = Counter(decision["decision_type"] for decision in memory.decisions())
    assert counts == {
        "SOURCE_SELECTION": 72,
        "QUERY": 72,
        "LEARNING": counts["LEARNING"],
        "SIGNAL_GENERATION": sum(COUNTS) - 144 - counts["LEARNING"],
    }
    assert 65 <= counts["LEARNING"] <= 71
    assert counts["SIGNAL_GENERATION"] > 144


@pytest.mark.parametrize("seconds", [0.0, 0.05])
async def test_a_job_finds_the_same_data_however_long_it_takes(seconds):
    memory = FakeMemory()
    jobs = FakeJobs(memory, seconds=seconds)
    await run(memory, jobs)
    # The outcomes of a day's last cycle are logged on the next day, after the job has learned.
    ends = [range(end) for end in (13, 37, 61)]
    until = [(sum(COUNTS[n] for n in end), sum(COUNTS[n] for n in end[:-1])) for end in ends]
    assert list(jobs.seen.values()) == [(one, one) for one in until]


async def test_batches_hold_at_most_a_hundred():
    memory = FakeMemory()
    await run(memory, FakeJobs(memory))
    assert max(memory.sizes) <= 100
    assert sum(memory.sizes) == sum(COUNTS) + sum(COUNTS[:-1])


async def test_a_second_run_in_the_same_hour_sends_nothing():
    memory = FakeMemory()
    await run(memory, FakeJobs(memory))
    requests, jobs = memory.requests, FakeJobs(memory)
    result = await run(memory, jobs, now=NOW + timedelta(minutes=20))
    assert memory.requests == requests
    assert (result.decisions, result.outcomes, result.jobs, jobs.days) == (0, 0, 0, [])


@pytest.mark.slow
@pytest.mark.parametrize("hours", [1, 13, 14, 62])
async def test_a_later_run_continues_with_the_following_bars(hours):
    memory = FakeMemory()
    await run(memory, FakeJobs(memory))
    first = memory.decisions()
    jobs = FakeJobs(memory)
    result = await run(memory, jobs, now=NOW + timedelta(hours=hours))
    check_complete(memory, 72 + hours)
    end = 72 + hours
    assert (result.decisions, result.outcomes) == (sum(ALL_COUNTS[72:end]), sum(ALL_COUNTS[71 : end - 1]))
    assert len(jobs.days) == (10 + hours) // 24
    decided = [{**decision, "success": None} for decision in memory.decisions()[: sum(COUNTS)]]
    fields = ("decision_id", "timestamp", "context", "reasoning")
    assert [[d[name] for name in fields] for d in decided] == [[d[name] for name in fields] for d in first]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(interruptions=st.lists(st.integers(1, 13), min_size=1, max_size=3))
@pytest.mark.slow
def test_interrupted_runs_continue_without_duplicates(interruptions):
    async def scenario():
        memory = FakeMemory()
        days = []
        for request in interruptions:
            memory.fails_at = {memory.requests + request}
            jobs = FakeJobs(memory)
            try:
                await run(memory, jobs)
            except asyncio.CancelledError:
                assert jobs.running == 0
            days += jobs.days
        memory.fails_at = set()
        jobs = FakeJobs(memory)
        await run(memory, jobs)
        check_complete(memory, 72)
        days += jobs.days
        # An interrupted job is run again, never an earlier one.
        assert [str(day) for day in sorted(set(days))] == ["2026-11-17", "2026-11-18", "2026-11-19"]
        assert days == sorted(days)

    asyncio.run(scenario())


@pytest.mark.parametrize("fails_late", [False, True], ids=["before it has learned", "after it has learned"])
async def test_a_failed_job_ends_the_run_and_is_repeated_by_the_next(fails_late):
    memory = FakeMemory()
    second = at("2026-11-18").date()
    with pytest.raises(FakeJobError):
        await run(memory, FakeJobs(memory, fails_on=[second], fails_late=fails_late))
    assert store_of(memory).load().jobs_through == "2026-11-17"
    jobs = FakeJobs(memory)
    await run(memory, jobs)
    assert [str(day) for day in jobs.days] == ["2026-11-18", "2026-11-19"]
    check_complete(memory, 72)


async def test_two_runs_side_by_side_end_in_a_conflict():
    memory = FakeMemory()
    stores = [store_of(memory), store_of(memory)]
    progress = plan.begin(BARS, DAYS, NOW)
    stores[0].save(progress)
    with pytest.raises(Conflict):
        stores[1].save(progress)


async def test_progress_is_loaded_as_it_was_saved():
    memory = FakeMemory()
    progress = plan.begin(BARS, DAYS, NOW).after_cycles(30).after_job(at("2026-11-17").date())
    store_of(memory).save(progress)
    assert store_of(memory).load() == progress
    assert store_of(FakeMemory()).load() is None


async def test_the_stored_progress_has_the_names_of_earlier_versions():
    memory = FakeMemory()
    store_of(memory).save(plan.begin(BARS, DAYS, NOW).after_cycles(30).after_job(at("2026-11-17").date()))
    assert memory.stores.states.get(AGENT_ID, "DEMO_REPLAY").data == {
        "bars": BARS.fingerprint(),
        "days": 3,
        "start": "2026-11-17T11:00:00+00:00",
        "cycles": 30,
        "nights_through": "2026-11-17",
    }


def test_a_copy_of_the_progress_is_kept_in_a_file(tmp_path):
    copy = ProgressCopy(tmp_path / "copy.json")
    assert copy.load() is None
    progress = plan.begin(BARS, DAYS, NOW).after_cycles(30)
    copy.save(progress)
    assert copy.load() == progress
    for damage in ("{", "[]", "{}"):
        copy.path.write_text(damage)
        assert copy.load() is None


async def test_a_decision_stored_with_other_content_is_an_error(monkeypatch):
    memory = FakeMemory()
    await run(memory, FakeJobs(memory))
    version = memory.stores.states.get(AGENT_ID, "DEMO_REPLAY").version
    memory.stores.states.put(
        AGENT_ID,
        "DEMO_REPLAY",
        {"bars": BARS.fingerprint(), "days": DAYS, "start": "2026-11-17T11:00:00+00:00"},
        expected_version=version,
        now_ms=0,
    )
    monkeypatch.setattr(cycles_module, "EXPLORATION_RATE", 0.9)
    with pytest.raises(CannotContinueError, match="stored with other content"):
        await run(memory, FakeJobs(memory))


async def test_what_the_api_rejects_is_an_error():
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
