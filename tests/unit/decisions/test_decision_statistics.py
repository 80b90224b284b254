"""Statistics of decisions, compared with numbers computed by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from agent_memory import DecisionLogger, InvalidInput
from agent_memory.decisions.statistics import GroupedStatistics
from agent_memory.learning.intervals import wilson_interval
from agent_memory.storage.factory import in_memory_stores

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def logger(clock):
    return DecisionLogger("hunter", stores=in_memory_stores(clock), clock=clock)


async def log(logger, hours_ago, kind="SIGNAL_GENERATION", *, market=None, selected=(), success=None, **measured):
    context = {"market": market} if market is not None else {}
    reasoning = {"selected": list(selected), "exploration_triggered": hours_ago % 2 == 0, "score": 1.0}
    at = NOON - timedelta(hours=hours_ago)
    decision_id = await logger.log_decision(kind, context, reasoning, timestamp=at)
    if success is not None:
        await logger.log_outcome(decision_id, measured.get("outcome", {}), success, measured.get("metrics"))


async def fill(logger):
    bull, bear = {"trend": "bullish", "volatility": "high"}, {"volatility": "low", "trend": "bearish"}
    latencies = [100, 200, 300, 400, 1000]
    for n, latency in enumerate(latencies):
        metrics = {"latency_ms": latency, "quality": n / 4}
        await log(logger, n, market=bull, selected=["a", "b"], success=n != 4, metrics=metrics)
    await log(logger, 10, market=bear, selected=["a"], success=False, outcome={"latency_ms": 7, "quality_score": 0.5})
    await log(logger, 11, market=bear, selected=["a"])
    await log(logger, 12, "LEARNING", success=True)


def by_group(statistics):
    return {group["group"]: group for group in statistics["groups"]}


async def test_grouping_by_context_with_interval_latency_and_quality(logger):
    await fill(logger)
    statistics = await logger.analyze_decision_patterns("SIGNAL_GENERATION", (NOON - timedelta(days=1), None))
    assert statistics["interval"] == "Wilson score interval, 95 %"
    assert (statistics["decision_type"], statistics["group_by"], statistics["total"]["count"]) == (
        "SIGNAL_GENERATION",
        "context",
        7,
    )
    assert statistics["time_range"] == ["2026-11-19T12:00:00.000Z", None]
    assert [group["group"] for group in statistics["groups"]] == [
        "trend=bullish|volatility=high",
        "trend=bearish|volatility=low",
    ]
    bull, bear = statistics["groups"]
    assert (bull["count"], bull["with_outcome"], bull["succeeded"], bull["success_rate"]) == (5, 5, 4, 0.8)
    assert (bull["low"], bull["high"]) == wilson_interval(0.8, 5)
    assert bull["latency_ms"] == {
        "count": 5,
        "mean": 400.0,
        "median": 300.0,
        "p95": 1000.0,
        "min": 100.0,
        "max": 1000.0,
    }
    assert bull["quality"]["mean"] == 0.5
    assert (bear["count"], bear["with_outcome"], bear["success_rate"]) == (2, 1, 0.0)
    assert (bear["latency_ms"]["mean"], bear["quality"]["mean"]) == (7.0, 0.5)


async def test_grouping_by_source_counts_a_decision_for_each_source_that_it_selected(logger):
    await fill(logger)
    groups = by_group(await logger.analyze_decision_patterns(group_by="source"))
    assert {name: group["count"] for name, group in groups.items()} == {"a": 7, "b": 5, None: 1}


async def test_grouping_by_type_and_by_path(logger):
    await fill(logger)
    assert {
        name: group["count"]
        for name, group in by_group(await logger.analyze_decision_patterns(group_by="type")).items()
    } == {"SIGNAL_GENERATION": 7, "LEARNING": 1}
    for path, expected in {
        "context.market.trend": {"bullish": 5, "bearish": 2, None: 1},
        "reasoning.exploration_triggered": {"true": 5, "false": 3},
        "reasoning.score": {"1.0": 8},
        "reasoning.nothing.here": {None: 8},
        "context.market": {"trend=bullish|volatility=high": 5, "trend=bearish|volatility=low": 2, None: 1},
    }.items():
        groups = by_group(await logger.analyze_decision_patterns(group_by=path))
        assert {name: group["count"] for name, group in groups.items()} == expected, path


async def test_without_outcomes_there_is_no_rate(logger):
    await log(logger, 1)
    (group,) = (await logger.analyze_decision_patterns())["groups"]
    figures = ("success_rate", "low", "high", "latency_ms", "quality")
    assert [group[name] for name in figures] == [None] * 5


async def test_without_decisions_there_are_no_groups(logger):
    statistics = await logger.analyze_decision_patterns("QUERY")
    assert (statistics["groups"], statistics["total"]["count"]) == ([], 0)


@pytest.mark.parametrize("group_by", ["", "sources", "context.", "outcome.success", "context..x", None, 3])
async def test_an_invalid_grouping_is_refused(logger, group_by):
    with pytest.raises(InvalidInput, match="group_by"):
        await logger.analyze_decision_patterns(group_by=group_by)


async def test_too_many_groups_are_refused(logger):
    await log(logger, 1)
    (template,) = logger.log.stream(_everything())
    many = (_renamed(template, n) for n in range(1_001))
    with pytest.raises(InvalidInput, match="over 1,000 values"):
        grouped(many, "context.n")


async def test_decisions_are_consumed_one_by_one(logger):
    """A stream of any length is never held in memory: each decision can be freed before the next one is read."""
    import weakref

    await log(logger, 1)
    (template,) = logger.log.stream(_everything())

    class Traced(dict):
        pass

    alive: list[weakref.ref] = []

    def stream():
        for n in range(500):
            context = Traced(n=n % 3)
            alive.append(weakref.ref(context))
            yield _renamed(template, n, context)
            del context
            assert sum(ref() is not None for ref in alive) <= 3

    assert grouped(stream(), "context.n")["total"]["count"] == 500


def grouped(decisions, group_by):
    found = GroupedStatistics(group_by)
    for one in decisions:
        found.add(one)
    return found.as_dict()


def _everything():
    from agent_memory.decisions.queries import DecisionFilter

    return DecisionFilter()


def _renamed(template, n, context=None):
    from dataclasses import replace

    return replace(template, context=context if context is not None else {"n": n})
