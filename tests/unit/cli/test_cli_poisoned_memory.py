"""The commands of the runbook for poisoned memory."""

import json

import pytest

from agent_memory import DecisionLogger, MemoryManager
from agent_memory.cli import main, options
from agent_memory.core.clock import parse_date
from agent_memory.memory.learning_controls import read_controls
from agent_memory.memory.long_term import LongTermMemory
from agent_memory.nightly.consolidation import consolidate
from agent_memory.storage.factory import in_memory_stores

HUNTER = ["--agent", "hunter"]
WHALES = [*HUNTER, "--type", "PATTERN", "--id", "whales"]
BY = ["--by", "alice", "--reason", "poisoned"]


@pytest.fixture
async def stores(clock, monkeypatch):
    """An agent with a memory that an intruder has changed, and two decisions, of which one is based on it."""
    stores = in_memory_stores(clock)
    memory = MemoryManager("hunter", stores=stores, clock=clock)
    logger = DecisionLogger("hunter", memory_manager=memory, clock=clock)
    await memory.store_ltm("PATTERN", "whales", {"text": "follow", "confidence": 0.7})
    LongTermMemory("hunter", stores.memories, clock, writer="intruder").put("PATTERN", "whales", {"text": "sell all"})
    based = await logger.log_decision("QUERY", {}, {}, memory_ids=["whales"], timestamp="2026-11-19T10:00:00Z")
    await logger.log_outcome(based, {}, success=True)
    await logger.log_decision("QUERY", {}, {}, timestamp="2026-11-19T11:00:00Z")
    monkeypatch.setattr(options, "open_deployment", lambda *_: stores)
    return stores


def test_the_history_names_author_reason_and_what_changed(stores, capsys):
    assert main(["memories", "history", *WHALES]) == 0
    printed = capsys.readouterr().out
    assert "version 1 by hunter: no reason given" in printed
    assert "version 2 by intruder" in printed
    assert 'text: "follow" -> "sell all"' in printed
    assert main(["memories", "history", *WHALES, "--json"]) == 0
    assert [one["version"] for one in json.loads(capsys.readouterr().out)["changes"]] == [1, 2]


