"""`agent-memory demo`: a short replay into a file, continued by a second run."""

import json
from datetime import UTC, datetime

import pytest

from agent_memory import DecisionLogger
from agent_memory.cli import main

pytestmark = pytest.mark.slow


def test_the_demo_replays_learns_and_reports_without_a_network(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--days", "2"]) == 0
    printed = capsys.readouterr().out
    assert "Success by market context" in printed
    assert "<html" in (tmp_path / "report.html").read_text(encoding="utf-8")
    listed = DecisionLogger("market-hunter", stores="sqlite:///demo.db").sync.query_decisions(limit=1_000)
    assert f"{len(listed)} decisions" in printed
    today = datetime.now(UTC).date().isoformat()
    days_over = {one["timestamp"][:10] for one in listed} - {today}
    assert f" {len(days_over)} nightly job" in printed
    assert main(["demo"]) == 0
    assert "Nothing new since the last run" in capsys.readouterr().out
    assert main(["demo", "--json"]) == 0
    output = capsys.readouterr()
    found = json.loads(output.out)
    assert (found["file"], found["page"]) == ("demo.db", "report.html")
    assert found["report"]["totals"]["decisions"] == len(listed)
    assert "Nothing new since the last run" in output.err


def test_what_cannot_work_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bars.csv").write_text("timestamp,open,high,low,close,volume\n2020-01-01,1,1,1,1,1\n")
    assert main(["demo", "--bars", "bars.csv"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "bars" in line
    assert main(["demo", "--output", "no/such/folder/report.html"]) == 2
    assert "name another file with --output" in capsys.readouterr().err
