"""A poisoned memory is taken out of use at once, and after the next nightly job it is as if nobody had followed it."""

import random
from datetime import date, timedelta

import pytest

from agent_memory import InvalidInput, MemoryManager, NotFound
from agent_memory.core.clock import DAY_MS, FixedClock, day_start_ms
from agent_memory.core.ids import decision_id_for
from agent_memory.core.keys import NUMBER_LIMITS
from agent_memory.decisions.log import DecisionLog
from agent_memory.memory.long_term import LongTermMemory
from agent_memory.nightly.consolidation import consolidate
from agent_memory.storage.factory import in_memory_stores
from tests.outcomes import known_at_once
from tests.unit.nightly.learned import learned_memories, stores_with

AGENT = "market-hunter"
FIRST = date(2026, 7, 1)
DAYS, POISONED = 12, 7


def day_of(n):
    return FIRST + timedelta(days=n)


def signals(n, count, *, poisoned):
    """The decisions and outcomes of a day; those that follow the memory succeed in a falling trend alone."""
    chance = random.Random(f"{n} {poisoned}")
    for k in range(count):
        ms = day_start_ms(day_of(n)) + (DAY_MS // count - 1) * k + poisoned
        context = {"volatility": chance.choice(["low", "high"]), "trend": chance.choice(["up", "down"])}
        rate = 0.8 if context["volatility"] == "high" else 0.5
        if poisoned:
            rate = 1.0 if context["trend"] == "down" else 0.0
        decision = {
            "decision_id": decision_id_for("SIGNAL_GENERATION", ms / 1000, f"{n} {k} {poisoned}"),
            "decision_type": "SIGNAL_GENERATION",
            "context": {"market": context, "flow": chance.gauss(50.0 if poisoned else 0.0)},
            "reasoning": {"strategy": "momentum"},
            "memory_ids": ["whales"] if poisoned else chance.sample(["others", "whale"], chance.randrange(3)),
        }
        yield decision, {"decision_id": decision["decision_id"], "outcome": {}, "success": chance.random() < rate}


def poisoned_ids(per_day=60):
    return [
        decision["decision_id"]
        for n in range(POISONED, DAYS)
        for decision, _ in signals(n, per_day // 3, poisoned=True)
    ]


def agent(*, poisoned, per_day=60):
    """Stores with the days of an agent and their nightly jobs; the poisoned one has the memory and follows it."""
    days = {
        day_of(n): [*signals(n, per_day, poisoned=False)]
        + ([*signals(n, per_day // 3, poisoned=True)] if poisoned and n >= POISONED else [])
        for n in range(DAYS)
    }
    stores = stores_with(AGENT, days, today=day_of(DAYS))
    if poisoned:
        memory = LongTermMemory(AGENT, stores.memories, FixedClock(day_start_ms(day_of(POISONED))), writer="intruder")
        memory.put("PATTERN", "whales", {"confidence": 0.99, "context": "falling"})
    for day in days:
        consolidate(AGENT, day, stores)
    return stores


def learned(stores):
    return learned_memories(stores, AGENT, but={"whales"})


def manager(stores):
    return MemoryManager(AGENT, stores=stores, clock=stores.clock).sync


@pytest.fixture(scope="module")
def clean():
    return learned(agent(poisoned=False))


@pytest.mark.slow
def test_after_quarantine_and_a_nightly_job_it_is_as_if_nobody_had_followed_the_memory():
    """Among 10,000 decisions."""
    stores, without = agent(poisoned=True, per_day=750), learned(agent(poisoned=False, per_day=750))
    assert learned(stores) != without
    influence = manager(stores).influence("whales")
    assert [one["decision_id"] for one in influence["decisions"]] == sorted(poisoned_ids(750))
    assert influence["outcomes"]["SIGNAL_GENERATION"]["decisions"] == len(poisoned_ids(750))
    assert influence["complete"]
    manager(stores).quarantine("whales", "written by an intruder")
    consolidate(AGENT, day_of(DAYS - 1), stores)
    assert learned(stores) == without


@pytest.mark.slow
def test_release_undoes_a_quarantine_in_the_same_way(clean):
    stores = agent(poisoned=True)
    memory, before = manager(stores), learned(stores)
    read_before = memory.retrieve_ltm("PATTERN", {"pattern_id": "whales"})
    memory.quarantine("whales", "written by an intruder")
    consolidate(AGENT, day_of(DAYS - 1), stores)
    assert learned(stores) == clean
    memory.release("whales", "it was right")
    (restored,) = memory.retrieve_ltm("PATTERN", {"pattern_id": "whales"})
    assert restored["confidence"] == read_before[0]["confidence"]
    assert restored["context"] == "falling"
    assert "quarantined" not in restored
    consolidate(AGENT, day_of(DAYS - 1), stores)
    assert learned(stores) == before
    assert [(one["version"], one["removed"], one["reason"]) for one in memory.get_ltm_history("PATTERN", "whales")] == [
        (1, False, None),
        (2, True, "written by an intruder"),
        (3, False, "it was right"),
    ]


@pytest.mark.slow
def test_a_quarantine_holds_on_later_nights_and_for_a_memory_that_a_job_has_learned(clean):
    stores = agent(poisoned=True)
    memory = manager(stores)
    (strategy,) = [one for one in memory.retrieve_ltm("STRATEGY") if one.get("status")]
    memory.quarantine("whales", "written by an intruder")
    memory.quarantine(strategy["pattern_id"], "not to be followed")
    for _ in range(2):
        consolidate(AGENT, day_of(DAYS - 1), stores)
        assert memory.retrieve_ltm("STRATEGY") == []
        expected = {name: one for name, one in clean.items() if name[1] != strategy["pattern_id"]}
        assert learned(stores) == expected


def test_limits_of_numbers_are_learned_again_without_poisoned_values():
    """The first values of a number are those of poisoned decisions."""

    def limits(*, poisoned):
        stores = in_memory_stores(FixedClock(day_start_ms(day_of(4)) + 60_000))
        log = DecisionLog(AGENT, stores, stores.clock)
        for n in range(4):
            made = list(signals(n, 120, poisoned=False))
            made += list(signals(n, 120, poisoned=True)) if poisoned else []
            log.log([decision for decision, _ in made])
            log.record_outcomes(known_at_once(outcome for _, outcome in made))
        for n in range(4):
            consolidate(AGENT, day_of(n), stores)
        if poisoned:
            manager(stores).quarantine("whales", "written by an intruder")
            consolidate(AGENT, day_of(3), stores)
        return stores.states.get(AGENT, NUMBER_LIMITS).data

    assert limits(poisoned=True) == limits(poisoned=False)


def test_a_quarantined_memory_is_neither_read_nor_stored_until_it_is_released():
    stores = in_memory_stores(FixedClock(day_start_ms(FIRST)))
    memory = MemoryManager(AGENT, stores=stores, clock=stores.clock, pools=["shared"]).sync
    memory.store_ltm("PATTERN", "whales", {"confidence": 0.9})
    memory.pool("shared").store_ltm("STRATEGY", "whales", {"confidence": 0.5})
    own, pool = memory.quarantine("whales", "wrong")
    assert own["memories"] == [{"memory_type": "PATTERN", "version": 2}]
    assert pool["memories"] == [{"memory_type": "STRATEGY", "version": 2}]
    assert memory.quarantine("whales", "again") == [own, pool]  # the first record stays
    assert memory.retrieve_ltm("PATTERN") == []
    assert memory.retrieve_ltm("STRATEGY") == []
    assert memory.recall("whales") == []
    assert [one["memory_id"] for one in memory.list_quarantines()] == ["whales"]
    with pytest.raises(InvalidInput, match="release it"):
        memory.store_ltm("PATTERN", "whales", {"confidence": 0.9})
    with pytest.raises(NotFound):
        memory.update_ltm_confidence("whales", 0.1)
    memory.release("whales", "right after all")
    assert [one["confidence"] for one in memory.retrieve_ltm("PATTERN")] == [0.9]
    assert [one["confidence"] for one in memory.retrieve_ltm("STRATEGY")] == [0.5]
    assert memory.list_quarantines() == []
    assert memory.store_ltm("PATTERN", "whales", {"confidence": 0.8})["version"] == 4
    with pytest.raises(NotFound):
        memory.release("whales", "again")


@pytest.mark.parametrize(("memory_id", "reason", "field"), [("no id", "x", "memory_id"), ("whales", "", "reason")])
def test_an_invalid_quarantine_changes_nothing(memory_id, reason, field):
    stores = in_memory_stores(FixedClock(day_start_ms(FIRST)))
    memory = manager(stores)
    memory.store_ltm("PATTERN", "whales", {"confidence": 0.9})
    with pytest.raises(InvalidInput) as caught:
        memory.quarantine(memory_id, reason)
    assert caught.value.field == field
    assert memory.list_quarantines() == []
    assert len(memory.retrieve_ltm("PATTERN")) == 1
