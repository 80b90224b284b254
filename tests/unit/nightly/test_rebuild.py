"""What was learned from poisoned decisions is taken back: afterwards memories are as if these had never been made."""

import random
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.core.clock import DAY_MS, FixedClock, day_start_ms
from agent_memory.core.errors import InvalidInput, NotFound
from agent_memory.core.ids import decision_id_for
from agent_memory.core.keys import LEARNING_CONTROLS
from agent_memory.memory.learning_controls import MAX_DECISION_IDS, LearningControls, read_controls
from agent_memory.memory.long_term import LongTermMemory
from agent_memory.nightly.consolidation import consolidate
from agent_memory.nightly.days import LearnedDays
from agent_memory.nightly.rebuild import forget_learning_since
from agent_memory.nightly.run import run_nightly_job
from agent_memory.nightly.stored_memories import LEARNED
from agent_memory.storage.factory import in_memory_stores
from tests.unit.nightly.learned import learned_memories, stores_with

AGENT = "market-hunter"
FIRST = date(2026, 7, 1)
DAYS, POISONED, POISON_ENDS = 24, 14, 17


def day_of(n):
    return FIRST + timedelta(days=n)


def signals(n, *, poisoned):
    """The decisions and outcomes of a day; poisoned ones name a memory, and always succeed in a falling trend."""
    chance = random.Random(f"{n} {poisoned}")
    for k in range(60):
        ms = day_start_ms(day_of(n)) + 1_000_000 * k + poisoned
        context = {"volatility": chance.choice(["low", "high"]), "trend": chance.choice(["up", "down"])}
        rate = 0.8 if context["volatility"] == "high" else 0.5
        if poisoned:
            context["trend"], rate = ("down", 1.0) if k % 3 else ("up", 0.0)
        decision = {
            "decision_id": decision_id_for("SIGNAL_GENERATION", ms / 1000, f"{n} {k} {poisoned}"),
            "decision_type": "SIGNAL_GENERATION",
            "context": {"market": context},
            "reasoning": {"strategy": "momentum"},
            "memory_ids": ["whales"] if poisoned else [],
        }
        yield decision, {"decision_id": decision["decision_id"], "outcome": {}, "success": chance.random() < rate}


def agent(*, poisoned, jobs=DAYS):
    """Stores with the days of an agent and the nightly jobs of the first of them."""
    days = {
        day_of(n): [*signals(n, poisoned=False)]
        + ([*signals(n, poisoned=True)] if poisoned and POISONED <= n < POISON_ENDS else [])
        for n in range(DAYS)
    }
    stores = stores_with(AGENT, days, today=day_of(DAYS))
    for day in list(days)[:jobs]:
        consolidate(AGENT, day, stores)
    return stores


def learned(stores):
    return learned_memories(stores, AGENT)


def controls(stores):
    return LearningControls(AGENT, stores.states, stores.clock, by="alice")


def poisoned_ids():
    return [decision["decision_id"] for n in range(POISONED, POISON_ENDS) for decision, _ in signals(n, poisoned=True)]


def rebuild(stores, n=POISONED):
    return forget_learning_since(AGENT, day_of(n), stores, by="alice", reason="poisoned")


@pytest.fixture(scope="module")
def clean():
    return learned(agent(poisoned=False))


@pytest.mark.slow
def test_after_a_rebuild_memories_are_as_if_the_decisions_had_never_been_made(clean):
    stores = agent(poisoned=True)
    before = LongTermMemory(AGENT, stores.memories, stores.clock)
    poisoned = learned(stores)
    seen_at = [day_start_ms(day_of(n)) / 1000 for n in range(POISONED, DAYS + 1, 3)]
    read_then = [[before.find(kind, as_of=at) for kind in LEARNED] for at in seen_at]
    assert learned(stores) != clean
    controls(stores).exclude(start_ms=0, end_ms=1, decision_ids=poisoned_ids(), reason="poisoned")
    receipt = rebuild(stores)
    assert receipt["reverted"] or receipt["removed"]
    consolidate(AGENT, day_of(DAYS - 1), stores)
    assert learned(stores) == clean
    # The history still says what agents read at the time.
    assert [[before.find(kind, as_of=at) for kind in LEARNED] for at in seen_at] == read_then
    a_moment_ago = stores.clock.now_ms() / 1000 - 1
    assert {
        (kind, one.pattern_id): (one.confidence, one.data)
        for kind in LEARNED
        for one in before.find(kind, as_of=a_moment_ago)
    } == poisoned


@pytest.mark.slow
@pytest.mark.parametrize("days", [[POISONED + 2], [POISONED - 2, POISON_ENDS + 1]])
def test_rebuilds_may_be_repeated_and_never_bring_back_what_was_poisoned(clean, days):
    stores = agent(poisoned=True)
    controls(stores).exclude(
        start_ms=0, end_ms=1, decision_ids=poisoned_ids(), decision_type="SIGNAL_GENERATION", reason="poisoned"
    )
    rebuild(stores)
    consolidate(AGENT, day_of(DAYS - 1), stores)
    for n in days:
        assert day_start_ms(date.fromisoformat(rebuild(stores, n)["since"])) <= day_start_ms(day_of(POISONED))
        consolidate(AGENT, day_of(DAYS - 1), stores)
    assert learned(stores) == clean


