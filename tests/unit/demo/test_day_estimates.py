"""The replay's hunter decides with what was known when each day began, in every run."""

from datetime import timedelta

import pytest

from agent_memory import MemoryManager
from agent_memory.core.clock import FixedClock, parse_instant
from agent_memory.memory.long_term import LongTermMemory
from agent_memory.storage.factory import in_memory_stores
from tests.unit.demo.replay_fakes import at, first_bars
from trading_agents.demo.cycles import AGENT_ID, Cycles
from trading_agents.demo.day_estimates import DayEstimates, EstimatesCopy

START = at("2026-11-17T22:00:00")
BARS = first_bars(260)
NAME = "SIGNAL_GENERATION:reasoning.source"


def estimate_of(rate, source="momentum"):
    """An estimate that knows one source, with the same rate everywhere."""
    option = {
        "option": source,
        "features": [],
        "means": [rate],
        "covariance": [0.001],
        "weight": 50.0,
        "mean_result": rate,
    }
    model = {
        "half_life_days": 30.0,
        "mean": 0.5,
        "variance": 0.01,
        "result_deviation": 0.5,
        "design_effect": 1.0,
        "deviations": {"option": 0.1, "fact": 0.1, "option_fact": 0.1, "option_facts": 0.1},
        "options": [option],
    }
    return {"facts": [], "success": model, "status": "active", "decision_type": "SIGNAL_GENERATION"}


@pytest.fixture
def stores():
    """Two estimates: from the midnight after the first two cycles on, and from the next one on."""
    stores = in_memory_stores(FixedClock(parse_instant(at("2026-11-20T00:00:00"))))
    for day, rate in (("2026-11-18", 0.97), ("2026-11-19", 0.03)):
        clock = FixedClock(parse_instant(at(f"{day}T00:00:00")))
        LongTermMemory(AGENT_ID, stores.memories, clock).put("ESTIMATE", NAME, estimate_of(rate))
    return stores


def replayed(stores):
    memory = MemoryManager(AGENT_ID, stores=stores, clock=stores.clock)
    return Cycles(BARS, START, DayEstimates(memory))


def selections(cycles, of):
    found = [one for one in cycles.decisions(of) if one["decision_type"] == "SOURCE_SELECTION"]
    return [{"memory_ids": [], **one} for one in found]


def expectations(cycles, first_cycle, rate):
    """What is expected of momentum in each hour of a day: the estimate of its beginning, and the day's results."""
    found, total, weight = {}, rate / 0.001, 1 / 0.001
    for cycle in range(first_cycle, first_cycle + 24):
        found[cycles.at(cycle).isoformat()[:13]] = total / weight
        signals = {one["decision_id"]: one["reasoning"] for one in cycles.decisions([cycle - 1])}
        for one in cycles.outcomes([cycle - 1]):
            if signals[one["decision_id"]].get("source") == "momentum":
                total, weight = total + one["success"] / 0.25, weight + 1 / 0.25
    return found


async def test_every_day_uses_the_estimates_from_its_beginning(stores):
    cycles = replayed(stores)
    await cycles.simulate_until(50)
    before, first, second = (selections(cycles, days) for days in (range(2), range(2, 26), range(26, 50)))
    assert [len(one) for one in (before, first, second)] == [2, 24, 24]
    assert not any(one["memory_ids"] for one in before)
    first, second = ([one for one in day if one["memory_ids"]] for day in (first, second))
    assert min(len(first), len(second)) > 16  # an experiment withholds it from some
    assert all(one["memory_ids"] == [NAME] for one in (*first, *second))
    for cycle, rate, day in ((2, 0.97, first), (26, 0.03, second)):
        scores = {one["timestamp"][:13]: one["reasoning"]["scores"]["momentum"] for one in day}
        expected = expectations(cycles, cycle, rate)
        assert scores == {at: pytest.approx(expected[at], abs=1e-3) for at in scores}
    assert all("momentum" in one["reasoning"]["selected"] for one in first)


async def test_a_replay_in_steps_decides_as_one_in_one_go(stores):
    at_once, steps = replayed(stores), replayed(stores)
    await at_once.simulate_until(50)
    for count in (1, 2, 30, 50):
        await steps.simulate_until(count)
    assert steps.decisions(range(50)) == at_once.decisions(range(50))
    assert steps.outcomes(range(49)) == at_once.outcomes(range(49))
    assert (steps.state, steps.at(49)) == (at_once.state, START + timedelta(hours=49))


class CountedMemory:
    """Counts the reads of a memory."""

    def __init__(self, stores):
        self.reads, self._memory = 0, MemoryManager(AGENT_ID, stores=stores, clock=stores.clock)

    async def retrieve_ltm(self, *arguments, **options):
        self.reads += 1
        return await self._memory.retrieve_ltm(*arguments, **options)


async def simulated(stores, path):
    memory = CountedMemory(stores)
    cycles = Cycles(BARS, START, DayEstimates(memory, EstimatesCopy(path)))
    await cycles.simulate_until(50)
    return cycles, memory


async def test_a_later_run_uses_the_copy_of_the_estimates(stores, tmp_path):
    path = tmp_path / "estimates"
    first, memory = await simulated(stores, path)
    assert memory.reads > 0
    again, memory = await simulated(stores, path)
    assert (memory.reads, again.decisions(range(50))) == (0, first.decisions(range(50)))


async def test_a_line_of_the_copy_that_was_not_written_in_full_is_read_from_memory(stores, tmp_path):
    path = tmp_path / "estimates"
    first, _ = await simulated(stores, path)
    path.write_text(path.read_text()[:-20])
    again, memory = await simulated(stores, path)
    assert memory.reads > 0
    assert again.decisions(range(50)) == first.decisions(range(50))
    assert (await simulated(stores, path))[1].reads == 0


async def test_a_cleared_copy_has_nothing(stores, tmp_path):
    path = tmp_path / "estimates"
    await simulated(stores, path)
    copy = EstimatesCopy(path)
    copy.clear()
    assert not path.exists()
    assert not copy.has(START)
