"""What is kept of an agent is exported and erased completely, on every store."""

import hashlib
import json
import time
import zipfile
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from weakref import WeakSet

import pytest

from agent_memory import DecisionLogger, MemoryManager, NotFound, Unavailable
from agent_memory.admin import agent_data
from agent_memory.admin.agent_data import AgentData
from agent_memory.core import remembered
from agent_memory.decisions import registry, writer
from agent_memory.memory import recall_indexes
from agent_memory.nightly.archival import archive_due_days

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


async def fill(stores, clock, agent_id):
    """An agent with something of every kind: recent, archived and large decisions, memories, states, short term."""
    memory = MemoryManager(agent_id, stores=stores, clock=clock)
    logger = DecisionLogger(agent_id, memory_manager=memory, clock=clock, write_shards=2)
    old = await logger.log_decision("QUERY", {"n": 1}, {}, timestamp=NOON - timedelta(days=40))
    archive_due_days(agent_id, NOON.date() - timedelta(days=1), stores)
    own = await logger.log_decision("MY_OWN", {"text": "x" * 400_000}, {}, parent_ids=[old])
    await logger.log_outcome(own, {"n": 1}, True)
    await memory.store_ltm("PATTERN", "pump", {"confidence": 0.7})
    await memory.store_ltm("PATTERN", "pump", {"confidence": 0.8})
    memory.direct.long_term.remove(memory.direct.long_term.history("PATTERN", "pump")[-1], reason="gone")
    await memory.store_ltm("TEAMS_OWN", "rule", {"a": 1.0})
    await memory.save_state({"configuration": {"rate": 0.1}})
    await memory.create_checkpoint("first")
    await memory.store_stm("context:current", {"trend": "up"})
    return memory, logger, [old, own]


def lines(archive, name):
    return [json.loads(line) for line in archive.read(f"{name}.jsonl").decode().splitlines()]


async def test_an_export_holds_everything(stores, clock, tmp_path):
    memory, _, ids = await fill(stores, clock, "hunter")
    await fill(stores, clock, "hunter-2")
    receipt = await memory.export(tmp_path / "hunter.zip", memory_types=["PATTERN"])
    with zipfile.ZipFile(tmp_path / "hunter.zip") as archive:
        decisions = lines(archive, "decisions")
        assert [one["decision_id"] for one in decisions] == ids
        assert decisions[1]["context"] == {"text": "x" * 400_000}
        versions = [(one["pattern_id"], one["version"], one["removed"]) for one in lines(archive, "memories")]
        assert versions == [("pump", 1, False), ("pump", 2, False), ("pump", 3, True), ("rule", 1, False)]
        states = {one["state_type"]: one["data"] for one in lines(archive, "states")}
        assert set(states) == {
            "ARCHIVE_CHAIN",
            "ARCHIVE_PROGRESS",
            "CURRENT",
            "CHECKPOINT#first",
            "CONFIGURATION#0000000001",
        }
        short_term = {one["key"]: one["data"] for one in lines(archive, "short_term")}
        assert set(short_term) == {"context:current", "state:current"}
        assert short_term["context:current"] == {"trend": "up"}
    assert receipt["counts"] == {"decisions": 2, "memories": 4, "states": 5, "short_term": 2, "objects": 2}
    assert len(receipt["sha256"]) == 64
    assert [file.name for file in tmp_path.iterdir()] == ["hunter.zip"]


