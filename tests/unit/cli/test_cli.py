"""The command line: exit codes, and one line per error."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from typer.main import get_command

from agent_memory.cli import main, options
from agent_memory.cli.app import app
from agent_memory.core.keys import ARCHIVE_CHAIN, archive_file_key
from agent_memory.model.seals import Chain
from agent_memory.storage.in_memory.blobs import InMemoryBlobs
from agent_memory.storage.parquet.archive import ParquetArchive
from tests.faults import FailingOnce
from tests.unit.archive.archives import AGENT, FIRST, sealed_archive

VERIFY = ["verify", "--agent", AGENT, "--bucket", "archive"]


@pytest.fixture(scope="module")
def sealed():
    return sealed_archive()[0]


@pytest.fixture
def stores(sealed, monkeypatch):
    """The stores that the command opens, with a copy of the archive that a test may change."""
    blobs = InMemoryBlobs()
    blobs._objects = dict(sealed.blobs._objects)
    opened = replace(sealed, blobs=blobs, archive=ParquetArchive(blobs))
    monkeypatch.setattr(options, "open_deployment", lambda *_: opened)
    return opened


def test_a_clean_archive(stores, capsys):
    assert main(VERIFY) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "hunter: 3 days, 36 decisions and 6 manifests checked; unchanged since sealed"
    head = Chain.from_state(stores.states.get(AGENT, ARCHIVE_CHAIN)).head.hash
    assert f"head: {head}" in printed


def test_findings_are_lines_and_json(stores, capsys):
    stores.blobs.erase(archive_file_key(AGENT, FIRST), dry_run=False)
    assert main(VERIFY) == 1
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "removed  2026-07-01: the file of 12 decisions is missing"
    assert printed[1].endswith("; 1 findings")
    assert main([*VERIFY, "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["clean"], answer["findings"][0]["kind"], answer["findings"][0]["day"]) == (
        False,
        "removed",
        "2026-07-01",
    )
    assert main([*VERIFY, "--from", str(FIRST + timedelta(days=1)), "--to", "2026-07-02"]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from", "2020-01-01", "--to", "2020-12-31"], "nothing to check"),
        (["--since", "2026-09-30"], "nothing to check"),
    ],
)
def test_a_range_without_days_is_not_reported_as_unchanged(stores, capsys, arguments, message):
    assert main([*VERIFY, *arguments]) == 2
    printed = capsys.readouterr().out
    assert message in printed
    assert "unchanged" not in printed
    assert main([*VERIFY, *arguments, "--json"]) == 2
    answer = json.loads(capsys.readouterr().out)
    assert (answer["status"], answer["clean"]) == ("nothing_checked", False)


def test_an_unknown_agent_is_an_error(stores, capsys):
    assert main(["verify", "--agent", "typo", "--bucket", "archive"]) == 2
    assert "there is no agent typo" in capsys.readouterr().err


def test_a_head_that_was_noted_has_to_be_in_the_chain(stores, capsys):
    head = Chain.from_state(stores.states.get(AGENT, ARCHIVE_CHAIN)).head.hash
    assert main([*VERIFY, "--head", head]) == 0
    assert main([*VERIFY, "--head", "0" * 64]) == 1
    assert "rolled_back  the chain does not contain the head 000" in capsys.readouterr().out
    assert main([*VERIFY, "--head", "soon"]) == 2
    assert "head: 'soon' is not a head" in capsys.readouterr().err


def test_a_store_that_does_not_answer_is_an_error(stores, monkeypatch, capsys):
    broken = replace(stores, archive=FailingOnce(stores.archive, "file", 0, after=False))
    monkeypatch.setattr(options, "open_deployment", lambda *_: broken)
    assert main(VERIFY) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "agent-memory: injected\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["audit"], "No such command 'audit'"),
        (["verify"], "Missing option '--agent'"),
        (["verify", "--agent", "No Agent"], "'--agent': 'No Agent' is invalid"),
        (["verify", "--agent", "a", "--from", "soon"], "'--from': 'soon' is not a date; write it as 2026-11-20"),
        ([*VERIFY, "--from", "2026-01-02", "--to", "2026-01-01"], "'--to': is before --from"),
        (["verify", "--agent", "a"], "'--bucket': is needed; or set AGENT_MEMORY_ARCHIVE_BUCKET"),
        (["verify", "--agnet", "a"], "No such option: --agnet"),
        (VERIFY, "You must specify a region"),
    ],
)
def test_an_error_is_one_line(arguments, message, monkeypatch, capsys):
    for name in ("AGENT_MEMORY_ARCHIVE_BUCKET", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert message in printed.err
    assert printed.err.startswith("agent-memory: ")
    assert printed.err.count("\n") == 1


def test_every_option_of_every_command_has_a_help_text():
    for name, command in get_command(app).commands.items():
        assert command.help, name
        assert all(getattr(one, "help", "") for one in command.params), name
