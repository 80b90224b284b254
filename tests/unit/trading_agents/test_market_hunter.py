import json
import time
from collections import Counter
from datetime import UTC, datetime

import pytest
from market_samples import START, changed_from, live, random_bars, real_life

from agent_memory.clock import parse_instant
from agent_memory.ids import parse_decision_id, type_tag
from demo.bars import sample_bars
from trading_agents import WARM_UP_BARS
from trading_agents.decisions import trading_hours
from trading_agents.sources import FORECASTS, SOURCES

TYPES = ["SOURCE_SELECTION", "QUERY", *["SIGNAL_GENERATION"] * 3, "LEARNING"]


def rate(wanted):
    """Share of the judged real decisions, of those that `wanted` picks, that succeeded."""
    outcomes = [outcome["success"] for decision, outcome in real_life() if outcome and wanted(decision)]
    assert len(outcomes) > 200
    return sum(outcomes) / len(outcomes)


def signals(forecast, **market):
    def wanted(decision):
        is_it = decision["reasoning"].get("forecast") == forecast
        return is_it and market.items() <= decision["context"]["market"].items()

    return wanted


def test_a_cycle_is_six_decisions_of_four_types():
    decisions, outcomes = live(random_bars(), 30)
    assert [[decision["decision_type"] for decision in cycle] for cycle in decisions] == [TYPES] * 30
    assert [[o["decision_id"] for o in cycle] for cycle in outcomes] == [
        [d["decision_id"] for d in cycle] for cycle in decisions[:-1]
    ]


def test_ids_carry_type_and_time_and_are_unique():
    decisions, _ = live(random_bars(), 30)
    flat = [decision for cycle in decisions for decision in cycle]
    assert len({decision["decision_id"] for decision in flat}) == len(flat)
    for decision in flat:
        parts = parse_decision_id(decision["decision_id"])
        assert parts.timestamp_ms == parse_instant(decision["timestamp"])
        assert parts.type_tag == type_tag(decision["decision_type"])
    times = [decision["timestamp"] for decision in flat]
    assert times == sorted(times)


def test_the_same_life_is_the_same_decisions():
    assert json.dumps(live(random_bars(), 40)) == json.dumps(live(random_bars(), 40))


@pytest.mark.parametrize("cycle", [1, 20, 60])
def test_changing_a_bar_changes_no_earlier_decision(cycle):
    bars = random_bars()
    before, _ = live(bars, 70)
    after, _ = live(changed_from(bars, WARM_UP_BARS + cycle), 70)
    assert after[:cycle] == before[:cycle]
    assert after[cycle] != before[cycle]


def test_no_later_bar_than_the_next_tells_an_outcome():
    bars = random_bars()
    _, before = live(bars, 70)
    _, after = live(changed_from(bars, WARM_UP_BARS + 40), 70)
    assert after[:39] == before[:39]
    assert after[39] != before[39]


def test_sources_are_one_for_each_question_with_the_probability_of_the_choice():
    decisions, _ = live(random_bars(), 70, exploration_rate=0.3)
    answers = {source.name: source.answers for source in SOURCES}
    explored = 0
    for cycle in decisions:
        reasoning = cycle[0]["reasoning"]
        assert [answers[name] for name in reasoning["selected"]] == list(FORECASTS)
        best = [
            max((s for s in SOURCES if s.answers == f), key=lambda s: reasoning["scores"][s.name]) for f in FORECASTS
        ]
        differing = sum(a.name != b for a, b in zip(best, reasoning["selected"], strict=True))
        explored += reasoning["exploration_triggered"]
        assert differing == reasoning["exploration_triggered"]
        assert reasoning["propensity"] == (0.1 if reasoning["exploration_triggered"] else 0.7)
    assert 10 <= explored <= 32


def test_without_exploration_there_is_none():
    decisions, _ = live(random_bars(), 40, exploration_rate=0.0)
    assert not any(cycle[0]["reasoning"]["exploration_triggered"] for cycle in decisions)


