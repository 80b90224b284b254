"""Nightly jobs, exports and erasure from the command line."""

import errno
import json
import zipfile
from pathlib import Path

import pytest

from agent_memory import DecisionLogger, MemoryManager
from agent_memory.cli import main, options
from agent_memory.storage.factory import in_memory_stores
from agent_memory.storage.sqlite.stores import sqlite_stores

BUCKET = ["--bucket", "archive"]


@pytest.fixture
async def stores(clock, monkeypatch):
    """The stores that the commands open, with a decision and a memory of one agent."""
    stores = in_memory_stores(clock)
    memory = MemoryManager("hunter", stores=stores, clock=clock)
    await DecisionLogger("hunter", memory_manager=memory, clock=clock).log_decision("QUERY", {}, {})
    await memory.store_ltm("TEAMS_OWN", "rule", {"confidence": 0.5})
    monkeypatch.setattr(options, "open_deployment", lambda *_: stores)
    return stores


@pytest.mark.parametrize("command", ["nightly", "night"])
def test_the_nightly_job_by_hand(stores, capsys, command):
    for _ in range(2):
        assert main([command, "--date", "2026-11-19", *BUCKET]) == 0
        printed = capsys.readouterr().out
        assert printed.startswith("hunter  0 rows of evidence, 0 active patterns, 0 memories pruned, 0 decisions arch")
    assert main([command, "--date", "2026-11-19", "--agent", "hunter", "--json", *BUCKET]) == 0
    assert json.loads(capsys.readouterr().out)[0]["agent_id"] == "hunter"


def test_a_misspelled_agent_is_an_error_and_does_not_stop_the_others(stores, capsys):
    assert main(["nightly", "--date", "2026-11-19", "--agent", "typo", "--agent", "hunter", *BUCKET]) == 1
    good, unknown = capsys.readouterr().out.splitlines()
    assert good.startswith("hunter  0 rows")
    assert unknown.startswith("typo  failed: there is no such agent")
    assert stores.states.list_by_prefix("typo", "") == []


def test_an_agent_that_fails_is_reported_and_does_not_stop_the_others(stores, capsys):
    stores.states.register("bad", ["QUERY"], 1, 0)
    stores.blobs.write("evidence/agent_id=bad/evidence.parquet", b"not a Parquet file")
    assert main(["nightly", "--date", "2026-11-19", "--agent", "bad", "--agent", "hunter", *BUCKET]) == 1
    bad, good = capsys.readouterr().out.splitlines()
    assert bad.startswith("bad  failed: ")
    assert good.startswith("hunter  0 rows")


def test_a_day_that_has_not_ended_is_refused(stores, capsys):
    for arguments in ([], ["--agent", "hunter"]):
        assert main(["nightly", "--date", "2026-11-20", *arguments, *BUCKET]) == 2
        printed = capsys.readouterr()
        assert printed.err.startswith("agent-memory: date: 2026-11-20 has not ended yet (UTC)")
        assert printed.out == ""
    assert stores.states.list_by_prefix("hunter", "") == []


