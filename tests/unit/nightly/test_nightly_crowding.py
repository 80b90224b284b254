"""The nightly job says how many agents acted on one memory of a pool, and how alike they decided."""

import json
from datetime import date

import pytest

from agent_memory import InvalidInput, MemoryManager
from agent_memory.cli import app as cli
from agent_memory.core.clock import DAY_MS, FixedClock, day_start_ms, to_iso
from agent_memory.core.ids import decision_id_for
from agent_memory.decisions.log import DecisionLog
from agent_memory.nightly.crowding import report_crowding
from agent_memory.nightly.run import run_nightly_jobs
from agent_memory.storage.factory import in_memory_stores

DAY = date(2026, 7, 1)
NOON_MS = day_start_ms(DAY) + DAY_MS // 2


@pytest.fixture
def stores():
    return in_memory_stores(FixedClock(day_start_ms(DAY) + DAY_MS + 60_000))


def log(stores, agent, minute, memory_ids, direction="long"):
    at_ms = NOON_MS + minute * 60_000
    decision = {
        "decision_id": decision_id_for("SIGNAL_GENERATION", at_ms / 1000, f"{agent} {minute}"),
        "decision_type": "SIGNAL_GENERATION",
        "context": {"market": {"trend": "up"}},
        "reasoning": {"direction": direction},
        "memory_ids": memory_ids,
    }
    DecisionLog(agent, stores, stores.clock).log([decision])


def crowd(stores, agents=6):
    """Agents that act on a memory of a pool, and on memories of their own that have the same id everywhere."""
    MemoryManager("desk", stores=stores, clock=stores.clock).sync.store_ltm("PATTERN", "breakout", {"confidence": 0.9})
    for n in range(agents):
        own = MemoryManager(f"trader-{n}", stores=stores, clock=stores.clock).sync
        own.store_ltm("CONFIGURATION", "mine", {})
        log(stores, f"trader-{n}", n, ["breakout", "mine"])
    assert not [one for one in run_nightly_jobs(None, DAY, stores) if "error" in one]


def reader(stores, agent="desk", pools=()):
    return MemoryManager(agent, stores=stores, clock=stores.clock, pools=pools).sync


def test_the_job_reports_the_memory_that_all_act_on_alike(stores):
    crowd(stores)
    (found,) = reader(stores).crowding("2026-07-01")
    assert (found["agent_id"], found["date"], found["measured"]) == ("desk", "2026-07-01", True)
    assert found["memories"] == [
        {
            "memory_id": "breakout",
            "agents": 6,
            "decisions": 6,
            "start": to_iso(NOON_MS),
            "end": to_iso(NOON_MS + 5 * 60_000),
            "alike": 1.0,
            "alike_otherwise": None,
            "crowded": True,
        }
    ]
    own, pool = reader(stores, "trader-1", ["desk"]).crowding("2026-07-01")
    assert (own["memories"], pool) == ([], found)
    figures = report_crowding(DAY, stores.states.agents(), stores)  # again, with the same result
    assert (figures["agents"], figures["shared"], [one["memory_id"] for one in figures["crowded"]]) == (
        6,
        1,
        ["breakout"],
    )


def test_a_day_without_a_job_is_not_measured(stores):
    assert reader(stores).crowding("2026-07-01") == [
        {"agent_id": "desk", "date": "2026-07-01", "measured": False, "memories": []}
    ]
    with pytest.raises(InvalidInput, match="date"):
        reader(stores).crowding("yesterday")


def test_the_command_names_the_agents(stores, monkeypatch, capsys):
    monkeypatch.setattr("agent_memory.cli.options.open_deployment", lambda *_: stores)
    ask = ["crowding", "--date", "2026-07-01", "--bucket", "b"]
    assert cli.main(ask) == 0
    assert "no memory was acted on by several agents on 2026-07-01" in capsys.readouterr().out
    crowd(stores)
    assert cli.main(ask) == 1
    printed = capsys.readouterr().out
    assert "breakout  6 agents, 6 decisions" in printed
    assert "100 % alike, otherwise not comparable  crowded" in printed
    assert "trader-0, trader-1" in printed
    assert cli.main([*ask, "--json", "--agent", "trader-0", "--agent", "trader-1"]) == 0
    (memory,) = json.loads(capsys.readouterr().out)["memories"]
    assert (memory["agent_ids"], memory["crowded"]) == (["trader-0", "trader-1"], False)
