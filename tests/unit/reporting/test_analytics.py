"""Analytics of a record that is small enough to recompute by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from agent_memory import DecisionLogger, MemoryAnalytics, MemoryManager

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def memory(stores, clock):
    return MemoryManager("hunter", stores=stores, clock=clock)


@pytest.fixture
def analytics(memory, stores, clock):
    return MemoryAnalytics(DecisionLogger("hunter", stores=stores, clock=clock), memory, clock=clock)


async def log(stores, clock, hours_ago, sources, trend, success):
    logger = DecisionLogger("hunter", stores=stores, clock=clock)
    at = NOON - timedelta(hours=hours_ago)
    context, reasoning = {"market": {"trend": trend}}, {"selected": sources} if sources else {}
    decision_id = await logger.log_decision("SOURCE_SELECTION", context, reasoning, timestamp=at)
    if success is not None:
        await logger.log_outcome(decision_id, {}, success)


@pytest.fixture
async def record(stores, clock):
    for decision in (
        (0.5, ["a", "b"], "up", True),
        (2, ["a"], "up", False),
        (48, ["b"], "down", True),
        (24 * 40, [], "down", None),
    ):
        await log(stores, clock, *decision)


async def test_success_by_context_and_source(analytics, record):
    contexts = await analytics.get_success_rate_by_context()
    assert [(row["context_type"], row["with_outcome"], row["success_rate"]) for row in contexts] == [
        ("trend=down", 1, 1.0),
        ("trend=up", 2, 0.5),
    ]
    sources = await analytics.get_source_effectiveness()
    assert [(row["source"], row["with_outcome"], row["succeeded"]) for row in sources] == [("a", 2, 1), ("b", 2, 2)]
    assert all(0 <= row["low"] < row["success_rate"] <= row["high"] <= 1 for row in sources)
    recent = await analytics.get_source_effectiveness((NOON - timedelta(hours=1), None))
    assert [row["source"] for row in recent] == ["a", "b"]


async def test_the_confidence_trend_is_every_version_of_a_pattern(analytics, memory, clock):
    for confidence in (0.6, 0.7, 0.65):
        await memory.store_ltm("PATTERN", "p", {"confidence": confidence, "status": "active"})
        clock.advance(86_400_000)
    trend = await analytics.get_pattern_confidence_trend("p")
    assert [(row["at"][:10], row["confidence"], row["version"]) for row in trend] == [
        ("2026-11-20", 0.6, 1),
        ("2026-11-21", 0.7, 2),
        ("2026-11-22", 0.65, 3),
    ]


async def test_the_report_says_where_the_data_is_stored(analytics, memory, record):
    await memory.store_stm("context:current", {"trend": "up"}, 60)
    report = await analytics.generate_performance_report()
    assert (report["totals"]["decisions"], report["totals"]["with_outcome"], report["totals"]["succeeded"]) == (4, 3, 2)
    assert {row["level"]: row["decisions"] for row in report["levels"]} == {
        "immediate": 1,
        "recent": 1,
        "historical": 1,
        "archive": 1,
    }
    assert report["levels"][0]["entries"] == 1
    assert (report["success_with_source"]["with_outcome"], report["success_with_source"]["succeeded"]) == (3, 2)
    assert report["control"]["promoted"] == 0
    assert report["patterns"] == []


async def test_the_report_of_an_empty_record(analytics):
    report = await analytics.generate_performance_report()
    assert report["totals"] == {
        "decisions": 0,
        "with_outcome": 0,
        "succeeded": 0,
        "success_rate": None,
        "low": None,
        "high": None,
    }
    assert report["decisions_per_day"] == []
