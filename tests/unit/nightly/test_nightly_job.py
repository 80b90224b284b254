"""Nightly jobs on stores in memory."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from agent_memory.core.clock import DAY_MS, FixedClock, Span, day_start_ms, to_iso
from agent_memory.core.errors import Unavailable
from agent_memory.core.ids import decision_id_for
from agent_memory.decisions.log import DecisionLog
from agent_memory.learning.intervals import wilson_interval
from agent_memory.memory.long_term import LongTermMemory
from agent_memory.nightly.archival import archive_due_days
from agent_memory.nightly.consolidation import consolidate
from agent_memory.nightly.pruning import prune
from agent_memory.nightly.summary import summarize_day
from agent_memory.ports.decisions import Selection
from agent_memory.storage.factory import in_memory_stores
from tests.faults import FailingOnce
from tests.outcomes import known_at_once

AGENT = "market-hunter"
FIRST = date(2026, 7, 1)
NOTHING_REMAINING = {"remaining_days": 0, "rewritten": 0, "postponed": [], "damaged": 0, "damaged_items": []}
SIGNALS = Selection(AGENT, "SIGNAL_GENERATION")


def moment(day, hour=0):
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def log_days(log, days, *, planted, per_day=60, seed=7):
    """Log signals over days; if `planted`, those in high volatility succeed 30 points more often."""
    chance = random.Random(seed)
    for n in range(days):
        decision_inputs, outcome_inputs = [], []
        for k in range(per_day):
            at = moment(FIRST + timedelta(days=n)) + timedelta(minutes=20 * k)
            volatility = chance.choice(["low", "normal", "high"])
            context = {"market": {"volatility": volatility, "trend": chance.choice(["up", "down"])}, "k": k}
            decision_id = decision_id_for("SIGNAL_GENERATION", at, f"{n}-{k}")
            decision_inputs.append(
                {"decision_type": "SIGNAL_GENERATION", "context": context, "reasoning": {}, "decision_id": decision_id}
            )
            rate = 0.8 if planted and volatility == "high" else 0.5
            outcome_inputs.append({"decision_id": decision_id, "outcome": {}, "success": chance.random() < rate})
        log.log(decision_inputs)
        log.record_outcomes(known_at_once(outcome_inputs))


@pytest.fixture
def job_clock():
    return FixedClock(day_start_ms(FIRST + timedelta(days=120)))


@pytest.fixture
def stores(job_clock):
    return in_memory_stores(job_clock)


@pytest.fixture
def log(stores, job_clock):
    return DecisionLog(AGENT, stores, job_clock)


def run_job(stores, day):
    return consolidate(AGENT, day, stores)


def evidence_in(stores):
    return list(stores.evidence.read(AGENT, Span(0, 2**52)))


def patterns(stores):
    return [memory.as_dict() for memory in stores.memories.by_confidence(AGENT, "PATTERN")]


def archive(stores, day):
    return archive_due_days(AGENT, day, stores)


@pytest.mark.slow
def test_jobs_learn_a_planted_pattern_and_running_one_again_changes_nothing(stores, log):
    log_days(log, 30, planted=True)
    for n in range(30):
        figures = run_job(stores, FIRST + timedelta(days=n))
    assert figures["evidence_rows"] == 30 * 60
    (learned,) = [p for p in patterns(stores) if p["features"] == ["context.market.volatility=high"]]
    assert learned["status"] == "active"
    assert learned["success_rate"] == pytest.approx(0.8, abs=0.06)
    assert learned["confidence"] > 0.99
    before, evidence = patterns(stores), evidence_in(stores)
    assert run_job(stores, FIRST + timedelta(days=29)) == {**figures, "learned": 0}
    assert (patterns(stores), evidence_in(stores)) == (before, evidence)


@pytest.mark.slow
def test_jobs_learn_nothing_from_chance(stores, log):
    log_days(log, 30, planted=False)
    for n in range(30):
        run_job(stores, FIRST + timedelta(days=n))
    assert patterns(stores) == []


@pytest.mark.slow
def test_a_pattern_that_stops_holding_is_deprecated(stores, log):
    log_days(log, 20, planted=True)
    day_of = {n: FIRST + timedelta(days=n) for n in range(60)}
    for n in range(20):
        run_job(stores, day_of[n])
    (learned,) = [p for p in patterns(stores) if p["features"] == ["context.market.volatility=high"]]
    assert learned["status"] == "active"
    for n in range(20, 60):
        start = moment(day_of[n])
        decision_inputs = [
            {
                "decision_type": "SIGNAL_GENERATION",
                "context": {"market": {"volatility": ["low", "high"][k % 2], "trend": "up"}, "k": k},
                "reasoning": {},
                "decision_id": decision_id_for("SIGNAL_GENERATION", start + timedelta(minutes=k), f"late-{k}"),
            }
            for k in range(60)
        ]
        log.log(decision_inputs)
        log.record_outcomes(
            known_at_once(
                {"decision_id": d["decision_id"], "outcome": {}, "success": k % 4 < 2}
                for k, d in enumerate(decision_inputs)
            )
        )
        run_job(stores, day_of[n])
    status = {p["features"][0].rpartition("=")[2]: p["status"] for p in patterns(stores)}
    assert status["high"] == "deprecated"


def test_outcomes_after_midnight_are_learned_from_by_the_next_job(stores, log):
    late = moment(FIRST, 23)
    result = log.log_one({"decision_type": "QUERY", "context": {}, "reasoning": {}, "timestamp": late})
    run_job(stores, FIRST)
    assert [(row.decision_id, row.success) for row in evidence_in(stores)] == [(result.decision_id, None)]
    after_midnight = moment(FIRST + timedelta(days=1), 1)
    log.record_outcome({"decision_id": result.decision_id, "outcome": {}, "success": True, "timestamp": after_midnight})
    assert run_job(stores, FIRST + timedelta(days=1))["evidence_rows"] == 1
    assert [(row.decision_id, row.success) for row in evidence_in(stores)] == [(result.decision_id, True)]


def test_the_archive_holds_exactly_the_days_older_than_thirty(stores, log):
    log_days(log, 40, planted=False, per_day=5)
    last = FIRST + timedelta(days=39)
    figures = archive(stores, last)
    sealed = {"head": stores.archive.manifest(AGENT, FIRST + timedelta(days=9)).link().hash, "sealed": 10}
    assert figures == {"days": 10, "decisions": 50, **NOTHING_REMAINING, **sealed}
    assert stores.archive.days(AGENT) == [FIRST + timedelta(days=n) for n in range(10)]
    assert archive(stores, last) == {"days": 0, "decisions": 0, **NOTHING_REMAINING, **sealed}
    manifest = stores.archive.manifest(AGENT, FIRST)
    assert (manifest.rows, manifest.with_outcome, manifest.first) == (5, 5, to_iso(day_start_ms(FIRST)))


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    ("store", "method"),
    [("archive", "write_file"), ("archive", "write_manifest"), ("decisions", "expire"), ("states", "put")],
)
@pytest.mark.parametrize("calls_before", [0, 3, 4])
@pytest.mark.slow
def test_a_job_that_fails_anywhere_loses_nothing(stores, log, job_clock, store, method, calls_before, after):
    """For days long past, expiry is immediate: what the failed job archived has expired from the table."""
    log_days(log, 25, planted=False, per_day=4)
    everything = list(stores.decisions.scan(SIGNALS, Span(0, job_clock.now_ms())))
    last = FIRST + timedelta(days=119)
    failing = replace(stores, **{store: FailingOnce(getattr(stores, store), method, calls_before, after=after)})
    with pytest.raises(Unavailable):
        archive_due_days(AGENT, last, failing)
    archive_due_days(AGENT, last, stores)
    days = stores.archive.days(AGENT)
    archived = [d for day in days for d in stores.archive.read_day(AGENT, day)]
    assert archived == everything[::-1]


def test_pruning_removes_doubtful_and_deprecated_memories_and_keeps_their_last_version(stores):
    old = FixedClock(day_start_ms(FIRST))
    memory = LongTermMemory(AGENT, stores.memories, old)
    memory.put("PATTERN", "doubtful", {"confidence": 0.2})
    memory.put("PATTERN", "fallen", {"confidence": 0.9, "status": "deprecated"})
    memory.put("STRATEGY", "valid", {"confidence": 0.9})
    memory.put("CONFIGURATION", "learning", {"rate": 0.1})
    stores = replace(stores, clock=FixedClock(day_start_ms(FIRST + timedelta(days=180))))
    figures = {n: prune(AGENT, FIRST + timedelta(days=n), stores) for n in (28, 29, 178, 179)}
    assert [figures[n]["pruned"] for n in (28, 29, 178, 179)] == [0, 1, 0, 1]
    assert [m.pattern_id for m in stores.memories.by_confidence(AGENT, "STRATEGY")] == ["valid"]
    assert stores.memories.get(AGENT, "CONFIGURATION", "learning") is not None
    assert patterns(stores) == []
    kept = stores.blobs.read("pruned/agent_id=market-hunter/memory_type=PATTERN/doubtful/0000000001.json")
    assert b'"confidence":0.2' in kept
    *_, removal = stores.memories.history(AGENT, "PATTERN", "fallen")
    assert (removal.is_removed, removal.changed_by) == (True, "nightly consolidation")
    assert removal.reason == "deprecated for 180 days"


def test_the_report_counts_its_own_day(stores, log):
    log_days(log, 3, planted=False, per_day=10)
    for n in range(3):
        run_job(stores, FIRST + timedelta(days=n))
    summary = summarize_day(AGENT, FIRST + timedelta(days=1), stores)
    decisions = list(
        stores.decisions.scan(SIGNALS, Span(day_start_ms(FIRST) + DAY_MS, day_start_ms(FIRST) + 2 * DAY_MS))
    )
    succeeded = sum(d.outcome.success for d in decisions)
    low, high = wilson_interval(succeeded / 10, 10)
    assert summary["by_type"] == {
        "SIGNAL_GENERATION": {
            "with_outcome": 10,
            "succeeded": succeeded,
            "success_rate": succeeded / 10,
            "low": low,
            "high": high,
        }
    }
    assert stores.blobs.read("reports/agent_id=market-hunter/date=2026-07-02/report.json") is not None
