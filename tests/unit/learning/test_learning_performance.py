"""Performance of strategies, sources and market conditions, recounted by hand."""

import pytest

from agent_memory.learning.evidence_table import build_tables
from agent_memory.learning.identification import build_datasets
from agent_memory.learning.intervals import wilson_interval
from agent_memory.learning.patterns import PatternThresholds
from agent_memory.learning.performance import market_archetypes, source_performance, strategy_performance
from agent_memory.model.evidence import Evidence

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
MONDAY_MS = 1_735_516_800_000  # 2024-12-30
FEW = PatternThresholds(min_occurrences=4, half_life_ms=DAY_MS)
BULL, BEAR = "context.market.trend=bullish", "context.market.trend=bearish"


def datasets_of(rows, decision_type="QUERY"):
    """Decisions from rows of (milliseconds after the Monday, success, features)."""
    evidence = [
        Evidence(str(n), decision_type, MONDAY_MS + at, success, tuple(sorted(facts)))
        for n, (at, success, facts) in enumerate(rows)
    ]
    return build_datasets(build_tables(evidence), FEW)


def test_the_weeks_of_a_strategy():
    def use(name, day, success):
        return day * DAY_MS, success, [f"metadata.strategy={name}"]

    won = [use("trend", day, day < 7) for day in (0, 1, 7, 8)]
    lost = [use("range", day, success=False) for day in (0, 3, 9, 13)]
    found = {one.pattern_id: one.data for one in strategy_performance(datasets_of(won + lost), FEW)}
    assert set(found) == {"QUERY+metadata.strategy=trend".lower(), "query+metadata.strategy=range"}
    trend = found["query+metadata.strategy=trend"]
    assert (trend["strategy"], trend["decision_type"], trend["occurrences"], trend["successes"]) == (
        "trend",
        "QUERY",
        4,
        2,
    )
    assert [(week["week"], week["occurrences"], week["success_rate"]) for week in trend["weeks"]] == [
        ("2024-12-30", 2, 1.0),
        ("2025-01-06", 2, 0.0),
    ]
    assert trend["weeks"][0]["interval"] == list(wilson_interval(1.0, 2))
    # With a half-life of a day, the second week's two losses weigh 192 of 195.
    assert trend["recent"]["success_rate"] == pytest.approx((1 + 2) / (1 + 2 + 128 + 256))
    low, high = trend["recent"]["interval"]
    assert trend["confidence"] == pytest.approx(1 - (high - low))
    assert trend["description"] == (
        "Queries where strategy is trend succeeded in 50% of 4 cases, against 0% of other queries"
    )


def test_a_strategy_with_few_decisions_is_left_out():
    assert list(strategy_performance(datasets_of([(0, True, ["reasoning.strategy=rare"])] * 3), FEW)) == []


def test_sources_by_market_condition():
    rows = [(n * HOUR_MS, n % 4 == 0, ["source=news", BULL if n % 2 else BEAR]) for n in range(16)]
    rows += [(n * HOUR_MS, True, ["source=macro", BULL]) for n in range(3)]
    (news,) = source_performance(datasets_of(rows), FEW)
    assert (news.pattern_id, news.data["source"], news.data["occurrences"]) == ("query+source=news", "news", 16)
    by_context = {tuple(row["context"]): row for row in news.data["by_context"]}
    assert {name: (row["occurrences"], row["success_rate"]) for name, row in by_context.items()} == {
        (BULL,): (8, 0.0),
        (BEAR,): (8, 0.5),
    }


def test_how_often_market_conditions_occur_and_how_long_they_persist():
    # Three days of four hours: bull bull bear bear | bull bull bull bull | bear bear bear bear.
    trends = [BULL, BULL, BEAR, BEAR, *[BULL] * 4, *[BEAR] * 4]
    rows = [
        (n // 4 * DAY_MS + n % 4 * HOUR_MS, n % 2 == 0, [trend, "context.market.calm=true", "context.symbol=X"])
        for n, trend in enumerate(trends)
    ]
    found = {
        one.pattern_id: one.data for one in market_archetypes([*datasets_of(rows), *datasets_of(rows, "LEARNING")], FEW)
    }
    assert len(found) == 2
    bull = found["archetype+context.market.calm=true+context.market.trend=bullish"]
    assert bull["description"] == "Bullish, calm = true markets: on 2 of 3 days, 12 decisions"
    assert (bull["occurrences"], bull["share_of_decisions"], bull["episodes"]) == (12, 0.5, 2)
    assert (bull["days_seen"], bull["days"], bull["day_share"]) == (2, 3, 2 / 3)
    # Of six hours of bulls, four were followed by another.
    assert bull["persistence"] == pytest.approx(4 / 6)
    assert bull["persistence_interval"] == list(wilson_interval(4 / 6, 6))
    assert [(row["decision_type"], row["success_rate"]) for row in bull["by_decision_type"]] == [
        ("QUERY", 0.5),
        ("LEARNING", 0.5),
    ]


def test_a_market_that_is_a_string_is_a_condition_too():
    (one,) = market_archetypes(datasets_of([(n, True, ["context.market=calm"]) for n in range(5)]), FEW)
    assert one.data["description"] == "Calm markets: on 1 of 1 days, 5 decisions"
    assert one.data["persistence"] is None


def test_without_such_features_there_are_no_summaries():
    plain = datasets_of([(n, True, ["context.symbol=X"]) for n in range(9)])
    for summarize in (strategy_performance, source_performance, market_archetypes):
        assert list(summarize(plain, FEW)) == []
        assert list(summarize([], FEW)) == []