def test_an_export_of_an_unknown_agent_is_refused(stores, capsys, tmp_path):
    assert main(["export", str(tmp_path / "typo.zip"), "--agent", "typo"]) == 2
    assert "there is no agent typo" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_export_and_forget(stores, capsys, tmp_path):
    file = tmp_path / "hunter.zip"
    assert main(["export", str(file), "--agent", "hunter", "--memory-type", "TEAMS_OWN"]) == 0
    printed = capsys.readouterr().out
    assert "         1  decisions\n         1  memories\n" in printed
    lines = {f"{name}.jsonl" for name in ("decisions", "memories", "states", "short_term")}
    assert set(zipfile.ZipFile(file).namelist()) == lines | {"export.json"}
    assert main(["forget", "--agent", "hunter"]) == 0
    assert "Nothing was erased; add --yes to erase." in capsys.readouterr().out
    assert stores.states.agents() == ["hunter"]
    assert main(["forget", "--agent", "hunter", "--yes", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["dry_run"] is False
    assert stores.states.agents() == []


@pytest.mark.parametrize("name", ["", ".", "folder", "memory.db", "notes.txt", "/dev/null", f"{'x' * 300}.zip"])
def test_an_export_replaces_nothing_but_an_export(stores, capsys, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    sqlite_stores(tmp_path / "memory.db")
    (tmp_path / "notes.txt").write_text("mine")
    before = {one: one.read_bytes() for one in tmp_path.iterdir() if one.is_file()}
    assert main(["export", name, "--agent", "hunter"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert {one: one.read_bytes() for one in tmp_path.iterdir() if one.is_file()} == before
    assert Path("/dev/null").is_char_device()


def test_an_export_that_cannot_be_written_is_one_line_and_leaves_no_file(stores, capsys, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", fail)
    assert main(["export", str(tmp_path / "hunter.zip"), "--agent", "hunter"]) == 2
    assert capsys.readouterr().err.endswith("hunter.zip cannot be written: No space left on device\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [["report", "--out"], ["push", "--to", "sqlite:///copy.db", "--receipt"]])
def test_a_database_is_not_replaced_by_what_a_command_writes(capsys, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    sqlite_stores(tmp_path / "memory.db").states.register("hunter", ["QUERY"], 1, 0)
    assert main([*command, "memory.db", "--agent", "hunter", "--store", "sqlite:///memory.db"]) == 2
    assert f"{command[-1]}: memory.db is a SQLite database; name another file" in capsys.readouterr().err
    assert sqlite_stores(tmp_path / "memory.db").states.agents() == ["hunter"]


async def test_an_export_is_imported_again(stores, capsys, tmp_path):
    file = tmp_path / "hunter.zip"
    assert main(["export", str(file), "--agent", "hunter"]) == 0
    assert main(["forget", "--agent", "hunter", "--yes"]) == 0
    capsys.readouterr()
    assert main(["import", str(file), "--agent", "hunter", "--dry-run"]) == 0
    printed = capsys.readouterr().out
    assert "decisions   1 created\nmemories    1 created\n" in printed
    assert printed.endswith("Nothing was written; leave out --dry-run to import.\n")
    assert stores.states.agents() == []
    assert main(["import", str(file), "--agent", "hunter", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["counts"]["memories"] == {"created": 1}
    await MemoryManager("hunter", stores=stores).store_ltm("TEAMS_OWN", "rule", {"confidence": 0.6})
    assert main(["import", str(file), "--agent", "hunter"]) == 0
    await MemoryManager("other", stores=stores).store_ltm("TEAMS_OWN", "rule", {"confidence": 0.6})
    assert main(["forget", "--agent", "hunter", "--yes"]) == 0
    await MemoryManager("hunter", stores=stores).store_ltm("TEAMS_OWN", "rule", {"confidence": 0.6})
    capsys.readouterr()
    assert main(["import", str(file), "--agent", "hunter"]) == 1
    assert "conflicts  memories: TEAMS_OWN rule: version 1 is stored with other" in capsys.readouterr().out
    assert main(["import", str(file), "--agent", "other"]) == 2
    assert "it is 'hunter', not 'other'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["import", "nowhere.zip", "--agent", "hunter"], "'FILE': file 'nowhere.zip' does not exist"),
        (["nightly", *BUCKET], "Missing option '--date'"),
        (["nightly", "--date", "today", *BUCKET], "'today' is not a date"),
        (["nightly", "--date", "2026-11-19"], "'--bucket': is needed"),
        (["nightly", "--date", "2026-11-19", "--agent", "Bad!", *BUCKET], "'--agent': 'Bad!' is invalid"),
        (["export", "--agent", "hunter"], "Missing argument 'FILE'"),
        (["export", "nowhere/x.zip", "--agent", "hunter"], "there is no folder nowhere"),
        (["forget"], "Missing option '--agent'"),
        (["forget", "--agent", "hunter", "--all"], "No such option: --all"),
    ],
)
def test_an_invalid_option_is_one_line_and_exit_code_2(stores, monkeypatch, capsys, arguments, message):
    monkeypatch.delenv("AGENT_MEMORY_ARCHIVE_BUCKET", raising=False)
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert message in printed.err
