"""Contexts are read from all levels together."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agent_memory import DecisionLogger, InvalidInput, MemoryManager, Unavailable
from agent_memory.core.clock import date_of
from agent_memory.core.errors import InColdStorage
from agent_memory.core.ids import parse_decision_id
from agent_memory.model.decisions import DecisionKey
from agent_memory.storage.factory import in_memory_stores
from agent_memory.storage.in_memory.blobs import InMemoryBlobs
from agent_memory.storage.parquet.archive import ParquetArchive
from tests.contract.samples import write_day

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
AGES = {"immediate": 0.5, "recent": 5, "historical": 24 * 9, "archive": 24 * 40}


@pytest.fixture
def memory(clock):
    return MemoryManager("hunter", stores=in_memory_stores(clock), clock=clock)


@pytest.fixture
async def logged(memory, clock):
    """Log a decision in high and one in low volatility on each level; the ids of the former, newest first."""
    logger = DecisionLogger("hunter", memory_manager=memory, clock=clock)
    ids = []
    for hours in AGES.values():
        for volatility in ("low", "high"):
            at = NOON - timedelta(hours=hours)
            ids.append(await logger.log_decision("QUERY", {"market": {"volatility": volatility}}, {}, timestamp=at))
    return ids[1::2]


async def test_entries_of_all_levels_are_ordered_newest_first(memory, logged):
    result = await memory.get_context_memory(context_filter={"volatility": "high"})
    assert [entry["decision_id"] for entry in result["entries"]] == logged
    assert [entry["level"] for entry in result["entries"]] == list(AGES)
    assert (result["complete"], result["missing"], result["levels"]) == (True, [], list(AGES))


async def test_only_levels_that_overlap_the_time_range_are_read(memory, logged):
    last_hour = (NOON - timedelta(hours=1), NOON)
    result = await memory.get_context_memory(last_hour, {"volatility": "high"})
    assert ([entry["decision_id"] for entry in result["entries"]], result["levels"]) == (logged[:1], ["immediate"])
    result = await memory.get_context_memory((NOON - timedelta(days=20), NOON - timedelta(hours=3)))
    assert (len(result["entries"]), result["levels"]) == (4, ["recent", "historical"])


async def test_a_single_level_can_be_read(memory, logged):
    result = await memory.get_context_memory(level="archive")
    assert ([entry["level"] for entry in result["entries"]], result["levels"]) == (["archive"] * 2, ["archive"])


async def test_the_current_context_is_the_newest_entry(memory, logged):
    await memory.store_stm("context:current", {"volatility": "high", "trend": "up"})
    first = (await memory.get_context_memory(context_filter={"volatility": "high"}))["entries"][0]
    assert (first["kind"], first["context"]) == ("current", {"market": {"volatility": "high", "trend": "up"}})
    kinds = [entry["kind"] for entry in (await memory.get_context_memory(context_filter={"trend": "down"}))["entries"]]
    assert kinds == []


async def test_the_limit_counts_entries_over_all_levels(memory, logged):
    result = await memory.get_context_memory(context_filter={"volatility": "high"}, limit=3)
    assert [entry["decision_id"] for entry in result["entries"]] == logged[:3]


async def test_a_failed_level_is_named_and_the_entries_of_the_others_are_returned(memory, logged, monkeypatch):
    def down(*_args, **_settings):
        raise Unavailable("Redis did not respond: TimeoutError")

    monkeypatch.setattr(memory.stores.short_term, "run", down)
    result = await memory.get_context_memory(context_filter={"volatility": "high"})
    assert [entry["decision_id"] for entry in result["entries"]] == logged
    assert result["complete"] is False
    why = "Redis did not respond: TimeoutError"
    assert result["missing"] == [{"id": "immediate", "reason": "unavailable", "level": "immediate", "why": why}]
    monkeypatch.setattr(memory.stores.decisions, "scan_with_positions", down)
    for arguments in ({}, {"level": "historical"}):
        with pytest.raises(Unavailable, match="did not respond"):
            await memory.get_context_memory(**arguments)


async def test_an_outage_is_never_an_empty_result(memory, logged, monkeypatch):
    def down(*_args, **_settings):
        raise Unavailable("DynamoDB did not respond")

    monkeypatch.setattr(memory.stores.decisions, "scan_with_positions", down)
    with pytest.raises(Unavailable, match="immediate memory: DynamoDB did not respond"):
        await memory.get_context_memory()
    await memory.store_stm("context:current", {"trend": "up"})
    result = await memory.get_context_memory()
    assert ([one["kind"] for one in result["entries"]], result["complete"]) == (["current"], False)
    assert [one["level"] for one in result["missing"]] == ["immediate", "recent", "historical", "archive"]


class BlobsInGlacier(InMemoryBlobs):
    """Objects some of which are in Glacier."""

    def __init__(self):
        super().__init__()
        self.in_glacier, self.restore_requests = set(), []

    def read(self, key):
        self._check_restored(key)
        return super().read(key)

    def read_range(self, key, start, end=None):
        self._check_restored(key)
        return super().read_range(key, start, end)

    def _check_restored(self, key):
        if key in self.in_glacier:
            raise InColdStorage(f"{key} is in cold storage")

    def restore(self, key):
        self.restore_requests.append(key)


async def test_days_in_glacier_are_named_and_their_restore_is_requested(clock):
    blobs = BlobsInGlacier()
    stores = replace(in_memory_stores(clock), blobs=blobs, archive=ParquetArchive(blobs))
    memory = MemoryManager("hunter", stores=stores, clock=clock)
    logger = DecisionLogger("hunter", memory_manager=memory, clock=clock)
    ids = [
        await logger.log_decision("QUERY", {"n": days}, {}, timestamp=NOON - timedelta(days=days))
        for days in (1, 100, 400, 401)
    ]
    keys = [DecisionKey("hunter", "QUERY", parse_decision_id(one).timestamp_ms, one) for one in ids[1:]]
    old = stores.decisions.get(keys)
    for decision in old:
        write_day(stores.archive, date_of(decision.timestamp_ms), [decision])
    stores.decisions.expire(old, [clock.now_ms()] * len(old))
    blobs.in_glacier = {key for key in blobs._objects if key.endswith(".parquet") and "date=2025" in key}
    result = await memory.get_context_memory()
    assert [entry["context"]["n"] for entry in result["entries"]] == [1, 100]
    (missing,) = result["missing"]
    assert missing["level"] == "archive"
    assert "2025-10-15 to 2025-10-16 is in cold storage" in missing["why"]
    assert sorted(blobs.restore_requests) == sorted(blobs.in_glacier)
    found = await logger.query_decisions()
    assert ([one["context"]["n"] for one in found], found.complete) == ([1, 100], False)
    assert [(one["id"], one["reason"]) for one in found.missing] == [("archive", "in_cold_storage")]
    with pytest.raises(InColdStorage):
        await logger.page_decisions(cursor=found.cursor)
    child = await logger.log_decision("QUERY", {}, {}, parent_ids=[ids[2], ids[0]])
    chain = await logger.get_decision_chain(child, depth=1)
    assert [(one["decision_id"], one["relation"]) for one in chain] == [(ids[0], "ancestor")]
    assert [(one["id"], one["reason"]) for one in chain.missing] == [(ids[2], "in_cold_storage")]
    result = await memory.get_context_memory((None, NOON - timedelta(days=399)), level="archive")
    assert (result["entries"], result["complete"]) == ([], False)
    with pytest.raises(InColdStorage, match=r"archive of 2025-10-15 is in cold storage.*up to 12 hours"):
        await logger.get_decision(ids[3])


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 1001}, "limit"),
        ({"level": "yesterday"}, "level"),
        ({"time_range": (NOON, NOON - timedelta(1))}, "time_range"),
        ({"context_filter": "high"}, "context_filter"),
    ],
)
async def test_invalid_arguments_are_refused(memory, arguments, field):
    with pytest.raises(InvalidInput) as caught:
        await memory.get_context_memory(**arguments)
    assert caught.value.field == field


async def test_a_new_confidence_is_a_new_version(memory):
    await memory.store_ltm("PATTERN", "whale_pump", {"confidence": 0.7, "note": "first"})
    result = await memory.update_ltm_confidence("whale_pump", 0.9)
    assert (result["confidence"], result["note"], result["version"]) == (0.9, "first", 2)
    for wrong in (1.1, None, True):
        with pytest.raises(InvalidInput, match="new_confidence"):
            await memory.update_ltm_confidence("whale_pump", wrong)


async def test_a_cursor_continues_until_everything_was_returned_once(memory, logged):
    await memory.store_stm("context:current", {"trend": "up"})
    for context_filter, expected in ((None, 8), ({"volatility": "high"}, 4)):
        for limit in (1, 2, 3, 100):
            seen, cursor = [], None
            for _ in range(12):
                page = await memory.get_context_memory(context_filter=context_filter, limit=limit, cursor=cursor)
                assert (len(page["entries"]) <= limit, page["complete"]) == (True, page["cursor"] is None)
                seen += page["entries"]
                cursor = page["cursor"]
                if cursor is None:
                    break
            assert [one["timestamp"] for one in seen] == sorted([one["timestamp"] for one in seen], reverse=True)
            ids = [one["decision_id"] for one in seen if one["kind"] == "decision"]
            assert (len(ids), len(set(ids)), cursor) == (expected, expected, None)


async def test_a_cursor_of_another_query_is_refused(memory, logged):
    page = await memory.get_context_memory(limit=1)
    for cursor, context_filter in ((page["cursor"], {"trend": "up"}), ("nonsense", None)):
        with pytest.raises(InvalidInput) as caught:
            await memory.get_context_memory(context_filter=context_filter, cursor=cursor)
        assert caught.value.field == "cursor"


async def test_a_strict_read_of_short_term_memory_tells_an_outage_from_a_missing_value(memory, monkeypatch):
    assert await memory.retrieve_stm("insight", strict=True) is None

    def down(*_args, **_settings):
        raise Unavailable("Redis did not respond: TimeoutError")

    monkeypatch.setattr(memory.stores.short_term, "run", down)
    assert await memory.retrieve_stm("insight") is None
    with pytest.raises(Unavailable, match="Redis did not respond"):
        await memory.retrieve_stm("insight", strict=True)
