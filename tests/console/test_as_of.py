"""Pages as of a time count nothing that became known later: no decision, no outcome, no change of one."""

import csv
import io

import pytest

from agent_memory import DecisionLogger, MemoryManager
from tests.console.data import AGENT, NOW, clock

DAY = "2026-11-12"
"""Eight days before `NOW`."""


@pytest.fixture
def ids(fresh):
    """Three decisions, each of which followed from the one before; the last was made after the day.

    The first one's outcome was a success on the day and is a failure now; those of the others came later.
    """
    assert NOW.isoformat().startswith("2026-11-20")

    def log(days_ago):
        return DecisionLogger(AGENT, stores=fresh, clock=clock(-24 * days_ago)).sync

    memory = MemoryManager(AGENT, stores=fresh, clock=clock(-24 * 11)).sync
    memory.store_ltm("PATTERN", "trend", {"description": "Trends go on"})
    made = []
    for days_ago in (10, 9, 5):
        reasoning = {"action": "buy", "source": "news"}
        options = {"memory_ids": ["trend"], "parent_ids": made[-1:]}
        made.append(log(days_ago).log_decision("TRADE", {"market": {"trend": "up"}}, reasoning, **options))
    log(9).log_outcome(made[0], {"pnl": 5}, success=True)
    log(2).log_outcome(made[0], {"pnl": -7}, success=False, amend=True)
    for one in made[1:]:
        log(2).log_outcome(one, {"pnl": 100}, success=True)
    return made


async def rows(client, path):
    response = await client.raw(f"/agents/{AGENT}{path}")
    assert response.status_code == 200, response.text
    return list(csv.DictReader(io.StringIO(response.text)))


def counts(row):
    return row["decisions"], row["with_outcome"], row["succeeded"]


async def test_how_decisions_did(writer, ids):
    (row,) = await rows(writer, f"/performance?as_of={DAY}&csv=types")
    assert counts(row) == ("2", "1", "1")
    for table in ("days", "contexts"):
        found = await rows(writer, f"/performance?as_of={DAY}&csv={table}")
        assert [sum(int(row[name]) for row in found) for name in ("decisions", "succeeded")] == [2, 1]
    now = await rows(writer, "/performance?csv=days")
    assert [counts(row) for row in now if row["date"] in ("2026-11-10", "2026-11-11", "2026-11-15")] == [
        ("1", "1", "0"),
        ("1", "1", "1"),
        ("1", "1", "1"),
    ]


async def test_what_memories_earned(writer, ids):
    (row,) = await rows(writer, f"/earnings?as_of={DAY}&csv=earnings")
    assert (row["decisions"], row["reward"], row["success_rate"]) == ("2", "5.0", "1.0")
    (row,) = [one for one in await rows(writer, "/earnings?csv=earnings") if one["memory_id"] == "trend"]
    assert (row["decisions"], row["reward"]) == ("3", "193.0")


async def test_what_was_decided_with_a_memory(writer, ids):
    (row,) = await rows(writer, f"/influence/trend?as_of={DAY}&csv=outcomes")
    assert counts(row) == ("2", "1", "1")
    found = await rows(writer, f"/influence/trend?as_of={DAY}&csv=decisions")
    assert [(one["decision_id"], one["success"]) for one in found] == [(ids[1], ""), (ids[0], "true")]
    (row,) = await rows(writer, "/influence/trend?csv=outcomes")
    assert counts(row) == ("3", "3", "2")
    page = await writer.page(f"/influence/trend?as_of={DAY}")
    assert "What was learned from these decisions" not in page.visible


async def test_the_chain_of_a_decision(writer, ids):
    found = await rows(writer, f"/decisions/{ids[1]}?as_of={DAY}&csv=chain")
    assert [(one["decision_id"], one["success"]) for one in found] == [(ids[0], "true")]
    now = {one["decision_id"]: one["success"] for one in await rows(writer, f"/decisions/{ids[1]}?csv=chain")}
    assert now[ids[0]] == "false"
    assert now[ids[2]] == "true"
    graph = await writer.raw(f"/agents/{AGENT}/decisions/{ids[1]}", params={"as_of": DAY})
    assert ids[2] not in graph.text


async def test_a_decision_that_was_made_later_was_not_known(writer, ids):
    page = await writer.page(f"/decisions/{ids[2]}?as_of={DAY}", status=404)
    assert "was made later" in page.visible
    assert await rows(writer, f"/decisions?text={ids[2]}&as_of={DAY}&csv=decisions") == []
    assert len(await rows(writer, f"/decisions?text={ids[1]}&as_of={DAY}&csv=decisions")) == 1


async def test_what_has_no_past_is_left_out_of_the_page_of_a_memory(writer, fresh, ids):
    MemoryManager(AGENT, stores=fresh, clock=clock()).sync.quarantine("trend", "a wrong clock")
    page = await writer.page(f"/memories/PATTERN/trend?as_of={DAY}")
    assert "a wrong clock" not in page.visible
    assert page.figures["access_count"] is None
    assert "Change it" not in page.visible
    assert "a wrong clock" in (await writer.page("/memories/PATTERN/trend")).visible
