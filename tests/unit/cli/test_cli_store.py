"""Commands work on a file that `--store` or AGENT_MEMORY_URL names."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent_memory import DecisionLogger, MemoryManager
from agent_memory.cli import main

NOW = datetime.now(UTC)


@pytest.fixture
def url(tmp_path):
    """A file with decisions of the last forty days and a memory."""
    url = f"sqlite:///{tmp_path}/memory.db"
    log, memory = DecisionLogger("hunter", stores=url).sync, MemoryManager("hunter", stores=url).sync
    for age in (40, 2, 1):
        at = NOW - timedelta(days=age)
        decision_id = log.log_decision("QUERY", {"market": {"trend": "up"}}, {}, timestamp=at)
        log.log_outcome(decision_id, {"profit": 1.0}, success=True, timestamp=at)
    memory.store_ltm("PATTERN", "pump", {"confidence": 0.7})
    memory.store_stm("context:current", {"trend": "up"}, ttl_seconds=60)
    return url


def test_the_store_is_an_option_or_a_variable(url, capsys, monkeypatch):
    assert main(["decisions", "list", "--agent", "hunter", "--store", url]) == 0
    listed = capsys.readouterr().out
    assert listed.count("succeeded") == 3
    monkeypatch.setenv("AGENT_MEMORY_URL", url)
    assert main(["decisions", "list", "--agent", "hunter"]) == 0
    assert capsys.readouterr().out == listed
    assert main(["memories", "history", "--agent", "hunter", "--type", "PATTERN", "--id", "pump"]) == 0


@pytest.mark.slow
def test_the_nightly_job_runs_on_a_file_for_the_last_day(url, tmp_path, capsys):
    command = ["nightly", "run", "--store", url, "--json"]
    assert main(command) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    yesterday = NOW.date() - timedelta(days=1)
    assert (entry["agent_id"], entry["date"]) == ("hunter", yesterday.isoformat())
    archive = tmp_path / "memory.db-objects" / "decisions" / "agent_id=hunter"
    (day,) = archive.iterdir()
    assert {file.name for file in day.iterdir()} == {"decisions.parquet", "_manifest-0001.json"}
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out)[0]["missed_days"] == 0
    assert main(["verify", "--agent", "hunter", "--store", url]) == 0
    capsys.readouterr()
    assert main(["export", "--agent", "hunter", str(tmp_path / "hunter.zip"), "--store", url]) == 0


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--store", "https://abc.execute-api.us-east-1.amazonaws.com"], "is an HTTP API, which this does not use"),
        (["--store", "memory.db"], "is not the URL of a store"),
        (["--store", "sqlite:///no/such/folder/memory.db"], "does not exist; create it"),
    ],
)
def test_what_is_no_store_is_one_line_and_exit_code_2(arguments, error, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["nightly", "run", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert error in line
    assert list(tmp_path.iterdir()) == []


_HUNTER = ["--agent", "hunter"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["decisions", "list", *_HUNTER],
        ["decisions", "stats", *_HUNTER],
        ["memory", "recall", "whales", *_HUNTER],
        ["patterns", "list", *_HUNTER],
        ["learning", "status", *_HUNTER],
        ["nightly", "run"],
        ["nightly", "status"],
        ["archive", "verify", *_HUNTER],
        ["report", *_HUNTER, "--json"],
        ["export", "out.zip", *_HUNTER],
        ["forget", "--yes", *_HUNTER],
        ["push", "--to", "sqlite:///copy.db"],
        ["ui"],
    ],
    ids=" ".join,
)
def test_a_misspelled_file_is_an_error_and_not_an_empty_store(arguments, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([*arguments, "--store", "sqlite:///typo.db"]) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert f"there is no file {tmp_path / 'typo.db'}" in printed.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["decisions", "log", *_HUNTER, "--type", "QUERY", "--context", "{}"],
        ["memory", "put", *_HUNTER, "--type", "PATTERN", "--id", "p", "--data", "{}"],
    ],
)
def test_what_is_stored_first_creates_the_file(arguments, tmp_path):
    assert main([*arguments, "--store", f"sqlite:///{tmp_path}/memory.db"]) == 0
    assert (tmp_path / "memory.db").is_file()


def test_stored_text_neither_steers_the_terminal_nor_breaks_a_row(url, capsys):
    text = "red \x1b[31m\x9b2J \u202e\tback\nnext \N{WOMAN}\u200d\N{ROCKET} – עברית"
    escaped = "red \\u001b[31m\\u009b2J \\u202e\\u0009back\\nnext \N{WOMAN}\u200d\N{ROCKET} – עברית"
    MemoryManager("hunter", stores=url).sync.store_ltm("PATTERN", "hostile", {"description": text, "confidence": 0.5})
    where = [*_HUNTER, "--store", url]
    assert main(["patterns", "list", *where]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith(f"  {escaped}")
    assert main(["memory", "history", "--type", "PATTERN", "--id", "hostile", *where]) == 0
    assert "\x9b" not in capsys.readouterr().out
    assert main(["memory", "get", "--type", "PATTERN", "--id", "hostile", *where, "--json"]) == 0
    printed = capsys.readouterr().out
    assert "\x9b" not in printed
    assert json.loads(printed)["description"] == text
    assert main(["decisions", "show", "\x1b[31m", *where]) == 2
    assert "\x1b" not in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no full device")
def test_an_output_that_cannot_be_written_is_one_line_and_no_finding(url):
    command = [sys.executable, "-c", "from agent_memory.cli import run; run()", "decisions", "list", *_HUNTER]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*command, "--store", url], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "agent-memory: the output: No space left on device\n")


def test_an_interruption_while_packages_are_imported_is_one_line(monkeypatch, capsys):
    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("agent_memory.cli.needs_extra", interrupt)
    assert main([]) == 130
    assert capsys.readouterr().err == "agent-memory: interrupted\n"


def test_options_before_run_are_not_dropped_in_silence(capsys):
    assert main(["nightly", "--agent", "hunter", "run"]) == 2
    assert "write options after `run`" in capsys.readouterr().err
