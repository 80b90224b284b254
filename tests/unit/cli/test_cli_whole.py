"""Nights, exports and forgetting from the command line."""

import json
import zipfile

import pytest

from agent_memory import DecisionLogger, MemoryManager
from agent_memory.cli import main, night, whole
from agent_memory.storage.factory import in_memory_stores

BUCKET = ["--bucket", "archive"]


@pytest.fixture
async def stores(clock, monkeypatch):
    """Stores that the commands open, with a decision and a memory of one agent."""
    stores = in_memory_stores(clock)
    memory = MemoryManager("hunter", stores=stores, clock=clock)
    await DecisionLogger("hunter", memory_manager=memory, clock=clock).log_decision("QUERY", {}, {})
    await memory.store_ltm("TEAMS_OWN", "rule", {"confidence": 0.5})
    for module in (night, whole):
        monkeypatch.setattr(module, "stores_of", lambda _prefix, _bucket: stores)
    return stores


def test_a_night_by_hand(stores, capsys):
    for _ in range(2):
        assert main(["night", "--date", "2026-11-20", *BUCKET]) == 0
        told = capsys.readouterr().out
        assert told.startswith("hunter  0 rows of evidence, 0 active patterns, 0 memories forgotten, 0 decisions arch")
    assert main(["night", "--date", "2026-11-20", "--agent", "other", "--json", *BUCKET]) == 0
    assert json.loads(capsys.readouterr().out)[0]["agent_id"] == "other"


def test_one_agent_that_fails_is_told_and_stops_no_other(stores, capsys):
    stores.blobs.write("evidence/agent_id=bad/evidence.parquet", b"no parquet at all")
    assert main(["night", "--date", "2026-11-20", "--agent", "bad", "--agent", "hunter", *BUCKET]) == 1
    bad, good = capsys.readouterr().out.splitlines()
    assert bad.startswith("bad  failed: ")
    assert good.startswith("hunter  0 rows")


def test_an_export_and_forgetting(stores, capsys, tmp_path):
    file = tmp_path / "hunter.zip"
    assert main(["export", str(file), "--agent", "hunter", "--memory-type", "TEAMS_OWN"]) == 0
    told = capsys.readouterr().out
    assert "         1  decisions\n         1  memories\n" in told
    assert set(zipfile.ZipFile(file).namelist()) == {
        f"{name}.jsonl" for name in ("decisions", "memories", "states", "short_term")
    }
    assert main(["forget", "--agent", "hunter"]) == 0
    assert "Nothing was erased: say --yes to do it." in capsys.readouterr().out
    assert stores.states.agents() == ["hunter"]
    assert main(["forget", "--agent", "hunter", "--yes", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["dry_run"] is False
    assert stores.states.agents() == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["night", *BUCKET], "Missing option '--date'"),
        (["night", "--date", "today", *BUCKET], "'today' is not a day"),
        (["night", "--date", "2026-11-20"], "'--bucket': is needed"),
        (["night", "--date", "2026-11-20", "--agent", "Bad!", *BUCKET], "agent_id: 'Bad!' is not usable"),
        (["export", "--agent", "hunter"], "Missing argument 'FILE'"),
        (["export", "nowhere/x.zip", "--agent", "hunter"], "there is no folder nowhere"),
        (["forget"], "Missing option '--agent'"),
        (["forget", "--agent", "hunter", "--all"], "No such option: --all"),
    ],
)
def test_unusable_options_are_one_line_and_exit_code_2(stores, monkeypatch, capsys, arguments, told):
    monkeypatch.delenv("AGENT_MEMORY_ARCHIVE_BUCKET", raising=False)
    assert main(arguments) == 2
    written = capsys.readouterr()
    assert (written.out, written.err.count("\n")) == ("", 1)
    assert told in written.err
