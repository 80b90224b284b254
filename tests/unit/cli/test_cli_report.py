"""Reports of a deployment from the command line: from the stores, and over HTTP from a server."""

import asyncio
import json

import pytest

from agent_memory import DecisionLogger, MemoryManager
from agent_memory.cli import main, options
from agent_memory.storage.factory import in_memory_stores
from tests.http_events import call_routes
from tests.http_servers import http_server

AGENT = "market-hunter"


@pytest.fixture
async def stores(clock, monkeypatch):
    """The stores that the command opens, with a few judged signals."""
    stores = in_memory_stores(clock)
    await fill(stores, clock)
    monkeypatch.setattr(options, "open_deployment", lambda *_: stores)
    return stores


async def fill(stores, clock=None):
    logger = DecisionLogger(AGENT, memory_manager=MemoryManager(AGENT, stores=stores, clock=clock), clock=clock)
    for n in range(6):
        said = await logger.log_decision("SIGNAL_GENERATION", {}, {"source": "whales" if n % 2 else "news"})
        await logger.log_outcome(said, {}, success=n % 2 == 1)


def test_a_report_of_an_agent_is_written_as_a_page(stores, capsys, tmp_path):
    page = tmp_path / "report.html"
    assert main(["report", "--agent", AGENT, "--out", str(page)]) == 0
    assert capsys.readouterr().out == f"{page}: 6 decisions, 6 with an outcome, 0 active patterns\n"
    text = page.read_text()
    assert "6 of 6" not in text
    assert "whales" in text
    assert "Cost of a month" not in text, "nobody named templates"


def test_a_report_as_json(stores, capsys):
    assert main(["report", "--agent", AGENT, "--json", "--from", "2020-01-01T00:00:00Z"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(row["source"], row["success_rate"]) for row in found["success_by_source"]] == [
        ("whales", 1.0),
        ("news", 0.0),
    ]
    assert main(["report", "--agent", AGENT, "--json", "--to", "2020-01-01T00:00:00Z"]) == 0
    assert json.loads(capsys.readouterr().out)["totals"] == {"decisions": 0, "with_outcome": 0}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--out", "/nowhere/report.html"], "cannot write /nowhere/report.html"),
        ([], "--out"),
        (["--json", "--from", "yesterday"], "time_range/start"),
        (["--json", "--url", "api.example"], "has no scheme"),
    ],
)
def test_what_cannot_be_done_is_said_at_once(stores, capsys, arguments, says):
    assert main(["report", "--agent", AGENT, *arguments]) == 2
    assert says in capsys.readouterr().err


def test_a_report_names_the_stores_of_a_file(tmp_path, capsys):
    where = ["--agent", "hunter", "--store", f"sqlite:///{tmp_path}/memory.db"]
    assert main(["decisions", "log", "--type", "QUERY", "--context", "{}", *where]) == 0
    capsys.readouterr()
    assert main(["report", "--json", *where]) == 0
    levels = json.loads(capsys.readouterr().out)["levels"]
    assert [one["store"] for one in levels] == ["SQLite", "SQLite", "SQLite", "Parquet files"]


def test_a_report_over_http(capsys, tmp_path, monkeypatch, served):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session-token")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    asyncio.run(fill(served))
    page = tmp_path / "report.html"
    with http_server(call_routes) as url:
        assert main(["report", "--agent", AGENT, "--out", str(page), "--url", url]) == 0
    assert "6 decisions, 6 with an outcome" in capsys.readouterr().out
    assert "whales" in page.read_text()
