"""An agent whose best source is known, through the deployed stacks: what its report says of its sources."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from agent_memory import AgentMemoryClient, MemoryAnalytics
from agent_memory.core.ids import decision_id_for
from tests.local.nightly_job import run_nightly_job
from tests.outcomes import known_at_once

pytestmark = pytest.mark.local_cloud

AGENT = "planted-sources"
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
DAYS, PER_DAY = 30, 96
SOURCES = ("whale_movements", "technical", "funding_rates", "news")
TRENDS = ("bullish", "bearish", "sideways")


def signals(day, chance):
    """A day of signals, and their outcomes: whale movements are right in 70 % of bullish markets, all else in half."""
    decisions, outcomes = [], []
    for k in range(PER_DAY):
        at, source, trend = day + timedelta(minutes=15 * k), chance.choice(SOURCES), chance.choice(TRENDS)
        decision_id = decision_id_for("SIGNAL_GENERATION", at, f"{k}")
        content = {"context": {"market": {"trend": trend}}, "reasoning": {"source": source, "question": "direction"}}
        decisions.append({"decision_id": decision_id, "decision_type": "SIGNAL_GENERATION", **content})
        is_best = (source, trend) == ("whale_movements", "bullish")
        outcomes.append(
            {"decision_id": decision_id, "outcome": {}, "success": chance.random() < (0.7 if is_best else 0.5)}
        )
    return decisions, outcomes


async def test_the_report_names_the_best_source_in_its_market_with_its_interval(local_cloud):
    chance = random.Random(20)
    async with AgentMemoryClient(local_cloud.api_url, AGENT, session=local_cloud.boto_session()) as client:
        for n in range(DAYS, 0, -1):
            decisions, outcomes = signals(TODAY - timedelta(days=n), chance)
            assert {one["status"] for one in await client.log_decisions(decisions)} == {"created"}
            assert {one["status"] for one in await client.log_outcomes(known_at_once(outcomes))} == {"recorded"}
        yesterday = (TODAY - timedelta(days=1)).date().isoformat()
        execution = run_nightly_job(local_cloud, {"date": yesterday, "agents": [AGENT]})
        assert execution["status"] == "SUCCEEDED", execution
        analytics = MemoryAnalytics(client, client)
        report = await analytics.generate_performance_report()
        sources = await analytics.get_source_effectiveness()
    [pattern] = [one for one in report["patterns"] if one["status"] == "active"]
    assert pattern["description"].startswith(
        "Direction signals in bullish markets where source is whale movements succeeded in 7"
    )
    assert pattern["description"].endswith("of other direction signals")
    low, high = pattern["low"], pattern["high"]
    assert pattern["base_rate"] < low < 0.7 < high
    best = sources[0]
    assert (best["source"], best["measured_by"]) == ("whale_movements", "outcome")
    assert best["low"] < best["success_rate"] < best["high"]
    assert best["with_outcome"] > DAYS * PER_DAY / 5
