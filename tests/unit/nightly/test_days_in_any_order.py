"""Nightly jobs for days that are missed, repeated, reordered or run at once lead to the same state as in order."""

import hashlib
import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_memory.archive.verification import verify_archive
from agent_memory.core.clock import CLOCK_TOLERANCE_MS, DAY_MS, FixedClock, Span, day_start_ms
from agent_memory.core.errors import InvalidInput
from agent_memory.core.ids import decision_id_for
from agent_memory.core.keys import ARCHIVE_PROGRESS, LEARNING_PROGRESS
from agent_memory.decisions.log import DecisionLog
from agent_memory.memory.long_term import LongTermMemory
from agent_memory.nightly.activity import read_activity
from agent_memory.nightly.archival import archive_due_days
from agent_memory.nightly.consolidation import consolidate
from agent_memory.nightly.pruning import prune
from agent_memory.nightly.run import run_nightly_job, run_nightly_jobs
from agent_memory.nightly.summary import summarize_day
from agent_memory.storage.factory import in_memory_stores
from tests.outcomes import known_at_once

AGENT = "hunter"
FIRST = date(2026, 3, 1)
DAYS = 34
TYPES = ("PATTERN", "STRATEGY", "SOURCE_PERFORMANCE", "ARCHETYPE", "ESTIMATE")
THRESHOLD = 31  # days of history before the first job of a sequence


