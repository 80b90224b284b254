"""`agent-memory trading tune` and `agent-memory trading page` on a saved memory, a paper state and a log."""

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from agent_memory import DecisionLogger, connect
from agent_memory.cli import main
from agent_memory.core.ids import decision_id_for
from tests.unit.trading_agents.paper_samples import Log, feed, paper_bars, write_csv
from trading_agents import TradingMemoryStore, WyckoffAgentWithMemory
from trading_agents.paper import PaperTrader, trade_on_paper
from trading_agents.paper.state_file import StateFile

START = datetime(2026, 1, 1, tzinfo=UTC)
SPRING = {"wyckoff": {"spring": True}}


@pytest.fixture
def saved(tmp_path):
    """The memory of an agent that voted on 150 springs and remembers what came of them."""
    clock = [0.0]
    memory = TradingMemoryStore(30 * 86_400, half_lives={"outcome": 1e9}, clock=lambda: clock[0])
    agent = WyckoffAgentWithMemory("Wyckoff", memory, explain=True)
    random = np.random.default_rng(5)
    for number in range(150):
        at = START + timedelta(hours=6 * number)
        clock[0] = at.timestamp()
        agent.act_with_memory("SPY", at, SPRING)
        clock[0] += 3600
        profit = float(random.choice([-2.5, 2.5]))
        agent.remember_outcome("SPY", decision_id_for("TRADE", at, str(number)), profit, 100.0, 101.0)
    memory.save(tmp_path / "memory.jsonl")
    return tmp_path / "memory.jsonl"


def test_tuning_a_saved_memory_names_every_half_life_with_its_interval(saved, capsys):
    assert main(["trading", "tune", "--memory", str(saved), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["trades"] == 150
    assert [one["half_life"] for one in found["half_lives"]][:2] == ["30 min", "1 h"]
    assert found["half_lives"][-1]["half_life"] == "never fades"
    assert len(found["chosen"]) == 8
    assert found["interval"][0] <= found["walk_forward"] <= found["interval"][1]
    assert main(["trading", "tune", "--memory", str(saved), "--half-lives", "2h,7d"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == found["verdict"] or lines[0].startswith(("No half-life", "Choosing"))
    assert lines[1] == "150 trades"
    assert [line.split("  ")[0] for line in lines[3:6]] == ["2 h", "7 d", "never fades"]


def test_the_page_has_contents_fading_and_recalls_with_what_came_of_them(saved, tmp_path, capsys):
    assert main(["trading", "page", "--memory", str(saved), "--out", str(tmp_path / "page.html")]) == 0
    assert capsys.readouterr().out == f"Page: {tmp_path / 'page.html'}\n"
    page = (tmp_path / "page.html").read_text()
    assert "<td>outcome</td><td>150</td><td>SPY</td>" in page
    assert "<td>setup_outcome</td><td>150</td>" in page
    votes = re.findall(r"<td>long</td><td>(0\.\d\d)</td><td>(0\.\d\d)</td><td>([^<]*)</td><td>([^<]*)</td>", page)
    assert len(votes) == 50
    assert {without for _, without, _, _ in votes} == {"0.70"}
    assert all("spring" in recalled for _, _, recalled, _ in votes)
    assert {profit for *_, profit in votes} <= {"+2.50", "-2.50"}
    assert "<polyline" in page
    assert "What other half-lives of outcomes would have done" in page
    assert not re.search(r"https?://|<script|\bnan\b", page)


async def paper_state(path):
    with StateFile(path) as file:
        await trade_on_paper(PaperTrader("paper"), feed(paper_bars(330)), Log(), file)


@pytest.mark.slow
def test_the_state_of_a_paper_trader_is_a_page_of_every_memory(tmp_path, capsys):
    asyncio.run(paper_state(tmp_path / "state"))
    assert main(["trading", "page", "--memory", str(tmp_path / "state"), "--out", str(tmp_path / "page.html")]) == 0
    page = (tmp_path / "page.html").read_text()
    assert [name for name in ("Hedge", "Liquidity", "Sentiment", "Wyckoff", "Markov", "account") if name in page] == [
        *("Hedge", "Liquidity", "Sentiment", "Wyckoff", "Markov", "account")
    ]
    capsys.readouterr()
    assert main(["trading", "tune", "--memory", str(tmp_path / "state")]) == 0
    assert capsys.readouterr().out.startswith("Nothing can be said from ")


def test_tuning_reads_the_trades_of_a_log(tmp_path, capsys):
    url = f"sqlite:///{tmp_path / 'memory.db'}"
    log = DecisionLogger("paper", stores=connect(url)).sync
    for number in range(12):
        at = datetime.now(UTC) - timedelta(hours=20 - number)
        decision_id = decision_id_for("TRADE", at, str(number))
        log.log_decision("TRADE", {"symbol": "SPY"}, {"signal": "long"}, decision_id=decision_id)
        log.log_outcome(
            decision_id, {"net_return": 0.01}, True, horizon="exit", timestamp=(at + timedelta(minutes=30)).isoformat()
        )
    assert main(["trading", "tune", "--agent", "paper", "--store", url, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["trades"], found["walk_forward"]) == (12, None)
    assert found["verdict"] == "Nothing can be said from 12 trades with an outcome: it takes 100."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tune"], "pass one of --memory, --agent and --bars"),
        (["tune", "--memory", "{saved}", "--agent", "a"], "pass one of --memory, --agent and --bars"),
        (["tune", "--memory", "{saved}", "--bars", "{other}"], "pass one of --memory, --agent and --bars"),
        (["tune", "--memory", "{saved}", "--options", "{other}"], "--options: needs --bars"),
        (["tune", "--bars", "{other}"], "other has no column 'open'"),
        (["tune", "--memory", "{saved}", "--half-lives", "7"], "'7' is not a duration such as 30m, 8h or 7d"),
        (["tune", "--memory", "{other}"], "other is neither a saved TradingMemoryStore nor the state of"),
        (["page", "--memory", "{other}", "--out", "x.html"], "other is neither a saved TradingMemoryStore"),
        (["page", "--memory", "{saved}", "--out", "/nowhere/x.html"], "cannot write /nowhere/x.html"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(arguments, message, saved, tmp_path, capsys):
    other = tmp_path / "other"
    other.write_text("none of that")
    assert main(["trading", *(one.format(saved=saved, other=other) for one in arguments)]) == 2
    output = capsys.readouterr()
    assert message in output.err
    assert output.out == ""


@pytest.mark.slow
def test_tuning_on_bars_says_what_every_half_life_of_every_kind_would_have_done(tmp_path, capsys):
    path = tmp_path / "bars.csv"
    write_csv(path, paper_bars(1_200))
    arguments = ["trading", "tune", "--bars", str(path), "--half-lives", "8h", "--costs-bp", "2"]
    assert main([*arguments, "--json"]) == 0
    output = capsys.readouterr()
    found = json.loads(output.out)
    assert found["bars"].startswith("bars.csv: CSV, 1,200 hourly bars")
    assert [one["kind"] for one in found["kinds"]][:2] == ["outcome", "level:kyle_lambda"]
    assert [one["half_life"] for one in found["kinds"][0]["half_lives"]] == ["8 h", "never fades"]
    assert main(arguments) == 0
    output = capsys.readouterr()
    assert output.err.splitlines()[0] == found["bars"]
    assert output.out.startswith(f"outcome, all agents:\n{found['kinds'][0]['verdict']}\n")
    said = sum(bool(one["chosen"]) for one in found["kinds"])
    assert output.out.splitlines()[-1].startswith(f"{said} verdicts at the 5% level")
