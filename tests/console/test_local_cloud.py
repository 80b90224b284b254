"""The console on the local cloud: every page in a browser, and its numbers are those that the HTTP API returns."""

from datetime import UTC, datetime, timedelta

import pytest

from agent_memory import DecisionLogger, HttpApi, MemoryAnalytics, MemoryManager
from agent_memory.cli.console.server import Console
from agent_memory.cli.console.source import open_source
from local.stores import stores_of
from tests.console.browser import CHROMIUM, Walk, chromium, pages_of, serving_console
from tests.console.client import Client
from tests.console.data import AGENT, NAME, PORT, RULE, fill_stores, run_jobs

pytestmark = [pytest.mark.local_cloud, pytest.mark.slow, pytest.mark.enable_socket]

DAYS, A_DAY = 32, 4
RATES = ("with_outcome", "succeeded", "success_rate", "low", "high")


@pytest.fixture(scope="module")
def stores(local_cloud):
    now = datetime.now(UTC)
    found = fill_stores(stores_of(local_cloud), DAYS, A_DAY, now)
    run_jobs(found, (now - timedelta(days=1)).date())
    return found


@pytest.fixture
def client(stores):
    return Client(Console(open_source(stores, NAME), PORT))


@pytest.fixture
async def log(local_cloud):
    async with DecisionLogger(AGENT, stores=api_of(local_cloud)) as found:
        yield found


@pytest.fixture
async def memory(local_cloud):
    async with MemoryManager(AGENT, stores=api_of(local_cloud)) as found:
        yield found


def api_of(cloud):
    return HttpApi(cloud.api_url, session=cloud.boto_session())


def picked(rows, *names):
    return [{name: row[name] for name in names} for row in rows]


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed; `apt-get install chromium`")
def test_every_page_in_a_browser(stores):
    log = DecisionLogger(AGENT, stores=stores).sync
    shown = next(one for one in log.query_decisions(limit=100) if one["memory_ids"] and one["parent_ids"])
    with serving_console(stores) as address, chromium() as browser:
        walk = Walk(browser, address)
        for path in pages_of(AGENT, shown["decision_id"], f"PATTERN/{RULE}"):
            page = walk.visit(path)
            page.locator(".loading").first.wait_for(state="detached", timeout=60_000)
            assert (path, walk.violations(), walk.overflow) == (path, [], 0)
        expected = "Failed to load resource: the server responded with a status of 400 (Bad Request)"
        assert [one for one in walk.complaints if one != expected] == []
        assert walk.elsewhere() == []


async def test_decisions_are_those_of_the_api(client, log):
    for query, arguments in (
        ("", {}),
        ("?outcome=failed&type=TRADE", {"success_filter": False, "decision_type": "TRADE"}),
        ("?context=trend%3Ddown", {"context_filter": {"trend": "down"}}),
    ):
        page = await client.page(f"/decisions{query}")
        expected = (await log.page_decisions(**arguments, limit=50))["decisions"]
        assert expected
        shown = page.rows("decisions")
        assert [row["propensity"] for row in shown] == [one["propensity"] for one in expected]
        assert [row["memories"] for row in shown] == [len(one["memory_ids"]) for one in expected]
        assert all(f"/agents/{AGENT}/decisions/{one['decision_id']}" in page.links for one in expected)


async def test_one_decision_is_that_of_the_api(client, log, memory):
    decision = next(one for one in await log.query_decisions(limit=100) if one["memory_ids"] and one["parent_ids"])
    page = await client.page(f"/decisions/{decision['decision_id']}")
    assert page.figures["propensity"] == decision["propensity"]
    scores = sorted(decision["reasoning"]["scores"].values(), reverse=True)
    assert [row["values"] for row in page.rows("scores")] == [[score] for score in scores]
    assert len(page.rows("chain")) == len(await log.get_decision_chain(decision["decision_id"]))
    (named,) = page.rows("memories")
    (stored,) = await memory.retrieve_ltm("PATTERN", {"pattern_id": RULE}, as_of=decision["timestamp"])
    assert picked([named], "confidence", "version") == picked([stored], "confidence", "version")


async def test_performance_is_that_of_the_api(client, log, memory):
    page = await client.page("/performance?days=30")
    since = (datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=29)).isoformat()
    analytics = MemoryAnalytics(log, memory)
    contexts = await analytics.get_success_rate_by_context((since, None))
    assert picked(page.rows("contexts"), "decisions", *RATES) == picked(contexts, "decisions", *RATES)
    sources = await analytics.get_source_effectiveness((since, None))
    assert picked(page.rows("sources"), *RATES) == picked(sources, *RATES)


async def test_memories_and_advice_are_those_of_the_api(client, memory):
    for memory_type in ("PATTERN", "ESTIMATE"):
        page = await client.page(f"/memories?type={memory_type}")
        expected = await memory.retrieve_ltm(memory_type, as_of=datetime.now(UTC))
        assert expected
        names = ("confidence", "version") if memory_type == "PATTERN" else ("version",)
        assert picked(page.rows("memories"), *names) == picked(expected, *names)
    page = await client.page("/advise?type=TRADE&options=buy,sell&context=trend%3Dup&choose=greedy&seed=1")
    advice = await memory.advise("TRADE", {"trend": "up"}, ["buy", "sell"], choose="greedy", seed="1")
    assert [(row["success_rate"], row["low"], row["high"]) for row in page.rows("options")] == [
        (one["expected"], *one["interval"]) for one in advice["options"]
    ]


async def test_the_archive_is_verified(client, stores):
    await client.post("/archive/verify")
    await client.ended("verification")
    page = await client.page("/archive")
    assert "Unchanged since sealed" in page.visible
    assert page.figures["days"] == len(stores.archive.days(AGENT)) > 0
