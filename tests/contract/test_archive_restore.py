"""Decisions are written back from the sealed archive, after the table or the end of the chain was lost."""

from datetime import UTC, date, datetime, timedelta

import pytest

from agent_memory import DecisionLogger, InvalidInput, NotFound
from agent_memory.admin.archive_restore import ArchiveRestore
from agent_memory.archive.verification import verify_archive
from agent_memory.core.errors import Damaged
from agent_memory.core.keys import archive_file_key, archive_manifest_key
from agent_memory.model.seals import Chain
from agent_memory.nightly.archival import archive_due_days
from agent_memory.nightly.rollups import roll_up_days

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
AGENT = "hunter"
AGES = (100, 40, 31)


@pytest.fixture
async def archived(stores, clock):
    """The ids of three archived decisions, oldest first, each the parent of the next, and the head of their chain."""
    logger, ids = DecisionLogger(AGENT, stores=stores, clock=clock), []
    for age in AGES:
        at = NOON - timedelta(days=age)
        ids.append(await logger.log_decision("QUERY", {"n": 1.0}, {}, timestamp=at, parent_ids=ids[-1:]))
        await logger.log_outcome(ids[-1], {"profit": age}, True, horizon="1h")
    for _ in range(2):
        result = archive_due_days(AGENT, NOON.date() - timedelta(days=1), stores)
    return ids, result["head"]


def restored(stores, clock, day=None, **options):
    receipt = ArchiveRestore(AGENT, stores, clock).run(day, **options)
    return {one["date"]: one["restored"] for one in receipt["days"]}


def status(stores, clock):
    now_ms = clock.now_ms()
    found = verify_archive(
        AGENT, states=stores.states, archive=stores.archive, decisions=stores.decisions, now_ms=now_ms
    )
    return found.status


async def test_a_lost_table_of_decisions(stores, clock, archived):
    ids, _ = archived
    before = await DecisionLogger(AGENT, stores=stores, clock=clock).query_decisions()
    stores.decisions.erase(AGENT, dry_run=False)
    expected = {"2026-10-11": 1, "2026-10-20": 1}
    assert restored(stores, clock, dry_run=True) == expected
    assert stores.decisions.erase(AGENT, dry_run=True) == 0
    assert restored(stores, clock) == expected
    assert restored(stores, clock) == dict.fromkeys(expected, 0)
    logger = DecisionLogger(AGENT, stores=stores, clock=clock)
    assert await logger.query_decisions() == before
    assert restored(stores, clock, date(2026, 8, 12)) == {"2026-08-12": 1}
    chain = await logger.get_decision_chain(ids[1])
    assert {one["decision_id"] for one in chain} >= {ids[0], ids[2]}
    assert status(stores, clock) == "unchanged"
    clock.advance(86_400_000 * 100)  # restored decisions expire again
    assert restored(stores, clock, date(2026, 10, 11), dry_run=True) == {"2026-10-11": 1}


async def test_days_that_were_counted_while_they_were_lost(stores, clock, archived):
    stores.decisions.erase(AGENT, dry_run=False)
    logger = DecisionLogger(AGENT, stores=stores, clock=clock)
    await logger.log_decision("QUERY", {}, {}, timestamp=NOON - timedelta(days=60))
    roll_up_days(AGENT, NOON.date() - timedelta(days=1), stores)
    assert (await logger.analyze_decision_patterns())["total"]["count"] == 2
    restored(stores, clock)
    assert (await logger.analyze_decision_patterns())["total"]["count"] == 4
    clock.advance(2 * 3_600_000)
    roll_up_days(AGENT, NOON.date() - timedelta(days=1), stores)
    assert await logger.analyze_decision_patterns() == await logger.analyze_decision_patterns(exact=True)


async def test_a_lost_table_of_states_needs_a_head_that_was_noted(stores, clock, archived):
    ids, head = archived
    stores.decisions.erase(AGENT, dry_run=False)
    stores.states.erase(AGENT, dry_run=False)
    with pytest.raises(InvalidInput, match="pass the head that `agent-memory verify` printed"):
        restored(stores, clock)
    with pytest.raises(InvalidInput, match="has no manifest with the hash"):
        restored(stores, clock, head="0" * 64)
    assert restored(stores, clock, head=head) == {"2026-10-11": 1, "2026-10-20": 1}
    assert status(stores, clock) == "unchanged"
    assert stores.states.agents() == [AGENT]
    clock.advance(86_400_000)
    assert archive_due_days(AGENT, NOON.date(), stores)["postponed"] == []
    found = await DecisionLogger(AGENT, stores=stores, clock=clock).query_decisions()
    assert [one["decision_id"] for one in found] == ids[::-1]


async def test_a_table_of_states_from_a_backup_is_behind_the_archive(stores, clock, archived):
    _, head = archived
    stored = stores.states.get(AGENT, "ARCHIVE_CHAIN")
    first = stores.archive.manifest(AGENT, date(2026, 8, 12)).link()
    data = Chain(first).as_dict()
    stores.states.put(AGENT, "ARCHIVE_CHAIN", data, expected_version=stored.version, now_ms=clock.now_ms())
    assert status(stores, clock) == "changed"
    restored(stores, clock, head=head)
    assert status(stores, clock) == "unchanged"
    with pytest.raises(InvalidInput, match="the chain in the table does not lead to it"):
        restored(stores, clock, head=first.hash)


async def test_a_day_that_differs_from_its_seal_is_not_restored(stores, clock, archived):
    stores.decisions.erase(AGENT, dry_run=False)
    key = archive_file_key(AGENT, date(2026, 10, 11))
    stores.blobs.write(key, stores.blobs.read(archive_file_key(AGENT, date(2026, 10, 20))))
    with pytest.raises(Damaged, match="2026-10-11 differs from its seal"):
        restored(stores, clock)
    assert stores.decisions.erase(AGENT, dry_run=True) == 0
    assert restored(stores, clock, date(2026, 10, 20)) == {"2026-10-20": 1}
    with pytest.raises(NotFound, match="no archived decisions of 2026-10-12"):
        restored(stores, clock, date(2026, 10, 12))
    with pytest.raises(NotFound, match="there is no archive of other"):
        ArchiveRestore("other", stores, clock).run()


async def test_days_behind_a_gap_in_the_chain_are_named(stores, clock, archived):
    ids, _ = archived
    stores.decisions.erase(AGENT, dry_run=False)
    key = archive_manifest_key(AGENT, date(2026, 10, 11), 1)
    assert stores.blobs.read(key)
    stores.blobs.erase(key, dry_run=False)
    for dry_run in (True, False):
        with pytest.raises(Damaged, match="does not prove them: 2026-10-11; run"):
            restored(stores, clock, dry_run=dry_run)
    found = await DecisionLogger(AGENT, stores=stores, clock=clock).query_decisions(
        time_range=(NOON - timedelta(days=60), NOON)
    )
    assert [one["decision_id"] for one in found] == ids[2:]
