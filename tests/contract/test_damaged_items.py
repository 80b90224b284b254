"""What reads everything (the export, the nightly job, the archive, the report) counts and names damaged items."""

import json
import zipfile
from datetime import UTC, date, datetime

import pytest

from agent_memory import DecisionLogger, MemoryAnalytics, MemoryManager, Unavailable
from agent_memory.core.clock import date_of
from agent_memory.core.ids import timestamp_of
from agent_memory.core.keys import archive_file_key
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.model.decisions import DecisionKey
from agent_memory.model.listings import Unreadable
from agent_memory.nightly.archival import archive_due_days
from agent_memory.nightly.run import run_nightly_job
from tests.contract.damage import damage_decision, damage_memory, damage_state
from tests.contract.samples import NOW

DAY_MS = 86_400_000
YESTERDAY = date(2026, 11, 19)


@pytest.fixture
def log(stores, clock):
    return DecisionLog("hunter", stores, clock)


def logged(log, days_ago, n=0):
    at = datetime.fromtimestamp((NOW - days_ago * DAY_MS + n) / 1000, UTC)
    return log.log_one({"decision_type": "QUERY", "context": {}, "reasoning": {}, "timestamp": at}).decision_id


def damage(stores, decision_id):
    damage_decision(stores, DecisionKey("hunter", "QUERY", timestamp_of(decision_id), decision_id))


async def test_an_export_has_the_rest_and_names_what_is_damaged(stores, clock, log, tmp_path):
    memory = MemoryManager("hunter", stores=stores, clock=clock)
    ids = [logged(log, 0, n) for n in range(3)]
    await memory.save_state({"n": 1})
    await memory.create_checkpoint("first")
    damage(stores, ids[1])
    damage_state(stores, "hunter", "CHECKPOINT#first")
    receipt = await memory.export(tmp_path / "hunter.zip")
    assert (receipt["counts"]["decisions"], receipt["counts"]["states"], receipt["complete"]) == (2, 1, False)
    assert {one["id"]: one["reason"] for one in receipt["missing"]} == {
        ids[1]: "damaged",
        "CHECKPOINT#first": "damaged",
    }
    with zipfile.ZipFile(tmp_path / "hunter.zip") as archive:
        lines = archive.read("missing.jsonl").decode().splitlines()
    assert [json.loads(line) for line in lines] == receipt["missing"]


@pytest.mark.slow
def test_the_nightly_job_counts_damaged_items(stores, clock, log):
    ids = [logged(log, 1, -n) for n in range(1, 4)] + [logged(log, 40, n) for n in range(2)]
    memory = MemoryManager("hunter", stores=stores, clock=clock).sync
    memory.store_ltm("PATTERN", "own", {"confidence": 0.5})
    memory.store_ltm("PATTERN", "broken", {"confidence": 0.5})
    damage(stores, ids[0])
    damage(stores, ids[3])
    damage_memory(stores, "hunter", "PATTERN", "broken")
    for _ in range(2):  # the day that lacks a decision is requested again, until it can be read
        figures = run_nightly_job("hunter", YESTERDAY, stores)
        assert {ids[0], "broken"} <= {one["id"] for one in figures["consolidation"]["damaged_items"]}
        assert [figures[step]["damaged"] for step in ("pruning", "archival", "analytics")] == [1, 1, 1]
        assert [one["code"] for one in figures["archival"]["postponed"]] == ["damaged"]
    day = date_of(NOW - 40 * DAY_MS)
    assert [one.decision_id for one in stores.archive.read_day("hunter", day)] == [ids[4]]
    assert [one["id"] for one in log.page(DecisionFilter()).as_dict()["missing"]] == [ids[0], ids[3]]


def test_a_job_does_not_learn_from_less_while_the_bucket_does_not_respond(stores, clock, log, monkeypatch):
    logged(log, 1, -1)
    scan = stores.decisions.scan

    def unavailable(*arguments, on_unreadable, **options):
        on_unreadable(Unreadable("one", Unavailable("S3 did not respond")))
        return scan(*arguments, on_unreadable=on_unreadable, **options)

    monkeypatch.setattr(stores.decisions, "scan", unavailable)
    with pytest.raises(Unavailable, match="S3 did not respond"):
        run_nightly_job("hunter", YESTERDAY, stores)


@pytest.mark.parametrize("is_lost", [False, True])
def test_a_damaged_day_of_the_archive_is_named_and_the_other_days_are_answered(stores, clock, log, is_lost):
    ids = [logged(log, days) for days in (120, 110, 100, 0)]
    for _ in range(2):
        archive_due_days("hunter", YESTERDAY, stores)
    day = date_of(NOW - 110 * DAY_MS)
    key = archive_file_key("hunter", day)
    stores.blobs.erase(key, dry_run=False) if is_lost else stores.blobs.write(key, b"PAR1" * 30_000)
    logger = DecisionLogger("hunter", stores=stores, clock=clock).sync
    found = logger.query_decisions()
    assert [one["decision_id"] for one in found] == [ids[3], ids[2], ids[0]]
    assert [(one["id"], one["reason"]) for one in found.missing] == [(key, "damaged")]
    contexts = MemoryManager("hunter", stores=stores, clock=clock).sync.get_context_memory()
    assert [one["id"] for one in contexts["missing"]] == [key]
    returned, missing, cursor = [], [], None
    for _ in range(5):
        page = logger.page_decisions(limit=1, newest_first=False, cursor=cursor)
        returned += [one["decision_id"] for one in page["decisions"]]
        missing += [one["id"] for one in page["missing"]]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert (returned, missing) == ([ids[0], ids[2], ids[3]], [key])
    with pytest.raises(Unavailable, match=r"decisions\.parquet"):
        logger.get_decision(ids[1])


async def test_the_report_says_what_it_could_not_read(stores, clock, log):
    ids = [logged(log, 0, -n) for n in range(3)]
    damage(stores, ids[0])
    memory = MemoryManager("hunter", stores=stores, clock=clock)
    analytics = MemoryAnalytics(DecisionLogger("hunter", memory_manager=memory, clock=clock), memory, clock=clock)
    report = await analytics.generate_performance_report()
    assert (report["totals"]["decisions"], report["complete"]) == (2, False)
    assert [one["id"] for one in report["missing"]] == [ids[0]]
    rates = await analytics.get_success_rate_by_context()
    assert (rates, rates.complete, [one["id"] for one in rates.missing]) == ([], False, [ids[0]])
