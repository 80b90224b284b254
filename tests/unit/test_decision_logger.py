"""The decision log through its async face, on stores in memory."""

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


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
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
    assert stores.archive.days("market-hunter", "QUERY")[-1] == today - timedelta(days=30)
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
