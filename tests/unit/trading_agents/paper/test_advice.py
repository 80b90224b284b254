"""A paper trader with an adviser follows its advice, and decides a bar again by the advice that it had."""

import asyncio

import pytest

from agent_memory import DecisionLogger, InvalidInput, MemoryManager, Unavailable, connect
from agent_memory.cli import main
from tests.unit.trading_agents.paper.test_command import recent_bars
from tests.unit.trading_agents.paper_samples import Killed, feed, paper_bars, write_csv
from trading_agents.paper import PaperSettings, PaperTrader, StateFile, trade_on_paper

BARS = paper_bars(258)
ADVISED = PaperSettings(advice=True)


class Adviser:
    """Expects the same rate of every option."""

    def __init__(self, rate=0.6, fails_at=None):
        self.rate, self.fails_at, self.questions = rate, fails_at, []

    def advise(self, decision_type, context, options, *, choice=None):
        self.questions.append((decision_type, dict(context), tuple(options), choice))
        if len(self.questions) == self.fails_at:
            raise Unavailable("no answer")
        low = self.rate - 0.01
        return {
            "options": [
                {"option": one, "expected": self.rate, "interval": [low, low + 0.02], "is_prior": False, "more": 1}
                for one in options
            ],
            "memory_ids": ["ESTIMATE#1"],
        }


class Records:
    """Keeps what is logged, and can end the process."""

    def __init__(self):
        self.decisions, self.dies = {}, False

    async def log_decision(self, decision_type, context, reasoning, *, decision_id, **more):
        if self.dies:
            raise Killed
        content = (decision_type, context, reasoning, more)
        assert self.decisions.setdefault(decision_id, content) == content
        return decision_id

    async def log_outcome(self, *_, **__):
        return None


async def trade(adviser, bars=BARS, settings=ADVISED, log=None):
    log = log or Records()
    trader = PaperTrader("paper", settings, adviser=adviser)
    await trade_on_paper(trader, feed(bars), log)
    return log.decisions


def votes(decisions):
    return {key: one for key, one in decisions.items() if one[0] == "SIGNAL_GENERATION"}


async def test_votes_for_a_direction_follow_advice_and_name_their_memories():
    plain, advised = votes(await trade(None, settings=PaperSettings())), votes(await trade(Adviser(0.6)))
    assert plain.keys() == advised.keys()
    followed = 0
    for key, (_, context, reasoning, more) in plain.items():
        _, other_context, other, other_more = advised[key]
        assert other["signal"] == reasoning["signal"] == other["direction"]
        assert {"agent", "setup"} <= other_context.keys() - context.keys()
        assert other["agent"] == other["source"] == other_context["agent"]
        assert "memory_ids" not in more
        if reasoning["signal"] != "neutral":
            followed += other["confidence"] > reasoning["confidence"]
            assert other_more["memory_ids"] == ["ESTIMATE#1"]
    assert followed > 3


async def test_agents_and_composer_are_asked_once_a_bar():
    adviser = Adviser()
    await trade(adviser)
    composed = [one for one in adviser.questions if one[3] == "reasoning.agent"]
    assert len(composed) == len(BARS) - 250
    assert composed[0][2] == ("Hedge", "Liquidity", "Sentiment", "Wyckoff", "Markov")
    assert {one[3] for one in adviser.questions} == {"reasoning.agent", "reasoning.direction"}


async def test_without_an_adviser_nothing_is_asked_and_nothing_more_is_logged():
    adviser = Adviser()
    decisions = await trade(adviser, settings=PaperSettings())
    assert adviser.questions == []
    assert all("direction" not in reasoning for _, _, reasoning, _ in decisions.values())


def die_after(last, log):
    """End the process at the next record after a bar."""

    def on_report(bar, _):
        log.dies = bar == last

    return on_report


@pytest.mark.slow
async def test_a_bar_is_decided_again_by_the_advice_that_it_had(tmp_path):
    log = Records()
    expected = await trade(Adviser(0.7))
    with StateFile(tmp_path / "state") as file:
        trader = file.load("paper", ADVISED, adviser=Adviser(0.7))
        with pytest.raises(Killed):
            await trade_on_paper(trader, feed(BARS[:256]), log, file, on_report=die_after(BARS[254], log))
    log.dies = False
    changed = Adviser(0.2)
    with StateFile(tmp_path / "state") as file:
        trader = file.load("paper", ADVISED, adviser=changed)
        assert changed.questions == []
        await trade_on_paper(trader, feed(BARS[:256]), log, file)
    assert log.decisions == {key: expected[key] for key in log.decisions}
    assert len(log.decisions) == 6 * 6


@pytest.mark.slow
@pytest.mark.parametrize("fails_at", [1, 4, 9])
async def test_an_outage_of_the_adviser_leaves_the_trader_before_the_bar(fails_at):
    log, expected = Records(), await trade(Adviser())
    trader = PaperTrader("paper", ADVISED, adviser=Adviser(fails_at=fails_at))
    with pytest.raises(Unavailable, match="no answer"):
        await trade_on_paper(trader, feed(BARS), log)
    await trade_on_paper(trader, feed(BARS), log)
    assert log.decisions == expected


async def test_a_trader_that_follows_advice_needs_an_adviser():
    with pytest.raises(InvalidInput, match="this trader follows advice; pass an adviser"):
        await trade(None)


@pytest.mark.slow
def test_the_command_asks_the_memory_of_the_agent(tmp_path, capsys):
    url, path = f"sqlite:///{tmp_path / 'memory.db'}", tmp_path / "bars.csv"
    write_csv(path, recent_bars(254))
    arguments = ["paper", "--bars", str(path), "--agent", "paper", "--store", url]
    assert main([*arguments, "--state", str(tmp_path / "state"), "--advice"]) == 0
    found = asyncio.run(DecisionLogger("paper", stores=connect(url)).query_decisions(limit=100))
    assert {one["reasoning"].get("direction") for one in found if one["decision_type"] == "SIGNAL_GENERATION"} - {None}
    capsys.readouterr()
    assert main([*arguments, "--state", str(tmp_path / "state")]) == 2
    assert "was started with True, not False" in capsys.readouterr().err
    assert MemoryManager("paper", stores=connect(url)).sync.load_state() is None
