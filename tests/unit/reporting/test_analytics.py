"""Analytics of a record that is small enough to recompute by hand."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from agent_memory import DecisionLogger, HttpApi, InvalidInput, MemoryAnalytics, MemoryManager
from agent_memory.api import deployment as api
from agent_memory.api.deployment import Deployment
from agent_memory.core.clock import DAY_MS
from agent_memory.core.keys import ROLLUPS
from agent_memory.nightly.rollups import roll_up_days
from agent_memory.reporting.page import render_report
from tests.http_events import FakeSession, call_routes, client_with

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
    # Nothing but selections was logged, which the rows say.
    assert [(row["source"], row["with_outcome"], row["succeeded"]) for row in sources] == [("b", 2, 2), ("a", 2, 1)]
    assert {row["measured_by"] for row in sources} == {"selection"}
    assert all(0 <= row["low"] < row["success_rate"] <= row["high"] <= 1 for row in sources)
    recent = await analytics.get_source_effectiveness((NOON - timedelta(hours=1), None))
    assert {row["source"] for row in recent} == {"a", "b"}


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
    assert report["totals"] == {"decisions": 4, "with_outcome": 3}
    assert [(row["decision_type"], row["succeeded"]) for row in report["success_by_type"]] == [("SOURCE_SELECTION", 2)]
    assert {row["level"]: row["decisions"] for row in report["levels"]} == {
        "immediate": 1,
        "recent": 1,
        "historical": 1,
        "archive": 1,
    }
    assert report["levels"][0]["entries"] == 1
    assert report["control"]["promoted"] == 0
    assert report["patterns"] == []


async def test_the_report_of_an_empty_record(analytics):
    report = await analytics.generate_performance_report()
    assert report["totals"] == {"decisions": 0, "with_outcome": 0}
    assert report["success_by_type"] == []
    assert report["decisions_per_day"] == []


async def test_a_report_reads_no_decisions_of_counted_days_without_evidence(analytics, stores, clock, monkeypatch):
    for hours_ago in (24 * 3, 24 * 3 - 1, 24 * 2, 24):
        await log(stores, clock, hours_ago, ["a"], "up", hours_ago % 2 == 0)
    roll_up_days("hunter", NOON.date() - timedelta(days=1), stores)
    clock.advance(95 * DAY_MS)
    for hours_ago in (0, -24 * 50, -24 * 94):
        await log(stores, clock, hours_ago, ["b"], "down", True)
    read = []
    find = stores.decisions.scan_with_positions

    def reading(*arguments, **options):
        for one in find(*arguments, **options):
            read.append(one)
            yield one

    monkeypatch.setattr(stores.decisions, "scan_with_positions", reading)
    report = await analytics.generate_performance_report()
    assert report["totals"] == {"decisions": 7, "with_outcome": 7}
    assert report["time_range"] == ["2026-11-17T12:00:00.000Z", "2027-02-22T12:00:00.000Z"]
    archive = report["levels"][-1]
    assert (archive["decisions"], archive["oldest"], archive["newest"]) == (
        6,
        "2026-11-17T12:00:00.000Z",
        "2027-01-09T12:00:00.000Z",
    )
    # The oldest one, the one of the day that was not counted, and the two of the last 90 days.
    assert len({one.decision_id for one in read if hasattr(one, "context")}) == 4
    for name, _ in stores.states.list_by_prefix("hunter", ROLLUPS):
        stores.states.remove("hunter", f"{ROLLUPS}{name}")
    assert await analytics.generate_performance_report() == report


@pytest.fixture
async def judged(stores, clock):
    """A week in which one source is right and the other is chosen more often."""
    logger = DecisionLogger("hunter", stores=stores, clock=clock)
    for n in range(40):
        at = NOON - timedelta(hours=4 * n + 1)
        market = {"market": {"trend": "up" if n % 2 else "down"}}
        chosen = await logger.log_decision("SOURCE_SELECTION", market, {"selected": ["fads"]}, timestamp=at)
        await logger.log_outcome(chosen, {}, success=True)
        for source, right in (("fads", n % 4 == 0), ("facts", n % 4 != 0)):
            said = await logger.log_decision(
                "SIGNAL_GENERATION", market, {"source": source}, timestamp=at, parent_ids=[chosen]
            )
            await logger.log_outcome(said, {}, success=right)


async def test_the_best_source_is_the_one_that_was_right(analytics, judged):
    sources = await analytics.get_source_effectiveness()
    assert [(row["source"], row["success_rate"], row["measured_by"]) for row in sources] == [
        ("facts", 0.75, "outcome"),
        ("fads", 0.25, "outcome"),
    ]
    report = await analytics.generate_performance_report()
    assert report["success_by_source"] == list(sources)
    assert {row["decision_type"]: row["success_rate"] for row in report["success_by_type"]} == {
        "SIGNAL_GENERATION": 0.5,
        "SOURCE_SELECTION": 1.0,
    }


@pytest.fixture
def _served(stores, clock, monkeypatch):
    """The routes work on the same stores."""
    deployment = Deployment(stores, clock=clock)
    monkeypatch.setattr(api, "deployment", lambda: deployment)


@pytest.mark.usefixtures("_served", "judged")
async def test_it_is_the_same_over_http(analytics, memory, clock):
    await memory.store_ltm("PATTERN", "p", {"confidence": 0.6, "status": "active", "interval": [0.5, 0.7]})
    await memory.store_ltm("PATTERN", "p", {"confidence": 0.7, "status": "active", "success_rate": 0.6})
    async with client_with(call_routes, agent_id="hunter") as client:
        remote = MemoryAnalytics(client, client, clock=clock)
        direct_report, report = [await one.generate_performance_report() for one in (analytics, remote)]
        assert report.pop("levels")[0]["entries"] is None
        direct_report.pop("levels")
        assert report == direct_report
        for call in ("get_success_rate_by_context", "get_source_effectiveness", "identify_emerging_patterns"):
            assert await getattr(remote, call)() == await getattr(analytics, call)()
        trend = await analytics.get_pattern_confidence_trend("p")
        assert [(row["confidence"], row["low"]) for row in trend] == [(0.6, 0.5), (0.7, None)]
        assert await remote.get_pattern_confidence_trend("p") == await client.get_pattern_confidence_trend("p") == trend
        assert client.sync.get_pattern_confidence_trend("p") == trend
        # Routes answer most of it without this package's extra for reports.
        assert await client.get_source_effectiveness() == await analytics.get_source_effectiveness()
        assert client.sync.get_success_rate_by_context() == await analytics.get_success_rate_by_context()
        assert (await client.get_performance())["by_type"] == report["success_by_type"]
        assert (await client.get_patterns("active")) == report["patterns"]
        assert client.sync.identify_emerging_patterns() == []


@pytest.mark.usefixtures("_served", "judged")
async def test_a_log_and_a_memory_over_http_are_enough(analytics, clock):
    served = HttpApi("https://api.example", session=FakeSession(), transport=httpx.MockTransport(call_routes))
    objects = DecisionLogger("hunter", stores=served), MemoryManager("hunter", stores=served)
    for log, memory in (objects, [one.sync for one in objects]):
        remote = MemoryAnalytics(log, memory, clock=clock)
        assert await remote.get_success_rate_by_context() == await analytics.get_success_rate_by_context()
        assert await remote.get_pattern_confidence_trend("p") == []


@pytest.mark.parametrize("arguments", [(None, None), ("logger", "log"), (None, "memory")])
def test_what_cannot_be_read_is_refused(memory, stores, arguments):
    logger = DecisionLogger("hunter", stores=stores)
    known = {"memory": memory, "logger": logger, "log": logger.log, None: None}
    with pytest.raises(InvalidInput, match="expected a"):
        MemoryAnalytics(*[known[one] for one in arguments])


def test_two_agents_are_refused(stores):
    with pytest.raises(InvalidInput, match="is of other"):
        MemoryAnalytics(DecisionLogger("hunter", stores=stores), MemoryManager("other", stores=stores))


_FIGURES = ("description", "text", "status", "success_rate", "base_rate", "effect", "interval", "occurrences")


@pytest.mark.parametrize("value", [None, -3, 1e30, True, "high", [0.4, "x"], [0.9, 0.1], {"a": 1}], ids=str)
async def test_patterns_with_any_data_have_figures_and_a_page(analytics, memory, value):
    learned = {"success_rate": 0.7, "base_rate": 0.5, "interval": [0.6, 0.8], "occurrences": 90, "confidence": 0.9}
    for name in _FIGURES:
        await memory.store_ltm("PATTERN", f"by-hand-{name}", {name: value, "confidence": 0.8})
        await memory.store_ltm("PATTERN", f"half-by-hand-{name}", {**learned, "status": "active", name: value})
    report = await analytics.generate_performance_report()
    page = render_report(report)
    assert len(report["patterns"]) == 2 * len(_FIGURES)
    for row in report["patterns"]:
        assert f">{row['description'] or row['pattern_id']}<" in page
    for row in (*report["patterns"], *report["confidence_trends"][0]["versions"]):
        assert all(row[one] is None or 0 <= row[one] <= 1 for one in ("success_rate", "low", "high", "base_rate"))