def history():
    """Stores of an agent with 34 days of decisions, a memory that will be pruned, and a clock after all of them."""
    clock = FixedClock(day_start_ms(FIRST + timedelta(days=DAYS)))
    stores = in_memory_stores(clock)
    chance = random.Random(11)
    log = DecisionLog(AGENT, stores, clock)
    for n in range(DAYS):
        start = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC) + timedelta(days=n)
        ids = [decision_id_for("QUERY", start + timedelta(minutes=k), f"{n} {k}") for k in range(12)]
        volatility = [chance.choice(["low", "high"]) for _ in ids]
        log.log(
            [
                {
                    "decision_type": "QUERY",
                    "context": {"market": {"volatility": one}},
                    "reasoning": {"selected": ["whales"]},
                    "metadata": {"strategy": "trend"},
                    "decision_id": decision_id,
                }
                for decision_id, one in zip(ids, volatility, strict=True)
            ]
        )
        rates = {"high": 0.95 if n < DAYS // 2 else 0.2, "low": 0.4}
        log.record_outcomes(
            known_at_once(
                {"decision_id": decision_id, "outcome": {}, "success": chance.random() < rates[one]}
                for decision_id, one in zip(ids, volatility, strict=True)
            )
        )
    early = FixedClock(day_start_ms(FIRST))
    LongTermMemory(AGENT, stores.memories, early).put("PATTERN", "doubtful", {"confidence": 0.2})
    return stores, clock


def outcome_of(stores, clock):
    """What must not depend on the order of jobs: memories with every version, the archive, and the progress."""
    long_term = LongTermMemory(AGENT, stores.memories, clock)
    versions = {kind: [one.as_dict() for one in stores.memories.all_versions(AGENT, kind)] for kind in TYPES}
    known = {
        (kind, n): [one.as_dict() for one in long_term.find(kind, as_of=day_time(n))]
        for kind in TYPES
        for n in range(0, DAYS, 3)
    }
    archived = {day: stores.archive.read_day(AGENT, day) for day in stores.archive.days(AGENT)}
    manifests = {day: stores.archive.manifest(AGENT, day).as_dict() for day in archived}
    progress = {name: stores.states.get(AGENT, name) for name in (ARCHIVE_PROGRESS, LEARNING_PROGRESS)}
    parts = {
        "versions": versions,
        "known": known,
        "archived": archived,
        "evidence": list(stores.evidence.read(AGENT, Span(0, 2**52))),
        "progress": {name: one.data for name, one in progress.items()},
        "manifests": manifests,
    }
    return {name: hashlib.sha256(repr(part).encode()).hexdigest() for name, part in parts.items()}


def day_time(n):
    return datetime(FIRST.year, FIRST.month, FIRST.day, 12, tzinfo=UTC) + timedelta(days=n)


@pytest.fixture(scope="module")
def in_order():
    """The state after the jobs of all days, each in its turn, by the number of days."""
    stores, clock = history()
    states = {}
    for n in range(DAYS):
        run_nightly_job(AGENT, FIRST + timedelta(days=n), stores)
        if n >= THRESHOLD:
            states[n] = outcome_of(stores, clock)
    return states


sequences = st.lists(st.integers(0, DAYS - 1), min_size=1, max_size=6).filter(lambda days: max(days) >= THRESHOLD)


@settings(max_examples=4, deadline=None)
@given(days=sequences)
@pytest.mark.slow
def test_missed_repeated_and_reordered_days_lead_to_the_same_state(in_order, days):
    stores, clock = history()
    for n in days:
        run_nightly_job(AGENT, FIRST + timedelta(days=n), stores)
    assert outcome_of(stores, clock) == in_order[max(days)]


@settings(max_examples=3, deadline=None)
@given(days=st.lists(st.integers(THRESHOLD, DAYS - 1), min_size=2, max_size=3))
@pytest.mark.slow
def test_jobs_that_run_at_once_lead_to_the_same_state(in_order, days):
    stores, clock = history()
    run_nightly_job(AGENT, FIRST + timedelta(days=THRESHOLD - 2), stores)
    entries = []

    def run(n):
        entries.extend(run_nightly_jobs([AGENT], FIRST + timedelta(days=n), stores))

    threads = [Thread(target=run, args=(n,)) for n in days]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert [one.get("error") for one in entries] == [None] * len(days)
    found, expected = outcome_of(stores, clock), in_order[max(days)]
    assert {name: found[name] == expected[name] for name in found if name != "manifests"} == {
        name: True for name in expected if name != "manifests"
    }
    assert verify_archive(AGENT, states=stores.states, archive=stores.archive, now_ms=clock.now_ms()).is_clean


STEPS = [run_nightly_job, consolidate, prune, archive_due_days, summarize_day]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
@pytest.mark.parametrize("ahead", [0, 1, 365])
def test_a_day_that_has_not_ended_is_refused_and_changes_nothing(step, ahead):
    stores = in_memory_stores(FixedClock(day_start_ms(FIRST) + DAY_MS - CLOCK_TOLERANCE_MS - 1))
    log = DecisionLog(AGENT, stores, stores.clock)
    log.log_one({"decision_type": "QUERY", "context": {}, "reasoning": {}})
    day = FIRST + timedelta(days=ahead)
    with pytest.raises(InvalidInput, match=f"date: {day} has not ended yet"):
        step(AGENT, day, stores)
    assert stores.states.list_by_prefix(AGENT, "") == []
    assert stores.blobs.list_keys("") == []


def test_a_job_by_a_clock_that_is_slow_by_the_tolerance_runs():
    stores = in_memory_stores(FixedClock(day_start_ms(FIRST) + DAY_MS - CLOCK_TOLERANCE_MS))
    assert run_nightly_job(AGENT, FIRST, stores)["date"] == FIRST.isoformat()


@pytest.mark.slow
def test_progress_in_the_future_does_not_stop_later_jobs():
    """Earlier versions accepted any day, and stored it as their progress."""
    stores, _ = history()
    future = replace(stores, clock=FixedClock(day_start_ms(FIRST + timedelta(days=500))))
    start = FixedClock(day_start_ms(FIRST + timedelta(days=20)))
    consolidate(AGENT, FIRST + timedelta(days=19), replace(stores, clock=start))
    for name, field in ((LEARNING_PROGRESS, "learned_through"), (ARCHIVE_PROGRESS, "archived_through")):
        before = stores.states.get(AGENT, name)
        data = {field: (FIRST + timedelta(days=400)).isoformat()}
        version = before.version if before else 0
        stores.states.put(AGENT, name, data, expected_version=version, now_ms=future.clock.now_ms())
    last = FIRST + timedelta(days=DAYS - 1)
    figures = run_nightly_job(AGENT, last, stores)
    assert figures["consolidation"]["evidence_rows"] == DAYS * 12
    assert figures["archival"]["days"] == DAYS - 30
    assert stores.states.get(AGENT, LEARNING_PROGRESS).data == {"learned_through": last.isoformat()}
    archived_through = (last - timedelta(days=30)).isoformat()
    assert stores.states.get(AGENT, ARCHIVE_PROGRESS).data == {"archived_through": archived_through}
    assert len(stores.archive.days(AGENT)) == DAYS - 30


def test_a_job_that_is_interrupted_once_a_missed_day_is_learned_leaves_out_no_figures_of_it(monkeypatch):
    last = FIRST + timedelta(days=2)
    expected, _ = history()
    consolidate(AGENT, last, expected)
    stores, _ = history()
    put = stores.states.put

    def put_and_be_killed(agent_id, name, data, **options):
        state = put(agent_id, name, data, **options)
        if name == LEARNING_PROGRESS and state.data.get("learned_through") == (FIRST + timedelta(days=1)).isoformat():
            monkeypatch.undo()
            raise KeyboardInterrupt
        return state

    monkeypatch.setattr(stores.states, "put", put_and_be_killed)
    with pytest.raises(KeyboardInterrupt):
        consolidate(AGENT, last, stores)
    consolidate(AGENT, last, stores)
    assert read_activity(stores.states, AGENT) == read_activity(expected.states, AGENT)
