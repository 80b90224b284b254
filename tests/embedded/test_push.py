"""`agent-memory push`: everything arrives, whatever was killed, and both sides are compared."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from agent_memory import DecisionLogger, InvalidInput, MemoryManager
from agent_memory.admin.push import Pace, stored_agents
from agent_memory.cli import main
from agent_memory.storage.store_urls import stores_at
from tests.embedded.push import AGENT, POOL, content, expired, fill, push


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A file with an agent and a pool, which tests only read."""
    path = tmp_path_factory.mktemp("source") / "first.db"
    fill(f"sqlite:///{path}", decisions=400, memories=20)
    return path


@pytest.mark.slow
def test_a_killed_push_continues_and_both_files_are_equal_row_by_row(source, tmp_path):
    first, between, last = f"sqlite:///{source}", f"sqlite:///{tmp_path}/between.db", f"sqlite:///{tmp_path}/last.db"
    receipts = push(first, between, kills=3, every=200)
    assert stored_agents(stores_at(between)) == [POOL, AGENT]
    assert [(one["agent_id"], one["equal"], one["conflicts"]) for one in receipts] == [
        (AGENT, True, []),
        (POOL, True, []),
    ]
    push(between, last, kills=2, every=300)
    gone = expired(source)
    assert content(tmp_path / "between.db", gone) == content(source, gone)
    assert content(tmp_path / "last.db", gone) == content(source, gone)
    again = push(first, last)
    assert {status for one in again for counts in one["counts"].values() for status in counts} <= {
        "unchanged",
        "in_archive",
    }


@pytest.mark.slow
@pytest.mark.local_cloud
def test_a_push_into_the_cloud_and_back_loses_nothing(source, local_cloud, tmp_path, monkeypatch):
    for name, value in local_cloud.environment().items():
        monkeypatch.setenv(name, value)
    outputs = local_cloud.outputs
    cloud = f"aws://{outputs['TablePrefix']}?archive_bucket={outputs['ArchiveBucketName']}"
    for one in push(f"sqlite:///{source}", cloud, kills=2, every=150):
        assert one["equal"], one["differences"]
    receipts = push(cloud, f"sqlite:///{tmp_path}/last.db", kills=1, every=150)
    assert all(one["equal"] for one in receipts)
    gone = expired(source)
    assert content(tmp_path / "last.db", gone) == content(source, gone)


@pytest.fixture
def urls(tmp_path):
    """Two files, of which the first has an agent with a decision, an outcome and a memory."""
    first, second = (f"sqlite:///{tmp_path}/{name}.db" for name in ("first", "second"))
    log = DecisionLogger("hunter", stores=first).sync
    made = log.log_decision("QUERY", {}, {}, timestamp=datetime.now(UTC) - timedelta(hours=1))
    log.log_outcome(made, {"profit": 1.0}, success=True)
    MemoryManager("hunter", stores=first).sync.store_ltm("PATTERN", "pump", {"confidence": 0.5})
    return first, second, made


def test_the_command_prints_and_writes_a_receipt(urls, tmp_path, capsys):
    first, second, _ = urls
    command = ["push", "--store", first, "--to", second]
    assert main([*command, "--dry-run"]) == 0
    assert "nothing was written" in capsys.readouterr().out
    assert stored_agents(stores_at(second)) == []
    assert main([*command, "--receipt", str(tmp_path / "receipt.json")]) == 0
    assert "hunter  equal: 1 days compared" in capsys.readouterr().out
    (receipt,) = json.loads((tmp_path / "receipt.json").read_text())["agents"]
    assert receipt["source"] == receipt["target"]
    assert receipt["target"]["decisions"]["items"] == 1


def test_what_cannot_be_read_is_no_proof_that_both_are_equal(urls, tmp_path, capsys):
    first, second, made = urls
    with sqlite3.connect(tmp_path / "first.db") as connection:
        connection.execute("UPDATE decisions SET content = '{broken'")
    connection.close()
    for command in (["push", "--to", second], ["push", "--to", second, "--dry-run"], ["export", f"{tmp_path}/a.zip"]):
        assert main([*command, "--agent", "hunter", "--store", first]) == 1
        assert f"missing  {made}" in capsys.readouterr().out
    assert main(["push", "--store", first, "--to", second, "--json"]) == 1
    (receipt,) = json.loads(capsys.readouterr().out)["agents"]
    assert (receipt["complete"], receipt["equal"], receipt["differences"]) == (False, False, [])
    assert main(["import", f"{tmp_path}/a.zip", "--agent", "hunter", "--store", f"sqlite:///{tmp_path}/third.db"]) == 1
    assert f"not imported  {made}" in capsys.readouterr().out


def test_what_differs_afterwards_is_named_by_kind_and_day(urls, capsys):
    first, second, made = urls
    assert main(["push", "--store", first, "--to", second]) == 0
    DecisionLogger("hunter", stores=second).sync.log_outcome(made, {}, success=False, horizon="exit")
    capsys.readouterr()
    assert main(["push", "--store", first, "--to", second, "--json"]) == 1
    (receipt,) = json.loads(capsys.readouterr().out)["agents"]
    day = (datetime.now(UTC) - timedelta(hours=1)).date().isoformat()
    assert receipt["differences"] == [{"kind": "decisions", "day": day, "source": 1, "target": 1}]
    assert receipt["counts"]["decisions"] == {"newer": 1}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--to", "nowhere"], "is not the URL of a store"),
        (["--to", "https://abc.execute-api.us-east-1.amazonaws.com"], "is an HTTP API, which this does not use"),
        (["--to", "sqlite:///second.db", "--agent", "typo"], "there is no agent typo to copy"),
        (["--to", "sqlite:///second.db", "--rate", "0"], "rate: 0.0 is not a number above 0"),
        (
            ["--to", "sqlite:///second.db", "--receipt", "no/such/receipt.json"],
            "--receipt: cannot write no/such",
        ),
        ([], "Missing option '--to'"),
    ],
)
def test_what_cannot_be_pushed_is_one_line(urls, options, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["push", "--store", urls[0], *options]) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert message in printed.err


def test_a_store_is_not_pushed_into_itself(urls, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link.db").symlink_to("first.db")
    for same in (urls[0], "sqlite:///first.db", "sqlite:///./first.db", "sqlite:///link.db"):
        assert main(["push", "--store", urls[0], "--to", same]) == 2
        assert "--to: is the store to copy from" in capsys.readouterr().err


def test_items_are_let_through_at_a_pace():
    waits, now = [], [100.0]

    def sleep(seconds):
        waits.append(seconds)
        now[0] += seconds

    pace = Pace(4, sleep, lambda: now[0])
    for _ in range(5):
        pace.wait()
    assert sum(waits) == pytest.approx(1.0)
    with pytest.raises(InvalidInput, match="rate: -1 is not a number above 0"):
        Pace(-1)