def test_queries_go_to_a_selected_source_and_fall_back_on_the_one_with_the_same_question():
    answers = {source.name: source.answers for source in SOURCES}
    for cycle in live(random_bars(), 30)[0]:
        reasoning = cycle[1]["reasoning"]
        assert reasoning["source"] in cycle[0]["reasoning"]["selected"]
        assert reasoning["fallback"] != reasoning["source"]
        assert answers[reasoning["fallback"]] == answers[reasoning["source"]]
        assert reasoning["priority"] == ("high" if cycle[1]["context"]["market"]["volatility"] == "high" else "normal")


def test_every_symbol_gets_every_forecast_equally_often():
    counts = Counter(
        (decision["context"]["symbol"], decision["reasoning"]["forecast"])
        for cycle in live(random_bars(), 60)[0]
        for decision in cycle[2:5]
    )
    assert counts == {(symbol, forecast): 20 for symbol in "ABC" for forecast in FORECASTS}


def test_learning_moves_estimates_and_the_next_cycle_in_that_market_uses_them():
    decisions, _ = live(random_bars(), 70)
    current = {v: dict.fromkeys((s.name for s in SOURCES), 0.5) for v in ("low", "normal", "high")}
    for cycle in decisions:
        learning = cycle[-1]["reasoning"]
        assert cycle[0]["reasoning"]["scores"] == current[cycle[0]["context"]["market"]["volatility"]]
        assert learning["before"] == current[learning["updated_for"]]
        assert learning["after"] != learning["before"]
        current[learning["updated_for"]] = learning["after"]


@pytest.mark.parametrize(
    ("hour", "hours"), [(0, "asian"), (6, "asian"), (7, "european"), (13, "american"), (21, "american"), (22, "asian")]
)
def test_trading_hours(hour, hours):
    assert trading_hours(datetime(2026, 7, 1, hour, 59, tzinfo=UTC)) == hours


def test_a_single_symbol_makes_four_decisions():
    decisions, _ = live(random_bars(symbols=("A",)), 5)
    assert {len(cycle) for cycle in decisions} == {4}


def test_decisions_are_small_enough_for_one_write_unit():
    assert max(len(json.dumps(decision)) for decision, _ in real_life()) < 1000


# --- on the real bars ---------------------------------------------------------------------------


def test_four_months_are_quick():
    bars = sample_bars()
    started = time.process_time()
    live(bars, 121 * 24)
    assert time.process_time() - started < 5


@pytest.mark.parametrize("decision_type", sorted(set(TYPES)))
def test_success_is_neither_certain_nor_hopeless(decision_type):
    assert 0.3 < rate(lambda decision: decision["decision_type"] == decision_type) < 0.75


def test_every_market_is_met_often():
    counts = Counter(
        (decision["context"]["market"]["volatility"], decision["context"]["market"]["trend"])
        for decision, _ in real_life()
    )
    total = sum(counts.values())
    for position in (0, 1):
        shares = Counter()
        for market, count in counts.items():
            shares[market[position]] += count / total
        assert len(shares) == 3
        assert min(shares.values()) > 0.15


def test_ranges_and_moves_persist_and_directions_do_not():
    assert (
        rate(signals("range_expansion", volatility="high")) > rate(signals("range_expansion", volatility="low")) + 0.2
    )
    assert rate(signals("large_move", volatility="high")) > rate(signals("large_move", volatility="low")) + 0.05
    assert 0.47 < rate(signals("direction")) < 0.53


def test_the_clock_of_the_replay_means_nothing():
    """Bars of days replayed as hours: what depends on the hour can only be chance."""
    rates = [
        rate(lambda d, h=hours: "forecast" in d["reasoning"] and d["context"]["trading_hours"] == h)
        for hours in ("asian", "european", "american")
    ]
    assert max(rates) - min(rates) < 0.04


def test_confidence_is_honest():
    """Brier score of the confidences: better than saying one half always, which scores 0.25."""
    pairs = [
        (d["reasoning"]["confidence"], o["success"]) for d, o in real_life() if o and "confidence" in d["reasoning"]
    ]
    assert sum((confidence - success) ** 2 for confidence, success in pairs) / len(pairs) < 0.245


def test_start_is_the_time_of_the_first_cycle():
    first, _ = real_life()[0]
    assert parse_instant(first["timestamp"]) == parse_instant(START)
