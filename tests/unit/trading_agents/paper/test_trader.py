"""A trader restored from its state at any bar decides as one that never stopped."""

import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_memory import InvalidInput
from agent_memory.core.ids import parse_decision_id
from tests.unit.trading_agents.paper_samples import paper_bars
from tests.unit.trading_agents.price_samples import walk
from trading_agents.indicators.regimes import turbulence
from trading_agents.paper import PaperBar, PaperSettings, PaperTrader
from trading_agents.paper.daily_turbulence import DailyTurbulence

BARS = paper_bars()
AGENTS = ["Hedge", "Liquidity", "Sentiment", "Wyckoff", "Markov"]


def restored(trader):
    return PaperTrader.from_state(json.loads(json.dumps(trader.to_state(), allow_nan=False)))


def run(bars, stops=(), trader=None):
    trader = trader or PaperTrader("paper")
    reports = []
    for number, bar in enumerate(bars):
        if number in stops:
            trader = restored(trader)
        reports.append(trader.on_bar(bar))
    return reports, trader


@pytest.fixture(scope="module")
def uninterrupted():
    return run(BARS)


@pytest.fixture(scope="module")
def all_reports(uninterrupted):
    return uninterrupted[0]


@pytest.fixture(scope="module")
def final_trader(uninterrupted):
    return uninterrupted[1]


@pytest.mark.slow
@settings(max_examples=6, deadline=None)
@given(stops=st.sets(st.integers(0, len(BARS) - 1), max_size=6))
def test_a_restart_at_any_bar_changes_nothing(stops, all_reports, final_trader):
    reports, trader = run(BARS, stops)
    assert reports == all_reports
    assert trader.to_state() == final_trader.to_state()


def test_a_bar_produces_five_votes_and_one_trade_decision(all_reports):
    decided = [report.decisions for report in all_reports if report.decisions]
    assert len(decided) == len(BARS) - 250
    for decisions in decided:
        assert [one["reasoning"].get("source") for one in decisions] == [*AGENTS, None]
        assert decisions[-1]["decision_type"] == "TRADE"
        assert decisions[-1]["parent_ids"] == [one["decision_id"] for one in decisions[:-1]]
    ids = [one["decision_id"] for decisions in decided for one in decisions]
    assert len(set(ids)) == len(ids)


def test_every_decision_is_judged_by_the_next_bar_and_every_position_by_its_end(all_reports, final_trader):
    for before, report, bar in zip(all_reports, all_reports[1:], BARS[1:], strict=False):
        assert [one["decision_id"] for one in report.outcomes] == [one["decision_id"] for one in before.decisions]
        for decision, outcome in zip(before.decisions, report.outcomes, strict=True):
            moved, signal = bar.close / bar.open - 1, decision["reasoning"]["signal"]
            if signal != "neutral":
                assert outcome["success"] == ((moved > 0) == (signal == "long") and moved != 0)
    opened = [
        one["decision_id"]
        for report in all_reports
        for one in report.decisions
        if one["reasoning"].get("action") == "open"
    ]
    closed = [one["decision_id"] for report in all_reports for one in report.exits]
    assert len(closed) == final_trader.trades > 3
    assert closed == opened[: len(closed)]
    assert len(opened) - len(closed) in {0, 1}


def test_decisions_have_the_time_of_the_end_of_their_bar(all_reports):
    for bar, report in zip(BARS, all_reports, strict=True):
        for one in report.decisions:
            ends = bar.time + timedelta(hours=1)
            assert parse_decision_id(one["decision_id"]).timestamp_ms == ends.timestamp() * 1_000


@pytest.mark.slow
def test_later_bars_change_no_earlier_decision(all_reports):
    later = [replace(bar, high=bar.high * 1.2, close=bar.high * 1.1) for bar in BARS[350:]]
    reports, _ = run(BARS[:350] + later)
    assert reports[:350] == all_reports[:350]
    assert reports[350] != all_reports[350]


def test_nothing_is_decided_before_trading_begins():
    begin = BARS[300].time
    reports, _ = run(BARS, trader=PaperTrader("paper", PaperSettings(trade_from=begin)))
    decided = [bool(report.decisions) for report in reports]
    assert decided == [False] * 300 + [True] * (len(BARS) - 300)


