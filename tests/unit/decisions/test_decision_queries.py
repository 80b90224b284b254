"""Queries of the decision log, on stores in memory."""

from datetime import UTC, datetime, timedelta

import pytest

from agent_memory import DecisionLogger, InvalidInput, NotFound
from agent_memory.core.clock import DAY_MS, parse_instant
from agent_memory.core.ids import decision_id_for
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.nightly.archival import archive_due_days

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def logger(stores, clock):
    return DecisionLogger("market-hunter", stores=stores, clock=clock)


async def fill(logger, count=24):
    """Log one decision per hour up to noon, of alternating types; every third outcome is a success."""
    ids = []
    for n in range(count):
        kind = ("QUERY", "LEARNING")[n % 2]
        context = {"market": {"trend": ("bullish", "bearish")[n % 3 == 0]}, "n": n}
        at = NOON - timedelta(hours=count - 1 - n)
        ids.append(await logger.log_decision(kind, context, {}, timestamp=at))
        if n % 4 != 3:
            await logger.log_outcome(ids[-1], {}, n % 3 == 0)
    return ids


async def test_queries_combine_their_filters(logger):
    ids = await fill(logger)
    newest = await logger.query_decisions()
    assert [d["decision_id"] for d in newest] == ids[::-1]
    oldest = await logger.query_decisions(newest_first=False, limit=5)
    assert [d["decision_id"] for d in oldest] == ids[:5]
    selected = await logger.query_decisions(
        "LEARNING", (NOON - timedelta(hours=12), NOON), success_filter=True, context_filter={"trend": "bearish"}
    )
    assert [d["context"]["n"] for d in selected] == [21]
    failed = await logger.query_decisions(success_filter=False, limit=1000)
    assert {d["success"] for d in failed} == {False}
    assert await logger.query_decisions(context_filter={"trend": "sideways"}) == []
    assert len(await logger.query_decisions(context_filter={"market": {"trend": "bullish"}, "n": 1})) == 1


async def test_pages_neither_skip_nor_repeat_decisions(logger):
    ids = await fill(logger, 30)
    for newest_first in (True, False):
        seen, cursor = [], None
        while True:
            page = logger.log.page(DecisionFilter(), limit=7, newest_first=newest_first, cursor=cursor)
            seen += [d.decision_id for d in page.decisions]
            cursor = page.cursor
            if cursor is None:
                break
        assert seen == (ids[::-1] if newest_first else ids)


async def test_queries_for_pending_decisions_and_by_context_type(logger):
    ids = await fill(logger)
    pending = await logger.query_decisions(success_filter="pending", newest_first=False)
    assert [d["decision_id"] for d in pending] == ids[3::4]
    bearish = await logger.query_decisions(context_type="trend=bearish", newest_first=False)
    assert [d["decision_id"] for d in bearish] == ids[::3]
    both = await logger.query_decisions("QUERY", success_filter=True, context_type="trend=bearish", limit=2)
    assert [d["decision_id"] for d in both] == [ids[18], ids[12]]


async def test_a_market_that_is_text_is_found_by_its_text(logger):
    for market in ("bullish", "bearish"):
        await logger.log_decision("QUERY", {"market": market}, {})
    (found,) = await logger.query_decisions(context_filter={"market": "bullish"})
    assert found["context"] == {"market": "bullish"}


async def test_a_cursor_is_valid_for_its_own_query_only(logger):
    await fill(logger)
    page = await logger.page_decisions("QUERY", limit=5)
    assert len((await logger.page_decisions("QUERY", limit=50, cursor=page["cursor"]))["decisions"]) == 7
    for other in ({"decision_type": "LEARNING"}, {"decision_type": "QUERY", "newest_first": False}, {}):
        with pytest.raises(InvalidInput, match="another query"):
            await logger.page_decisions(**other, cursor=page["cursor"])
    for broken in ("", "x", page["cursor"][:-6], "4" * 60, 7):
        with pytest.raises(InvalidInput, match="cursor"):
            await logger.page_decisions("QUERY", cursor=broken)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"limit": True}, "limit"),
        ({"success_filter": "maybe"}, "success_filter"),
        ({"success_filter": 1}, "success_filter"),
        ({"context_filter": "high"}, "context_filter"),
        ({"context_type": {"trend": "up"}}, "context_type"),
        ({"time_range": NOON}, "time_range"),
        ({"limit": 0}, "limit"),
        ({"limit": 1001}, "limit"),
        ({"decision_type": "x"}, "decision_type"),
        ({"time_range": (NOON, NOON - timedelta(1))}, "time_range"),
        ({"time_range": ("never", None)}, "time_range/start"),
    ],
)
async def test_an_invalid_query_is_refused_with_the_argument_named(logger, arguments, field):
    with pytest.raises(InvalidInput) as caught:
        await logger.query_decisions(**arguments)
    assert caught.value.field == field


async def test_queries_read_table_and_archive(logger, stores, clock):
    """Decisions of 100 days: those over 30 days old are archived, those over 90 have expired from the table."""
    start = parse_instant(NOON) - 100 * DAY_MS
    ids = []
    for day in range(100):
        at = datetime.fromtimestamp((start + day * DAY_MS) / 1000, UTC)
        ids.append(await logger.log_decision("QUERY", {"day": day}, {"float": 1.0}, timestamp=at))
        await logger.log_outcome(ids[-1], {"day": day}, day % 2 == 0)
    today = NOON.date() - timedelta(days=1)
    for _ in range(2):
        archive_due_days("market-hunter", today, stores)
    assert stores.archive.days("market-hunter")[-1] == today - timedelta(days=30)
    found = await logger.query_decisions(limit=1000, newest_first=False)
    assert [d["decision_id"] for d in found] == ids
    assert [d["success"] for d in found] == [day % 2 == 0 for day in range(100)]
    oldest = await logger.get_decision(ids[0])
    assert (oldest["context"], oldest["outcome"], oldest["reasoning"]) == ({"day": 0}, {"day": 0}, {"float": 1.0})
    assert isinstance(oldest["reasoning"]["float"], float)
    with pytest.raises(NotFound):
        await logger.get_decision(decision_id_for("QUERY", NOON - timedelta(days=95), "never logged"))


@pytest.mark.parametrize("context_type", ["", 1, ["trend=bullish"]])
def test_a_context_type_that_no_decision_has_is_refused(context_type):
    with pytest.raises(InvalidInput, match="context_type"):
        DecisionFilter(context_type=context_type).validated()
