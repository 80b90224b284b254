"""Short forms of the commands of this package; each runs in a process of its own, which may fork."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.embedded.workload import decision, outcome, stored

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="the writers are forked"),
]


@pytest.fixture
def folder():
    """A folder that every user may enter, which those of pytest are not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def run(module, *arguments):
    """The last line that a program of this package prints, as JSON."""
    command = [sys.executable, "-m", f"tests.embedded.{module}", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout.splitlines()[-1])


def test_nothing_is_lost_or_doubled_by_kills():
    result = run("kills", "--kills", 20)
    assert (result["lost"], result["doubled"], result["half_batches"], result["intact"]) == (0, 0, 0, True)
    assert result["acknowledged"] > 20


def test_processes_write_into_one_file_at_once():
    result = run("processes", "--processes", 4, "--decisions", 100, "--batch", 10)
    assert (result["failed"], result["missing"], result["doubled"], result["intact"]) == (0, 0, 0, True)


def test_a_full_disk_is_an_error_and_damages_nothing(folder):
    path = folder / "memory.db"
    result = run("limits", "fill", path, 600_000)
    for error in result["errors"]:
        assert error.startswith("Unavailable: ")
        assert "memory.db" in error
        assert "disk" in error
    assert len(result["errors"]) == 2
    assert result["readable"] == 10
    found = stored(path, "hunter")
    expected = {("one", number) for number in range(result["acknowledged"])}
    assert expected
    assert expected <= found.with_outcome
    assert len(found.decisions) <= len(expected) + 1
    assert found.is_intact
    assert (folder / "memory.db-objects" / "reports" / "one.json").read_bytes() == b"first"


def test_a_file_that_may_only_be_read_is_read_and_names_what_to_change(folder):
    from agent_memory import DecisionLogger
    from agent_memory.storage.factory import sqlite_stores

    path = folder / "memory.db"
    stores = sqlite_stores(path)
    log = DecisionLogger("hunter", stores=stores).sync
    log.log_decisions([decision("one", number) for number in range(3)])
    log.log_outcomes([outcome("one", number) for number in range(3)])
    stores.blobs.write("reports/one.json", b"first")
    stores.decisions._database.close()
    path.chmod(0o444)
    folder.chmod(0o555)
    before = path.read_bytes()
    result = run("limits", "read_only", path)
    folder.chmod(0o755)
    assert result["read"] == 3
    assert len(result["errors"]) == 4
    for error in result["errors"][:3]:
        assert error.startswith("Misconfigured: ")
        assert "memory.db" in error
        assert "read-only" in error
    assert "new.db cannot be opened" in result["errors"][3]
    assert path.read_bytes() == before
    assert (folder / "memory.db-objects" / "reports" / "one.json").read_bytes() == b"first"