def test_outcomes_reach_memories_weights_and_health(final_trader):
    state = final_trader.to_state()
    kinds = {name: Counter(row[0] for row in memory["items"]) for name, memory in state["panel"]["memories"].items()}
    trades = {name: record["trades"] for name, record in state["panel"]["health"]["records"].items()}
    assert sum(trades.values()) > 10
    assert {name: kinds[name]["outcome"] for name in trades} == trades
    still_open = {
        name: book is not None and book["entry"] is not None for name, book in state["panel"]["books"].items()
    }
    assert {name: kinds[name]["trade"] for name in trades} == {n: trades[n] + still_open[n] for n in trades}
    weights = state["portfolio"]["composer"]["tables"][""]
    assert sorted(weights) == sorted(AGENTS)
    assert max(weights.values()) > 1.2 * min(weights.values())
    assert final_trader.equity != 1


def test_a_retired_agent_keeps_trading_on_paper():
    trader, _ = PaperTrader("paper"), run(BARS[:300])
    for bar in BARS[:300]:
        trader.on_bar(bar)
    for _ in range(100):
        trader._agents.health.observe("Sentiment", -1.0)
    votes = [one for bar in BARS[300:] for one in trader.on_bar(bar).decisions if "source" in one["reasoning"]]
    assert {one["reasoning"]["source"] for one in votes if one["reasoning"]["retired"]} == {"Sentiment"}
    assert trader._agents.health.of("Sentiment").trades > 100


def test_custom_features_reach_the_agents():
    squeeze = {"hedge": {"net_gamma_exposure": -1.0, "smart_flow_signal": 1.0}}
    reports, _ = run([replace(bar, features=squeeze) for bar in BARS[:260]])
    assert {report.decisions[0]["reasoning"]["signal"] for report in reports if report.decisions} == {"long"}


def test_bars_must_be_in_order():
    trader = PaperTrader("paper")
    trader.on_bar(BARS[1])
    for bar in BARS[:2]:
        with pytest.raises(InvalidInput, match=r"time: .* is not later than the bar before"):
            trader.on_bar(bar)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bar_seconds": 0}, "bar_seconds: 0 is not a number above 0"),
        ({"costs_bp": -1}, "costs_bp: -1 is not a number of 0 or more"),
        ({"bars_per_day": 0}, "bars_per_day: 0 is not a number above 0"),
        ({"symbol": ""}, "symbol: is empty"),
        ({"trade_from": BARS[0].time.replace(tzinfo=None)}, "trade_from: .* has no UTC offset"),
    ],
)
def test_settings_are_checked(change, message):
    with pytest.raises(InvalidInput, match=message):
        PaperSettings(**change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"time": BARS[0].time.replace(tzinfo=None)}, "time: .* is not a datetime with a UTC offset"),
        ({"low": float("nan")}, "low: nan is not a number above 0"),
        ({"open": 1e9}, "open: 1000000000.0 is not between low"),
        ({"volume": -1.0}, "volume: -1.0 is not a number of 0 or more"),
    ],
)
def test_bars_are_checked(change, message):
    with pytest.raises(InvalidInput, match=message):
        replace(BARS[0], **change)


@pytest.mark.slow
def test_turbulence_updated_daily_is_that_of_all_days_at_once():
    closes = walk(800, volatility=0.01).close
    days, probabilities = DailyTurbulence(), []
    for number, close in enumerate(closes):
        days.observe(float(close))
        if number % 100 == 7:
            days = DailyTurbulence.from_state(json.loads(json.dumps(days.to_state())))
        probabilities.append(np.nan if days.probability is None else days.probability)
    expected = turbulence(np.diff(np.log(closes)))
    assert np.isfinite(expected).sum() > 250
    np.testing.assert_allclose(probabilities[1:], expected, atol=1e-9)


def test_a_flat_market_opens_nothing():
    flat = [PaperBar(bar.time, 100.0, 100.0, 100.0, 100.0, 1.0) for bar in BARS[:260]]
    reports, trader = run(flat)
    assert not any(one["reasoning"].get("action") == "open" for report in reports for one in report.decisions)
    assert trader.equity == 1


def test_the_cost_gate_opens_nothing_while_the_spread_is_wide():
    bars = paper_bars(580, spread=0.0002)
    wide = [replace(bar, spread_close=bar.spread_close * (1 if n < 300 else 40)) for n, bar in enumerate(bars)]
    opened = {}
    for gate in (False, True):
        trader = PaperTrader("paper", PaperSettings(cost_gate=gate))
        for number, bar in enumerate(wide):
            if number == 350:
                trader = PaperTrader.from_state(json.loads(json.dumps(trader.to_state())))
            report = trader.on_bar(bar)
            opened[gate] = opened.get(gate, 0) + (
                number >= 300 and any(one["reasoning"].get("action") == "open" for one in report.decisions)
            )
    assert opened[False] > 0
    assert opened[True] == 0
