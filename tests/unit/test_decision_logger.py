"""The decision log through its async face, on stores in memory."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agent_memory import Conflict, DecisionLogger, DecisionType, InvalidInput, MemoryManager, NotFound
from agent_memory.clock import DAY_MS, parse_instant
from agent_memory.decision_queries import DecisionFilter
from agent_memory.ids import decision_id_for, new_decision_id
from agent_memory.night.archival import archive_due_days
from agent_memory.stores.connections import in_memory_stores

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
CONTEXT = {"market": {"volatility": "high", "trend": "bullish"}, "cycle": 142, "trading_hours": "american"}
REASONING = {"scores": {"whaleMovements": 0.92}, "selected": ["whaleMovements"], "exploration_triggered": False}


def nested(levels):
    value = 1
    for _ in range(levels):
        value = {"n": value}
    return value


@pytest.fixture
def stores(clock):
    return in_memory_stores(clock)


@pytest.fixture
def logger(stores, clock):
    return DecisionLogger("market-hunter", stores=stores, clock=clock)


async def test_the_whole_life_of_a_decision(logger):
    decision_id = await logger.log_decision("SOURCE_SELECTION", CONTEXT, REASONING, {"version": "1.0"})
    await logger.log_outcome(decision_id, {"signals_generated": 2}, True, {"quality": 0.85})
    assert await logger.get_decision(decision_id) == {
        "decision_id": decision_id,
        "agent_id": "market-hunter",
        "timestamp": "2026-11-20T12:00:00.000Z",
        "decision_type": "SOURCE_SELECTION",
        "context": CONTEXT,
        "reasoning": REASONING,
        "outcome": {"signals_generated": 2},
        "success": True,
        "metrics": {"quality": 0.85},
        "horizon": None,
        "outcome_recorded_at": "2026-11-20T12:00:00.000Z",
        "other_outcomes": [],
        "superseded_outcomes": [],
        "parent_ids": [],
        "memory_ids": [],
        "metadata": {"version": "1.0"},
    }


async def test_a_repeated_decision_is_stored_once_and_a_changed_one_refused(logger):
    decision_id = decision_id_for("QUERY", NOON, "cycle 1")
    for _ in range(2):
        assert await logger.log_decision("QUERY", CONTEXT, REASONING, decision_id=decision_id) == decision_id
    with pytest.raises(Conflict):
        await logger.log_decision("QUERY", {**CONTEXT, "cycle": 143}, REASONING, decision_id=decision_id)
    assert len(await logger.query_decisions()) == 1


async def test_outcomes_are_facts(logger):
    decision_id = await logger.log_decision(DecisionType.QUERY, CONTEXT, REASONING)
    for _ in range(2):
        await logger.log_outcome(decision_id, {"rows": 3}, True)
    with pytest.raises(Conflict):
        await logger.log_outcome(decision_id, {"rows": 3}, False)
    with pytest.raises(NotFound):
        await logger.log_outcome(new_decision_id("QUERY", 1_795_000_000_000), {}, True)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"success": 1}, "/success"),
        ({"outcome": None}, "/outcome"),
        ({"outcome": {"a": float("inf")}}, "/outcome/a"),
        ({"metrics": [1]}, "/metrics"),
        ({"horizon": "1 h"}, "/horizon"),
        ({"horizon": "x" * 64}, "/horizon"),
        ({"timestamp": "2026-11-20T13:00:00Z"}, "/timestamp"),
        ({"timestamp": "2026-11-20T10:00:00Z"}, "/timestamp"),
        ({"decision_id": "4711"}, "/decision_id"),
        ({"success_": True}, "/success_"),
        ({"amend": "yes"}, "/amend"),
        ({"headline": 1}, "/headline"),
    ],
)
async def test_an_unusable_outcome_is_named_and_nothing_is_written(logger, change, field):
    decision_id = await logger.log_decision("QUERY", {}, {})
    with pytest.raises(InvalidInput) as caught:
        logger.log.record_outcome({"decision_id": decision_id, "outcome": {}, "success": True, **change})
    assert caught.value.field == field
    assert (await logger.get_decision(decision_id))["success"] is None


async def test_outcomes_at_several_horizons_and_their_amendments(logger, clock):
    decision_id = await logger.log_decision("SIGNAL_GENERATION", CONTEXT, REASONING)
    await logger.log_outcome(decision_id, {"move": -0.5}, False, horizon="1h")
    clock.advance(3_600_000)
    await logger.log_outcome(decision_id, {"move": 2.0}, True, {"quality": 0.9}, horizon="exit", headline=True)
    with pytest.raises(Conflict):
        await logger.log_outcome(decision_id, {"move": 1.9}, True, horizon="exit")
    await logger.log_outcome(decision_id, {"move": 1.9}, True, horizon="exit", amend=True)
    found = await logger.get_decision(decision_id)
    assert (found["success"], found["outcome"], found["horizon"]) == (True, {"move": 1.9}, "exit")
    assert [(one["horizon"], one["success"]) for one in found["other_outcomes"]] == [("1h", False)]
    (earlier,) = found["superseded_outcomes"]
    assert (earlier["outcome"], earlier["metrics"], earlier["horizon"]) == ({"move": 2.0}, {"quality": 0.9}, "exit")
    assert earlier["recorded_at"] == earlier["replaced_at"] == "2026-11-20T13:00:00.000Z"
    assert [d["decision_id"] for d in await logger.query_decisions(success_filter=True)] == [decision_id]
    assert await logger.query_decisions(success_filter=False) == []


async def test_an_outcome_of_an_archived_decision_says_where_that_is(stores, clock):
    without_archive = DecisionLogger("market-hunter", stores=replace(stores, archive=None), clock=clock)
    decision_id = new_decision_id("QUERY", parse_instant(NOON) - 100 * DAY_MS)
    with pytest.raises(NotFound, match="over 90 days old"):
        await without_archive.log_outcome(decision_id, {}, True)


async def test_a_team_s_own_type_is_found_by_its_id_from_another_process(logger, stores, clock):
    decision_id = await logger.log_decision("POSITION_SIZING", {}, {})
    elsewhere = DecisionLogger("market-hunter", stores=stores, clock=clock)
    assert (await elsewhere.get_decision(decision_id))["decision_type"] == "POSITION_SIZING"
    with pytest.raises(NotFound):
        await elsewhere.get_decision(new_decision_id("NEVER_LOGGED", 1_795_000_000_000))


async def test_agents_do_not_see_each_other(logger, stores, clock):
    decision_id = await logger.log_decision("QUERY", {}, {})
    other = DecisionLogger("other", stores=stores, clock=clock)
    with pytest.raises(NotFound):
        await other.get_decision(decision_id)
    assert await other.query_decisions() == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"decision_type": "lower"}, "/decision_type"),
        ({"context": None}, "/context"),
        ({"reasoning": ["a"]}, "/reasoning"),
        ({"context": {"a": float("nan")}}, "/context/a"),
        ({"metadata": {"x": {1: 2}}}, "/metadata/x"),
        ({"timestamp": "soon"}, "/timestamp"),
        ({"timestamp": datetime(2026, 11, 21, tzinfo=UTC)}, "/timestamp"),
        ({"timestamp": datetime(2019, 11, 19, tzinfo=UTC)}, "/timestamp"),
        ({"decision_id": decision_id_for("QUERY", datetime(2019, 1, 1, tzinfo=UTC), "x")}, "/timestamp"),
        ({"context": {"a": nested(40)}}, "/context/a" + "/n" * 31),
        ({"context": {"": 1}}, "/context"),
        ({"context": {"a": 10**38 + 1}}, "/context/a"),
        ({"context": {"a": 1e126}}, "/context/a"),
        ({"context": {"a": 1e-131}}, "/context/a"),
        ({"context": {"a": b"bytes"}}, "/context/a"),
        ({"context": {"a": "\ud800"}}, "/context/a"),
        ({"decision_type": "A" * 64}, "/decision_type"),
        ({"decision_type": "A#B"}, "/decision_type"),
        ({"decision_type": "A\n"}, "/decision_type"),
        ({"memory_ids": ["a#b"]}, "/memory_ids/0"),
        ({"memory_ids": ["ok", 7]}, "/memory_ids"),
        ({"memory_ids": "whale_pump"}, "/memory_ids"),
        ({"decision_id": ""}, "/decision_id"),
        ({"decision_id": "x" * 100_000}, "/decision_id"),
        ({"decision_id": "4711"}, "/decision_id"),
        ({"decision_id": decision_id_for("LEARNING", NOON, "x")}, "/decision_id"),
        ({"decision_id": decision_id_for("QUERY", NOON, "x"), "timestamp": "2026-11-20T11:00:00Z"}, "/timestamp"),
    ],
)
async def test_bad_input_is_named_and_nothing_is_written(logger, stores, change, field):
    good = {"decision_type": "QUERY", "context": {}, "reasoning": {}}
    with pytest.raises(InvalidInput) as caught:
        await logger.log_decision(**{**good, **change})
    assert caught.value.field == field
    assert await logger.query_decisions() == []


async def test_a_batch_stores_what_is_good_and_names_what_is_not(logger):
    good = {"decision_type": "QUERY", "context": {"n": 1}, "reasoning": {}}
    results = await logger.log_decisions([good, {**good, "contxt": {}}, {**good, "context": {"x": float("inf")}}, good])
    assert [result["status"] for result in results] == ["created", "invalid", "invalid", "created"]
    assert [result.get("error", {}).get("field") for result in results] == [
        None,
        "/decisions/1/contxt",
        "/context/x",
        None,
    ]
    assert len(await logger.query_decisions()) == 2


async def fill(logger, count=24):
    """One decision an hour up to noon, types in turn, every third one a success."""
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
    only = await logger.query_decisions(
        "LEARNING", (NOON - timedelta(hours=12), NOON), success_filter=True, context_filter={"trend": "bearish"}
    )
    assert [d["context"]["n"] for d in only] == [21]
    failed = await logger.query_decisions(success_filter=False, limit=1000)
    assert {d["success"] for d in failed} == {False}
    assert await logger.query_decisions(context_filter={"trend": "sideways"}) == []
    assert len(await logger.query_decisions(context_filter={"market": {"trend": "bullish"}, "n": 1})) == 1


async def test_pages_follow_each_other_without_gap_or_repetition(logger):
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


async def test_queries_for_what_has_no_outcome_yet_and_for_a_whole_market(logger):
    ids = await fill(logger)
    pending = await logger.query_decisions(success_filter="pending", newest_first=False)
    assert [d["decision_id"] for d in pending] == ids[3::4]
    bearish = await logger.query_decisions(context_type="trend=bearish", newest_first=False)
    assert [d["decision_id"] for d in bearish] == ids[::3]
    both = await logger.query_decisions("QUERY", success_filter=True, context_type="trend=bearish", limit=2)
    assert [d["decision_id"] for d in both] == [ids[18], ids[12]]


async def test_a_market_in_plain_text_is_found_as_such(logger):
    for market in ("bullish", "bearish"):
        await logger.log_decision("QUERY", {"market": market}, {})
    (found,) = await logger.query_decisions(context_filter={"market": "bullish"})
    assert found["context"] == {"market": "bullish"}


async def test_a_cursor_is_good_for_its_own_question_only(logger):
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
async def test_unusable_queries_are_refused(logger, arguments, field):
    with pytest.raises(InvalidInput) as caught:
        await logger.query_decisions(**arguments)
    assert caught.value.field == field


async def test_reading_spans_table_and_archive(logger, stores, clock):
    """Decisions over 100 days; those over 30 days old are archived, those over 90 have left the table."""
    start = parse_instant(NOON) - 100 * DAY_MS
    ids = []
    for day in range(100):
        at = datetime.fromtimestamp((start + day * DAY_MS) / 1000, UTC)
        ids.append(await logger.log_decision("QUERY", {"day": day}, {"whole": 1.0}, timestamp=at))
        await logger.log_outcome(ids[-1], {"day": day}, day % 2 == 0)
    today = NOON.date() - timedelta(days=1)
    for _ in range(2):
        archive_due_days(
            "market-hunter", today, decisions=stores.decisions, states=stores.states, archive=stores.archive
        )
    assert stores.archive.days("market-hunter")[-1] == today - timedelta(days=30)
    found = await logger.query_decisions(limit=1000, newest_first=False)
    assert [d["decision_id"] for d in found] == ids
    assert [d["success"] for d in found] == [day % 2 == 0 for day in range(100)]
    oldest = await logger.get_decision(ids[0])
    assert (oldest["context"], oldest["outcome"], oldest["reasoning"]) == ({"day": 0}, {"day": 0}, {"whole": 1.0})
    assert isinstance(oldest["reasoning"]["whole"], float)
    with pytest.raises(NotFound):
        await logger.get_decision(decision_id_for("QUERY", NOON - timedelta(days=95), "never made"))


async def test_both_constructor_forms_share_stores(stores, clock):
    memory = MemoryManager(agent_id="market-hunter", stores=stores, clock=clock)
    by_name = DecisionLogger(agent_id="market-hunter", memory_manager=memory)
    assert by_name.agent_id == "market-hunter"
    await memory.store_stm("context:current", {"volatility": "high"}, ttl_seconds=60)
    assert await memory.retrieve_stm("context:current") == {"volatility": "high"}
    clock.advance(61_000)
    assert await memory.retrieve_stm("context:current") is None
