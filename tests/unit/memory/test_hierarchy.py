"""One answer across all ages."""

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
    """One decision in high and one in low volatility on each level; the ids of the former, newest first."""
    logger = DecisionLogger("hunter", memory_manager=memory, clock=clock)
    ids = []
    for hours in AGES.values():
        for volatility in ("low", "high"):
            at = NOON - timedelta(hours=hours)
            ids.append(await logger.log_decision("QUERY", {"market": {"volatility": volatility}}, {}, timestamp=at))
    return ids[1::2]


async def test_every_level_answers_newest_first(memory, logged):
    told = await memory.get_context_memory(context_filter={"volatility": "high"})
    assert [entry["decision_id"] for entry in told["entries"]] == logged
    assert [entry["level"] for entry in told["entries"]] == list(AGES)
    assert (told["complete"], told["missing"], told["levels"]) == (True, [], list(AGES))


async def test_only_the_levels_that_the_time_meets_are_asked(memory, logged):
    last_hour = (NOON - timedelta(hours=1), NOON)
    told = await memory.get_context_memory(last_hour, {"volatility": "high"})
    assert ([entry["decision_id"] for entry in told["entries"]], told["levels"]) == (logged[:1], ["immediate"])
    told = await memory.get_context_memory((NOON - timedelta(days=20), NOON - timedelta(hours=3)))
    assert (len(told["entries"]), told["levels"]) == (4, ["recent", "historical"])


async def test_one_level_can_be_named(memory, logged):
    told = await memory.get_context_memory(level="archive")
    assert ([entry["level"] for entry in told["entries"]], told["levels"]) == (["archive"] * 2, ["archive"])


async def test_the_current_context_is_the_newest_entry(memory, logged):
    await memory.store_stm("context:current", {"volatility": "high", "trend": "up"})
    first = (await memory.get_context_memory(context_filter={"volatility": "high"}))["entries"][0]
    assert (first["kind"], first["context"]) == ("current", {"market": {"volatility": "high", "trend": "up"}})
    kinds = [entry["kind"] for entry in (await memory.get_context_memory(context_filter={"trend": "down"}))["entries"]]
    assert kinds == []


async def test_the_limit_counts_entries_over_all_levels(memory, logged):
    told = await memory.get_context_memory(context_filter={"volatility": "high"}, limit=3)
    assert [entry["decision_id"] for entry in told["entries"]] == logged[:3]


async def test_a_level_that_is_down_is_named_and_the_others_stand(memory, logged, monkeypatch):
    def down(*_args, **_settings):
        raise Unavailable("Redis did not respond: TimeoutError")

    monkeypatch.setattr(memory.stores.short_term, "run", down)
    told = await memory.get_context_memory(context_filter={"volatility": "high"})
    assert [entry["decision_id"] for entry in told["entries"]] == logged
    assert told["complete"] is False
    assert told["missing"] == [{"level": "immediate", "why": "Redis did not respond: TimeoutError"}]
    monkeypatch.setattr(memory.stores.decisions, "scan", down)
    for asked in ({}, {"level": "historical"}):
        with pytest.raises(Unavailable, match="did not respond"):
            await memory.get_context_memory(**asked)


async def test_an_outage_is_never_an_empty_answer(memory, logged, monkeypatch):
    def down(*_args, **_settings):
        raise Unavailable("DynamoDB did not respond")

    monkeypatch.setattr(memory.stores.decisions, "scan", down)
    with pytest.raises(Unavailable, match="immediate memory: DynamoDB did not respond"):
        await memory.get_context_memory()
    await memory.store_stm("context:current", {"trend": "up"})
    told = await memory.get_context_memory()
    assert ([one["kind"] for one in told["entries"]], told["complete"]) == (["current"], False)
    assert [one["level"] for one in told["missing"]] == ["immediate", "recent", "historical", "archive"]


class Freezing(InMemoryBlobs):
    """Objects that lie in Glacier until they are thawed."""

    def __init__(self):
        super().__init__()
        self.frozen, self.asked_for = set(), []

    def read(self, key):
        self._refuse_frozen(key)
        return super().read(key)

    def read_range(self, key, start, end=None):
        self._refuse_frozen(key)
        return super().read_range(key, start, end)

    def _refuse_frozen(self, key):
        if key in self.frozen:
            raise InColdStorage(f"{key} is in cold storage")

    def restore(self, key):
        self.asked_for.append(key)


async def test_days_in_glacier_are_named_and_asked_for(clock):
    blobs = Freezing()
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
    blobs.frozen = {key for key in blobs._objects if key.endswith(".parquet") and "date=2025" in key}
    told = await memory.get_context_memory()
    assert [entry["context"]["n"] for entry in told["entries"]] == [1, 100]
    (missing,) = told["missing"]
    assert missing["level"] == "archive"
    assert "2025-10-15 to 2025-10-16 is in cold storage" in missing["why"]
    assert sorted(blobs.asked_for) == sorted(blobs.frozen)
    told = await memory.get_context_memory((None, NOON - timedelta(days=399)), level="archive")
    assert (told["entries"], told["complete"]) == ([], False)
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
async def test_unusable_questions_are_refused(memory, arguments, field):
    with pytest.raises(InvalidInput) as caught:
        await memory.get_context_memory(**arguments)
    assert caught.value.field == field


async def test_a_confidence_is_updated_as_a_version(memory):
    await memory.store_ltm("PATTERN", "whale_pump", {"confidence": 0.7, "note": "first"})
    told = await memory.update_ltm_confidence("whale_pump", 0.9)
    assert (told["confidence"], told["note"], told["version"]) == (0.9, "first", 2)
    for wrong in (1.1, None, True):
        with pytest.raises(InvalidInput, match="new_confidence"):
            await memory.update_ltm_confidence("whale_pump", wrong)
