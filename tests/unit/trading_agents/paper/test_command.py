import asyncio
import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agent_memory import DecisionLogger
from agent_memory.cli import main, options
from agent_memory.core.clock import SystemClock
from agent_memory.storage.factory import in_memory_stores
from tests.unit.trading_agents.paper_samples import Log, feed, paper_bars, write_csv
from trading_agents.paper import PaperTrader, trade_on_paper


def recent_bars(count):
    """Hourly bars, of which the last has just ended."""
    bars, last = paper_bars(count), datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return [replace(bar, time=last - (count - n) * timedelta(hours=1)) for n, bar in enumerate(bars)]


@pytest.fixture
def stores(monkeypatch):
    stores = in_memory_stores(SystemClock())
    monkeypatch.setattr(options, "open_deployment", lambda *_: stores)
    return stores


async def logged(stores):
    decisions = await DecisionLogger("paper", stores=stores).query_decisions(limit=1_000)
    return {one["decision_id"]: (one["reasoning"], one["success"], one["context"]) for one in decisions}


async def uninterrupted(bars):
    stores = in_memory_stores(SystemClock())
    await trade_on_paper(PaperTrader("paper"), feed(bars), DecisionLogger("paper", stores=stores))
    return await logged(stores)


@pytest.mark.slow
@pytest.mark.parametrize("buffered", [False, True])
def test_two_starts_log_the_same_as_one(stores, tmp_path, capsys, buffered):
    bars, path = recent_bars(285), tmp_path / "bars.csv"
    arguments = ["paper", "--bars", str(path), "--agent", "paper", "--state", str(tmp_path / "state")]
    arguments += ["--buffer", str(tmp_path / "buffer")] if buffered else []
    write_csv(path, bars[:270])
    assert main(arguments) == 0
    assert capsys.readouterr().out.startswith("270 new bars; ")
    write_csv(path, bars[270:], header=False)
    assert main(arguments) == 0
    output = capsys.readouterr()
    assert output.out.startswith("15 new bars; ")
    continuing, progress, *_ = output.err.splitlines()
    assert continuing == f"Continuing after the bar of {bars[269].time:%Y-%m-%d %H:%M} UTC"
    assert progress.startswith(f"{bars[270].time:%Y-%m-%d %H:%M} UTC: 1 new bars, ")
    kept = asyncio.run(logged(stores))
    assert len(kept) == 35 * 6
    assert kept == asyncio.run(uninterrupted(bars))


def test_a_compressed_file_is_read(stores, tmp_path, capsys):
    plain, path = tmp_path / "bars.csv", tmp_path / "bars.csv.gz"
    write_csv(plain, recent_bars(5))
    path.write_bytes(gzip.compress(plain.read_bytes()))
    arguments = ["paper", "--bars", str(path), "--agent", "paper", "--state", str(tmp_path / "state")]
    assert main(arguments) == 0
    assert capsys.readouterr().out.startswith("5 new bars; ")
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"new_bars": 0, "trades": 0, "equity": 1.0}


GOOD = "timestamp,open,high,low,close\n2026-01-05,1,1,1,1\n"


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("timestamp,open,high,low,close\n", [], "agent-memory: Invalid value: bars.csv has no bars"),
        ("timestamp,open\n1,2", [], "agent-memory: Invalid value: bars.csv has no column 'open'"),
        (GOOD, ["--bar-seconds", "0"], "agent-memory: bar_seconds: 0.0 is not a number above 0"),
        ("x", ["--state", "nowhere/state"], "agent-memory: state: the folder nowhere does not exist"),
    ],
)
def test_errors_are_one_line(stores, tmp_path, capsys, monkeypatch, content, options, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bars.csv").write_text(content)
    assert main(["paper", "--bars", "bars.csv", "--agent", "paper", "--state", "state", *options]) == 2
    error = capsys.readouterr().err
    assert error.startswith(message)
    assert error.count("\n") == 1


@pytest.mark.slow
async def test_outcomes_and_parents_can_be_read_back(stores):
    await trade_on_paper(PaperTrader("paper"), feed(recent_bars(300)), DecisionLogger("paper", stores=stores))
    logger = DecisionLogger("paper", stores=stores)
    opened = await logger.query_decisions("TRADE", context_filter={"symbol": "SPY"}, limit=1_000)
    closed = [one for one in opened if one["outcome"] and "ended_by" in one["outcome"]]
    assert closed
    assert all(one["reasoning"]["action"] == "open" for one in closed)
    chain = await logger.get_decision_chain(closed[0]["decision_id"], depth=1)
    assert sum(one["relation"] == "ancestor" for one in chain) == 5
    by_source = await logger.analyze_decision_patterns("SIGNAL_GENERATION", group_by="reasoning.source")
    assert {one["group"]: one["count"] for one in by_source["groups"]} == dict.fromkeys(
        ["Hedge", "Liquidity", "Sentiment", "Wyckoff", "Markov"], 50
    )


async def test_the_fake_log_is_as_strict_as_the_store():
    log, bars = Log(), recent_bars(270)
    await trade_on_paper(PaperTrader("paper"), feed(bars), log)
    stores = in_memory_stores(SystemClock())
    await trade_on_paper(PaperTrader("paper"), feed(bars), DecisionLogger("paper", stores=stores))
    assert set(await logged(stores)) == set(log.decisions)