@pytest.mark.slow
@pytest.mark.parametrize("pauses", [False, True])
def test_a_job_that_a_rebuild_overtakes_obeys_what_was_decided_meanwhile(clean, monkeypatch, pauses):
    stores = agent(poisoned=True, jobs=DAYS - 1)
    check = LearnedDays.check_unchanged

    def decide_first(days, progress):
        monkeypatch.setattr(LearnedDays, "check_unchanged", check)
        if pauses:
            controls(stores).pause("poisoned")
        controls(stores).exclude(start_ms=0, end_ms=1, decision_ids=poisoned_ids(), reason="poisoned")
        rebuild(stores)
        check(days, progress)

    monkeypatch.setattr(LearnedDays, "check_unchanged", decide_first)
    figures = consolidate(AGENT, day_of(DAYS - 1), stores)
    assert figures["days"] == (0 if pauses else DAYS - POISONED)
    if not pauses:
        assert learned(stores) == clean


@pytest.mark.slow
def test_lifting_an_exclusion_restores_what_it_left_out():
    stores = agent(poisoned=True)
    before = learned(stores)
    number = (
        controls(stores)
        .exclude(start_ms=day_start_ms(day_of(POISONED)), end_ms=day_start_ms(day_of(POISON_ENDS)), reason="too much")
        .number
    )
    for _ in range(2):
        rebuild(stores)
        consolidate(AGENT, day_of(DAYS - 1), stores)
        if learned(stores) != before:
            controls(stores).lift(number)
    assert learned(stores) == before


@pytest.mark.slow
def test_a_paused_agent_learns_nothing_and_later_the_same_as_without_the_pause(clean):
    stores = agent(poisoned=False, jobs=10)
    paused = controls(stores).pause("being examined").paused
    assert controls(stores).pause("again").paused == paused
    before = learned(stores)
    for n in range(10, DAYS - 1):
        figures = run_nightly_job(AGENT, day_of(n), stores)
        assert (figures["missed_days"], figures["consolidation"]["days"]) == (0, 0)
    assert learned(stores) == before
    assert figures["analytics"]["checks"]["learning_stopped"] == f"no day after {day_of(9)} was learned"
    controls(stores).resume()
    consolidate(AGENT, day_of(DAYS - 1), stores)
    assert learned(stores) == clean


def test_memories_that_only_agents_wrote_are_left_alone():
    stores = agent(poisoned=False, jobs=3)
    own = LongTermMemory(AGENT, stores.memories, FixedClock(day_start_ms(day_of(2))))
    own.put("PATTERN", "whales", {"text": "mine", "confidence": 0.7})
    receipt = rebuild(stores, 1)
    assert "whales" not in [*receipt["reverted"], *receipt["removed"]]
    assert own.find("PATTERN")[0].data == {"text": "mine"}


@pytest.mark.parametrize(
    ("n", "message"),
    [(5, "was not learned yet; the last day of market-hunter is 2026-07-03"), (DAYS, "has not ended yet")],
)
def test_a_day_that_cannot_be_learned_again_is_refused_and_nothing_changes(n, message):
    stores = agent(poisoned=False, jobs=3)
    before = learned(stores)
    with pytest.raises(InvalidInput, match=message):
        rebuild(stores, n)
    assert learned(stores) == before
    assert stores.states.get(AGENT, LEARNING_CONTROLS) is None


def test_exclusions_are_checked_and_numbered():
    stores = in_memory_stores(FixedClock(DAY_MS))
    with pytest.raises(InvalidInput, match="to: must be after"):
        controls(stores).exclude(start_ms=5, end_ms=5, reason="x")
    with pytest.raises(InvalidInput, match="decision_ids"):
        controls(stores).exclude(start_ms=0, end_ms=1, decision_ids=["no id"], reason="x")
    with pytest.raises(InvalidInput, match="reason"):
        controls(stores).exclude(start_ms=0, end_ms=1, reason="")
    ids = [decision_id_for("QUERY", 1.0, f"{n}") for n in range(MAX_DECISION_IDS + 1)]
    with pytest.raises(InvalidInput, match=r"5,001 ids; at most 5,000 fit: exclude a span"):
        controls(stores).exclude(start_ms=0, end_ms=1, decision_ids=ids, reason="x")
    assert read_controls(stores.states, AGENT).exclusions == ()
    numbers = [controls(stores).exclude(start_ms=0, end_ms=DAY_MS, reason="x").number for _ in range(3)]
    controls(stores).lift(2)
    with pytest.raises(NotFound, match="has no exclusion 2"):
        controls(stores).lift(2)
    assert numbers == [1, 2, 3]
    assert [one.number for one in read_controls(stores.states, AGENT).exclusions] == [1, 3]


spans = st.tuples(st.integers(0, 100), st.integers(1, 100), st.sampled_from([None, "QUERY", "LEARNING"]))


@given(st.lists(spans, max_size=4), st.integers(0, 250), st.sampled_from(["QUERY", "LEARNING"]))
def test_a_decision_is_excluded_if_any_exclusion_covers_it(exclusions, at, kind):
    stores = in_memory_stores(FixedClock(DAY_MS))
    for start, length, of_type in exclusions:
        controls(stores).exclude(start_ms=start, end_ms=start + length, decision_type=of_type, reason="x")
    expected = any(start <= at < start + length and of_type in {None, kind} for start, length, of_type in exclusions)
    assert read_controls(stores.states, AGENT).excludes("id", kind, at) is expected
