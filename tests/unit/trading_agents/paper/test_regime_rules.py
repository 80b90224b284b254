"""The rules by regime on paper: off by default, followed when they are on, and kept over a restart."""

import json
from collections import Counter

import pytest

from agent_memory.cli import main
from tests.unit.trading_agents.paper.test_command import recent_bars
from tests.unit.trading_agents.paper.test_trader import restored, run
from tests.unit.trading_agents.paper_samples import paper_bars, write_csv
from trading_agents.indicators.market_condition import CONDITIONS
from trading_agents.paper import PaperSettings, PaperTrader

BARS = paper_bars(400)
ALL = PaperSettings(size_by_regime=True, switch_by_regime=True, volume_by_regime=True)


def decisions(reports):
    return [one for report in reports for one in report.decisions]


def test_they_are_off_by_default():
    reports, trader = run(BARS[:260])
    assert not any({"left_out", "regime_multiplier"} & one["reasoning"].keys() for one in decisions(reports))
    assert "switch" not in trader.to_state()["panel"]
    kinds = {row[0] for memory in trader.to_state()["panel"]["memories"].values() for row in memory["items"]}
    assert not [kind for kind in kinds if kind.startswith(("level:volume", "regime_outcome"))]


def test_a_position_is_half_as_large_after_five_losses_in_the_condition():
    _, trader = run(BARS[:280], trader=PaperTrader("paper", PaperSettings(size_by_regime=True)))
    for condition in CONDITIONS:
        for _ in range(5):
            trader._account._regime_losses.remember("SPY", condition, -1.0)
    reports, _ = run(BARS[280:], trader=trader)
    first = next(one["reasoning"] for one in decisions(reports) if one["reasoning"].get("action") == "open")
    assert first["regime_multiplier"] == 0.5
    assert first["size"] == pytest.approx(0.5 * first["volatility_multiplier"] * first["exposure"], abs=1e-5)


def test_closed_positions_are_remembered_by_the_condition_in_which_they_were_ordered():
    reports, trader = run(BARS, trader=PaperTrader("paper", PaperSettings(size_by_regime=True)))
    ordered = {one["decision_id"]: one["reasoning"].get("condition") for one in decisions(reports)}
    closed = Counter(ordered[one["decision_id"]] for report in reports for one in report.exits)
    remembered = Counter(row[0] for row in trader.to_state()["portfolio"]["memory"]["items"])
    known = {condition: remembered[f"regime_outcome:{condition}"] for condition in CONDITIONS}
    assert known == {condition: closed[condition] for condition in CONDITIONS}
    assert sum(known.values()) > 2


def test_only_the_agent_with_the_best_record_in_the_condition_has_a_say():
    _, trader = run(BARS[:280], trader=PaperTrader("paper", PaperSettings(switch_by_regime=True)))
    for condition in CONDITIONS:
        for result, agent in enumerate(trader._agents._books):
            for _ in range(30):
                trader._agents._switch.observe(agent, condition, float(result))
    reports, _ = run(BARS[280:287], trader=trader)
    votes = [one["reasoning"] for one in decisions(reports) if "source" in one["reasoning"]]
    assert {one["source"]: one.get("left_out", False) for one in votes} == {
        **dict.fromkeys(["Hedge", "Liquidity", "Sentiment", "Wyckoff"], True),
        "Markov": False,
    }
    # Markov has no vote in the first two years, so that nothing is composed.
    assert {one["reasoning"]["score"] for one in decisions(reports) if "score" in one["reasoning"]} == {0.0}


def test_results_by_condition_reach_the_record_of_the_switch():
    _, trader = run(BARS, trader=PaperTrader("paper", PaperSettings(switch_by_regime=True)))
    state = trader.to_state()["panel"]
    totals = state["switch"]["totals"]
    assert totals.keys() <= set(CONDITIONS)
    counted = Counter(dict.fromkeys(state["books"], 0))
    for agents in totals.values():
        counted.update({agent: count for agent, (count, _) in agents.items()})
    trades = {agent: record["trades"] for agent, record in state["health"]["records"].items()}
    assert sum(counted.values()) > 5
    # The condition is unknown for the first 24 bars with decisions.
    assert all(counted[agent] <= trades[agent] for agent in trades)


def test_liquidity_learns_volume_by_hour():
    _, trader = run(BARS, trader=PaperTrader("paper", PaperSettings(volume_by_regime=True)))
    memory = trader.to_state()["panel"]["memories"]["Liquidity"]
    kinds = Counter(row[0] for row in memory["items"] if row[0].startswith("level:volume"))
    assert kinds.keys() == {f"level:volume:{hour:02d}" for hour in range(24)}
    assert sum(kinds.values()) > 100
    assert memory["settings"]["half_lives"]["level:volume:calm:09"] == 240 * 3_600


@pytest.mark.slow
@pytest.mark.parametrize("stops", [{0, 252, 271}, {260, 261, 319}])
def test_a_restart_changes_nothing(stops):
    expected, last = run(BARS, trader=PaperTrader("paper", ALL))
    reports, trader = run(BARS, stops, trader=PaperTrader("paper", ALL))
    assert reports == expected
    assert trader.to_state() == last.to_state()


def test_a_trader_with_the_rules_is_restored_with_them():
    trader = PaperTrader("paper", ALL)
    assert restored(trader).settings == ALL
    assert json.loads(json.dumps(trader.to_state()))["settings"]["switch_by_regime"] is True


@pytest.mark.slow
def test_the_command_takes_them(tmp_path, capsys):
    path, url = tmp_path / "bars.csv", f"sqlite:///{tmp_path / 'memory.db'}"
    write_csv(path, recent_bars(256))
    flags = ["--size-by-regime", "--switch-by-regime", "--volume-by-regime"]
    arguments = ["paper", "--bars", str(path), "--agent", "paper", "--state", str(tmp_path / "state"), "--store", url]
    assert main([*arguments, *flags]) == 0
    assert main(arguments) == 2
    assert "size_by_regime" in capsys.readouterr().err