@pytest.mark.parametrize("stores", ["in_memory"], indirect=True)
async def test_two_exports_to_a_file_at_once_are_complete(stores, clock, tmp_path, monkeypatch):
    memory, *_ = await fill(stores, clock, "hunter")
    path = tmp_path / "hunter.zip"
    data, write_objects, receipts = AgentData("hunter", stores, clock), agent_data._write_objects, []

    def after_another_export(archive, agent):
        if not receipts:
            receipts.append(None)
            receipts.append(data.export(path))
        return write_objects(archive, agent)

    monkeypatch.setattr(agent_data, "_write_objects", after_another_export)
    receipt = await memory.export(path)
    assert receipt["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert receipts[1]["counts"] == receipt["counts"]
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
    assert list(tmp_path.iterdir()) == [path]


async def test_an_outage_leaves_no_half_an_export(stores, clock, tmp_path, monkeypatch):
    memory, *_ = await fill(stores, clock, "hunter")

    def down(*_args, **_settings):
        raise Unavailable("DynamoDB did not respond")

    monkeypatch.setattr(stores.states, "list_by_prefix", down)
    with pytest.raises(Unavailable):
        await memory.export(tmp_path / "hunter.zip")
    assert list(tmp_path.iterdir()) == []


async def test_a_dry_run_counts_and_forgetting_erases_what_it_counted(stores, clock):
    memory, logger, ids = await fill(stores, clock, "hunter")
    other, other_logger, other_ids = await fill(stores, clock, "hunter-2")
    counted = await memory.forget()
    assert (counted["dry_run"], counted["agent_id"]) == (True, "hunter")
    assert all(counted["counts"].values())
    assert len(await logger.query_decisions()) == 2
    erased = await memory.forget(dry_run=False)
    assert erased["counts"] == counted["counts"]
    assert set((await memory.forget())["counts"].values()) == {0}
    assert await logger.query_decisions() == []
    assert await memory.retrieve_ltm("PATTERN") == []
    assert await memory.get_ltm_history("PATTERN", "pump") == []
    assert (await memory.load_state(), await memory.retrieve_stm("context:current")) == (None, None)
    for one in ids:
        with pytest.raises(NotFound):
            await DecisionLogger("hunter", stores=stores, clock=clock).get_decision(one)
    assert stores.states.agents() == ["hunter-2"]
    assert [one["decision_id"] for one in await other_logger.query_decisions()] == other_ids[::-1]
    assert len(await other.get_ltm_history("PATTERN", "pump")) == 3
    assert await other.retrieve_stm("context:current") == {"trend": "up"}


@pytest.mark.parametrize("kind", ["QUERY", "MY_OWN"])
def test_what_is_logged_after_forgetting_is_found(stores, clock, kind):
    """The logger lives on: what it has registered of the agent was erased."""
    memory = MemoryManager("hunter", stores=stores, clock=clock).sync
    logger = DecisionLogger("hunter", stores=stores, clock=clock).sync
    logger.log_decision(kind, {}, {})
    memory.forget(dry_run=False)
    logged = logger.log_decision(kind, {}, {})
    assert [one["decision_id"] for one in logger.query_decisions()] == [logged]
    assert stores.states.agents() == ["hunter"]


def test_what_is_logged_after_another_process_has_forgotten_is_found_in_time(stores, clock, monkeypatch):
    logger = DecisionLogger("hunter", stores=stores, clock=clock).sync
    logger.log_decision("MY_OWN", {}, {})
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(remembered, "_all", WeakSet())
        MemoryManager("hunter", stores=stores, clock=clock).sync.forget(dry_run=False)
    now = time.monotonic()
    monkeypatch.setattr(writer, "time", SimpleNamespace(monotonic=lambda: now + remembered.MAX_AGE_SECONDS + 60))
    monkeypatch.setattr(registry, "time", writer.time)
    logged = [logger.log_decision(kind, {}, {}) for kind in ("MY_OWN", "QUERY")]
    assert sorted(one["decision_id"] for one in logger.query_decisions()) == sorted(logged)
    assert stores.states.registration("hunter").decision_types == ("MY_OWN", "QUERY")


def test_forgotten_memories_do_not_count_in_the_frequencies_of_words(stores, clock):
    pool = MemoryManager("shared", stores=stores, clock=clock).sync
    pooled = MemoryManager("hunter", stores=stores, clock=clock, pools=["shared"]).sync
    pooled.store_ltm("PATTERN", "own", {"text": "whales lead"})
    before = pooled.recall("whales")[0]["score"]
    for n in range(5):
        pool.store_ltm("PATTERN", f"other-{n}", {"text": "whales lag"})
    assert pooled.recall("whales")[0]["score"] != before
    pool.forget(dry_run=False)
    assert pooled.recall("whales")[0]["score"] == before


@pytest.mark.parametrize("versions", [1, 2])
def test_memories_after_forgetting_are_recalled_by_what_they_say_now(stores, clock, monkeypatch, versions):
    memory = MemoryManager("hunter", stores=stores, clock=clock).sync

    def store(text, symbol):
        for n in range(6):
            memory.store_ltm("PATTERN", f"other-{n}", {"text": "minnows", "confidence": 0.9})
        for memory_type in ("TEAMS_OWN", "PATTERN"):
            memory.store_ltm(memory_type, "rule", {"text": text, "symbol": symbol})

    store("whales lead", "BTC")
    for _ in range(1, versions):
        memory.store_ltm("PATTERN", "rule", {"text": "whales lag"})
    assert {one["kind"] for one in memory.recall("whales", top_k=2)} == {"TEAMS_OWN", "PATTERN"}
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(recall_indexes.RecallIndexes, "drop", lambda *_: None)
        memory.forget(dry_run=False)
    clock.advance(1)
    store("funding rates", "ETH")
    for _ in range(2):  # by the log of changes, and from the beginning
        found = memory.recall("funding", symbol="ETH")
        assert [one["memory"]["text"] for one in found] == ["funding rates"] * 2
        assert {one["kind"] for one in found} == {"TEAMS_OWN", "PATTERN"}
        recall_indexes._of_stores.clear()
