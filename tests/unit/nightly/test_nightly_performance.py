"""Memories of strategies, sources and market conditions over several nightly jobs."""

from datetime import UTC, date, datetime, timedelta

import pytest

from agent_memory.core.clock import FixedClock, day_start_ms
from agent_memory.decisions.log import DecisionLog
from agent_memory.learning.patterns import PatternThresholds
from agent_memory.memory.long_term import LongTermMemory
from agent_memory.model.memories import MemoryType
from agent_memory.nightly.consolidation import consolidate
from tests.outcomes import known_at_once

AGENT = "market-hunter"
FIRST = date(2026, 7, 1)
FEW = PatternThresholds(min_occurrences=5)
KINDS = (MemoryType.STRATEGY, MemoryType.SOURCE_PERFORMANCE, MemoryType.ARCHETYPE)


@pytest.fixture
def clock():
    return FixedClock(day_start_ms(FIRST + timedelta(days=200)))


@pytest.fixture
def memory(stores, clock):
    return LongTermMemory(AGENT, stores.memories, clock)


def log_day(stores, clock, day, strategy):
    log = DecisionLog(AGENT, stores, clock)
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    decision_inputs = [
        {
            "decision_type": "SOURCE_SELECTION",
            "context": {"market": {"trend": "bullish"}},
            "reasoning": {"selected": ["news"]},
            "metadata": {"strategy": strategy},
            "timestamp": start + timedelta(hours=n),
        }
        for n in range(6)
    ]
    ids = [one.decision_id for one in log.log(decision_inputs)]
    outcomes = [{"decision_id": one, "outcome": {}, "success": n < 4} for n, one in enumerate(ids)]
    log.record_outcomes(known_at_once(outcomes))


def run_job(stores, day):
    return consolidate(AGENT, day, stores, thresholds=FEW)


def test_a_job_stores_them_and_running_it_again_changes_nothing(stores, clock, memory):
    log_day(stores, clock, FIRST, "trend")
    figures = run_job(stores, FIRST)
    assert {name: figures[name] for name in ("strategy", "source_performance", "archetype")} == {
        "strategy": 1,
        "source_performance": 1,
        "archetype": 1,
    }
    stored = [one for kind in KINDS for one in memory.find(kind)]
    assert [(one.pattern_id, one.data["status"], one.data["occurrences"]) for one in stored] == [
        ("source_selection+metadata.strategy=trend", "active", 6),
        ("source_selection+source=news", "active", 6),
        ("archetype+context.market.trend=bullish", "active", 6),
    ]
    run_job(stores, FIRST)
    assert [one for kind in KINDS for one in memory.find(kind)] == stored


@pytest.mark.slow
def test_a_strategy_out_of_use_is_deprecated_once_and_active_again_when_it_is_used(stores, clock, memory):
    log_day(stores, clock, FIRST, "trend")
    run_job(stores, FIRST)
    later = FIRST + timedelta(days=100)
    log_day(stores, clock, later, "range")
    for n in range(2):
        run_job(stores, later + timedelta(days=n))
    versions = memory.history("STRATEGY", "source_selection+metadata.strategy=trend")
    assert [(one.data["status"], one.reason) for one in versions] == [
        ("active", "figures updated"),
        ("deprecated", "too few recent decisions"),
    ]
    assert versions[-1].data["status_since"] == "2026-09-30T00:00:00.000Z"
    log_day(stores, clock, later + timedelta(days=2), "trend")
    run_job(stores, later + timedelta(days=2))
    assert memory.history("STRATEGY", "source_selection+metadata.strategy=trend")[-1].data["status"] == "active"


def test_memories_that_an_agent_stored_itself_are_left_alone(stores, clock, memory):
    own = memory.put("STRATEGY", "source_selection+metadata.strategy=trend", {"confidence": 0.9, "note": "mine"})
    other = memory.put("STRATEGY", "other", {"confidence": 0.9})
    log_day(stores, clock, FIRST, "trend")
    assert run_job(stores, FIRST)["strategy"] == 0
    assert {one.pattern_id: one for one in memory.find("STRATEGY")} == {own.pattern_id: own, "other": other}


def log_cycles(stores, clock, day, count=12):
    """Cycles whose selections all succeed; only the signals of `exploit` that were acted on are right."""
    log = DecisionLog(AGENT, stores, clock)
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    for n in range(count):
        at, strategy = start + timedelta(hours=n), "exploit" if n % 2 else "explore"
        (selection,) = log.log(
            [
                {
                    "decision_type": "SOURCE_SELECTION",
                    "context": {},
                    "reasoning": {"selected": ["news"], "strategy": strategy},
                    "timestamp": at,
                }
            ]
        )
        signals = log.log(
            [
                {
                    "decision_type": "SIGNAL_GENERATION",
                    "context": {},
                    "reasoning": {"source": source, "chosen": source == "news"},
                    "parent_ids": [selection.decision_id],
                    "timestamp": at,
                }
                for source in ("news", "macro")
            ]
        )
        outcomes = [{"decision_id": selection.decision_id, "outcome": {}, "success": True}]
        outcomes += [
            {"decision_id": one.decision_id, "outcome": {}, "success": strategy == "exploit"} for one in signals
        ]
        log.record_outcomes(known_at_once(outcomes))


def test_strategies_are_measured_by_the_signals_that_they_caused(stores, clock, memory):
    log_cycles(stores, clock, FIRST)
    run_job(stores, FIRST)
    found = {one.data["strategy"]: one.data for one in memory.find("STRATEGY")}
    assert {
        name: (data["outcome_type"], data["occurrences"], data["success_rate"]) for name, data in found.items()
    } == {
        "exploit": ("SIGNAL_GENERATION", 6, 1.0),
        "explore": ("SIGNAL_GENERATION", 6, 0.0),
    }
    sources = {one.data["source"]: one.data for one in memory.find("SOURCE_PERFORMANCE")}
    assert {name: (data["measured_by"], data["success_rate"]) for name, data in sources.items()} == {
        "news": ("outcome", 0.5),
        "macro": ("outcome", 0.5),
    }
    before = memory.find("STRATEGY")
    run_job(stores, FIRST)
    assert memory.find("STRATEGY") == before