def test_changes_are_found_by_author_and_time(stores, capsys):
    assert main(["memories", "changes", *HUNTER, "--author", "intruder"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("PATTERN whales  2026-11-20T12:00:00.000Z  version 2 by intruder")
    assert main(["memories", "changes", *HUNTER, "--to", "2026-11-20T12:00:00Z"]) == 0
    assert capsys.readouterr().out == "no changes\n"
    assert main(["memories", "changes", *HUNTER, "--from", "2026-11-20T12:00:00Z", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["changes"]) == 2


def test_a_memory_is_reverted_and_removed_and_brought_back(stores, capsys):
    def current():
        return stores.memories.get("hunter", "PATTERN", "whales")

    assert main(["memories", "revert", *WHALES, "--version", "1", *BY]) == 0
    assert "is at version 3, with the content of version 1" in capsys.readouterr().out
    assert (current().data, current().confidence, current().changed_by) == ({"text": "follow"}, 0.7, "alice")
    assert main(["memories", "remove", *WHALES, *BY]) == 0
    assert current() is None
    assert main(["memories", "revert", *WHALES, "--version", "1", *BY]) == 0
    assert current().data == {"text": "follow"}
    assert main(["memories", "history", *WHALES]) == 0
    assert "removed by alice: poisoned" in capsys.readouterr().out


def test_decisions_based_on_a_memory_are_listed_and_excluded(stores, capsys):
    assert main(["decisions", "list", *HUNTER, "--memory", "whales"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("2026-11-19T10:00:00.000Z  QUERY  ")
    assert line.endswith("succeeded  based on whales")
    based = line.split()[2]
    assert main(["decisions", "exclude", *HUNTER, "--memory", "whales", *BY]) == 0
    assert capsys.readouterr().out.startswith("exclusion 1: 1 decisions by their ids, by alice at 2026-11-20T12:00")
    assert main(["decisions", "exclude", *HUNTER, "--from", "2026-11-19T00:00:00Z", "--type", "QUERY", *BY]) == 0
    assert main(["decisions", "exclusions", *HUNTER]) == 0
    assert "exclusion 2: QUERY decisions from 2026-11-19T00:00:00.000Z, by alice" in capsys.readouterr().out
    assert main(["decisions", "include", *HUNTER, "--exclusion", "2", "--by", "bob"]) == 0
    (left,) = read_controls(stores.states, "hunter").exclusions
    assert left.decision_ids == {based}
    assert main(["decisions", "list", *HUNTER, "--json"]) == 0  # the decisions themselves are still there
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_a_memory_is_quarantined_and_released(stores, capsys):
    whales = [*HUNTER, "--id", "whales"]
    assert main(["memories", "influence", *whales]) == 0
    printed = capsys.readouterr().out
    assert "2026-11-19T10:00:00.000Z  QUERY  " in printed
    assert "QUERY: 1 decisions based on whales, 1 of 1 with an outcome succeeded" in printed
    assert main(["memories", "influence", *whales, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["decisions"]) == 1
    assert main(["memories", "quarantine", *whales, "--reader", "trader", *BY]) == 0
    printed = capsys.readouterr().out
    assert "whales is quarantined for hunter by alice since 2026-11-20T12:00:00.000Z (PATTERN)" in printed
    assert "whales is quarantined for trader by alice" in printed
    assert "run the nightly job to learn again" in printed
    assert stores.memories.get("hunter", "PATTERN", "whales") is None
    assert read_controls(stores.states, "hunter").excludes("x", "QUERY", 0, ("whales",))
    assert main(["memories", "quarantines", *HUNTER]) == 0
    assert capsys.readouterr().out == "whales  by alice at 2026-11-20T12:00:00.000Z: poisoned\n"
    assert main(["memories", "history", *WHALES]) == 0
    assert "removed by alice: poisoned" in capsys.readouterr().out
    assert main(["memories", "release", *whales, "--reader", "trader", *BY]) == 0
    assert "whales is not quarantined for hunter any more" in capsys.readouterr().out
    assert stores.memories.get("hunter", "PATTERN", "whales").data == {"text": "sell all"}
    assert main(["memories", "quarantines", *HUNTER]) == 0
    assert capsys.readouterr().out == "nothing is quarantined\n"


def test_learning_is_paused_resumed_and_rebuilt(stores, clock, capsys):
    assert main(["learning", "pause", *HUNTER, *BY]) == 0
    assert main(["learning", "status", *HUNTER]) == 0
    assert capsys.readouterr().out.count("paused by alice since 2026-11-20T12:00:00.000Z: poisoned") == 2
    assert main(["learning", "resume", *HUNTER, "--by", "alice"]) == 0
    day = "2026-11-19"
    assert main(["learning", "rebuild", *HUNTER, "--since", day, "--bucket", "b", *BY]) == 2
    assert "since: 2026-11-19 was not learned yet" in capsys.readouterr().err
    consolidate("hunter", parse_date(day), stores)
    assert main(["learning", "rebuild", *HUNTER, "--since", day, "--bucket", "b", *BY, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["learned_through"] == "2026-11-18"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["memories", "history", *HUNTER, "--type", "PATTERN", "--id", "typo"], "hunter never had a PATTERN typo"),
        (["memories", "revert", *WHALES, "--version", "9", *BY], "has no version 9 of PATTERN whales; it has: 1, 2"),
        (["memories", "remove", *HUNTER, "--type", "PATTERN", "--id", "typo", *BY], "hunter has no PATTERN typo"),
        (["memories", "release", *HUNTER, "--id", "whales", *BY], "hunter has no memory whales that is quarantined"),
        (["memories", "quarantine", *HUNTER, "--id", "no id", *BY], "memory_id: 'no id'"),
        (["memories", "remove", *WHALES], "Missing option '--reason'"),
        (["memories", "changes", *HUNTER, "--from", "2026-11-19"], "from: the time has no offset"),
        (["decisions", "list", *HUNTER, "--to", "now"], "time_range/end: 'now' is not an ISO 8601 time"),
        (["decisions", "exclude", *HUNTER, *BY], "--from: is needed, or --memory or --decision"),
        (["decisions", "exclude", *HUNTER, "--memory", "typo", *BY], "no decision in this time that names the memory"),
        (["decisions", "exclude", *HUNTER, "--decision", "x", "--type", "QUERY", *BY], "cannot be combined"),
        (["decisions", "include", *HUNTER, "--exclusion", "3", "--by", "bob"], "hunter has no exclusion 3"),
        (["learning", "pause", *HUNTER, "--by", "alice", "--reason", ""], "reason: has 0 characters"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_changes_nothing(stores, capsys, arguments, message):
    before = stores.states.list_by_prefix("hunter", "")
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert message in printed.err
    assert stores.states.list_by_prefix("hunter", "") == before
    assert stores.memories.get("hunter", "PATTERN", "whales").version == 2
