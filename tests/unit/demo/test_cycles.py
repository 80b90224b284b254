"""The decisions of the demo's hunter, on random and on real bars."""

import json
import time
from collections import Counter

import pytest

from agent_memory import MemoryManager
from agent_memory.core.clock import parse_instant
from agent_memory.core.ids import parse_decision_id, type_tag
from agent_memory.storage.factory import in_memory_stores
from tests.unit.trading_agents.market_samples import START, changed_from, random_bars, real_decisions, simulate
from trading_agents import BAR_SOURCES, WARM_UP_BARS, MemoryAwareMarketHunterAgent
from trading_agents.demo.bars import sample_bars
from trading_agents.demo.cycles import Cycles

TYPES = ["SOURCE_SELECTION", "QUERY", "SIGNAL_GENERATION", "LEARNING"]


def rate(is_selected):
    """Success rate of the real decisions for which `is_selected` is true."""
    outcomes = [outcome["success"] for decision, outcome in real_decisions() if outcome and is_selected(decision)]
    assert len(outcomes) > 200
    return sum(outcomes) / len(outcomes)


def signals(source, **market):
    def is_selected(decision):
        return decision["reasoning"].get("source") == source and market.items() <= decision["context"]["market"].items()

    return is_selected


def test_a_cycle_learns_selects_asks_and_signals():
    decisions, outcomes = simulate(random_bars(), 30)
    for cycle, of_cycle in zip(decisions, [*outcomes, None], strict=True):
        types = [decision["decision_type"] for decision in cycle]
        start, signalled = types.index("SOURCE_SELECTION"), types.count("SIGNAL_GENERATION")
        assert types[:start] in ([], ["LEARNING"])
        assert types[start:] == ["SOURCE_SELECTION", "QUERY", *["SIGNAL_GENERATION"] * signalled]
        if of_cycle is not None:
            (readings,) = (o["outcome"]["readings"] for o in of_cycle if "readings" in o["outcome"])
            assert signalled == sum(reading is not None for reading in readings.values())
            assert sorted(o["decision_id"] for o in of_cycle) == sorted(d["decision_id"] for d in cycle)


def test_ids_carry_type_and_time_and_are_unique():
    flat = [decision for cycle in simulate(random_bars(), 30)[0] for decision in cycle]
    assert len({decision["decision_id"] for decision in flat}) == len(flat)
    for decision in flat:
        parts = parse_decision_id(decision["decision_id"])
        assert parts.timestamp_ms == parse_instant(decision["timestamp"])
        assert parts.type_tag == type_tag(decision["decision_type"])
    times = [decision["timestamp"] for decision in flat]
    assert times == sorted(times)
    assert parse_instant(times[0]) == parse_instant(START)


def test_a_simulation_is_reproducible_and_a_longer_one_begins_alike():
    longer = simulate(random_bars(), 40)
    assert json.dumps(simulate(random_bars(), 40)) == json.dumps(longer)
    decisions, outcomes = simulate(random_bars(), 25)
    assert (decisions, outcomes) == (longer[0][:25], longer[1][:24])


@pytest.mark.slow
@pytest.mark.parametrize("cycle", [1, 20, 60])
def test_changing_a_bar_changes_no_earlier_decision(cycle):
    bars = random_bars()
    before, _ = simulate(bars, 70)
    after, _ = simulate(changed_from(bars, WARM_UP_BARS + cycle), 70)
    assert after[:cycle] == before[:cycle]
    assert after[cycle:] != before[cycle:]


def test_an_outcome_depends_on_the_next_bar_only():
    bars = random_bars()
    _, before = simulate(bars, 70)
    _, after = simulate(changed_from(bars, WARM_UP_BARS + 40), 70)
    assert after[:39] == before[:39]
    assert after[39] != before[39]


def test_choices_carry_their_probability_and_every_signal_is_logged_chosen_or_not():
    cycles = simulate(random_bars(), 70)[0]
    selections = [one["reasoning"] for cycle in cycles for one in cycle if one["decision_type"] == "SOURCE_SELECTION"]
    assert {len(one["selected"]) for one in selections} == {3}
    assert all(sum(one["propensities"].values()) == pytest.approx(3, abs=1e-5) for one in selections)
    assert all(one["propensities"].keys() == BAR_SOURCES.keys() for one in selections)
    assert 1 <= sum(one["exploration_triggered"] for one in selections) <= 20
    flat = [one["reasoning"] for cycle in cycles for one in cycle if one["decision_type"] == "SIGNAL_GENERATION"]
    assert {one["chosen"] for one in flat} == {True, False}
    assert {one["source"] for one in flat} == set(BAR_SOURCES)


async def test_the_state_after_the_last_cycle_is_one_that_a_hunter_continues(clock):
    cycles = await Cycles.simulated(random_bars(), START, 30)
    memory = MemoryManager(cycles.agent_id, stores=in_memory_stores(clock), clock=clock)
    await memory.save_state(cycles.state)
    hunter = MemoryAwareMarketHunterAgent(cycles.agent_id, 0.02, memory, sources=BAR_SOURCES)
    await hunter.resume()
    assert (hunter.current_cycle, hunter.last_time) == (30, cycles.at(29))


def test_a_single_symbol_is_enough():
    assert len(simulate(random_bars(symbols=("A",)), 5)[0]) == 5


@pytest.mark.slow
def test_decisions_are_small_enough_for_one_write_unit_and_selections_for_two():
    sizes = [(len(json.dumps(one)), one["decision_type"] == "SOURCE_SELECTION") for one, _ in real_decisions()]
    assert max(size for size, is_selection in sizes if not is_selection) < 1000
    assert max(size for size, is_selection in sizes if is_selection) < 1500


# --- on the real bars ---------------------------------------------------------------------------


@pytest.mark.slow
def test_four_months_are_quick():
    bars = sample_bars()
    started = time.process_time()
    simulate(bars, 121 * 24)
    assert time.process_time() - started < 8


@pytest.mark.slow
@pytest.mark.parametrize("decision_type", TYPES)
def test_success_is_neither_certain_nor_hopeless(decision_type):
    assert 0.3 < rate(lambda decision: decision["decision_type"] == decision_type) < 0.9


@pytest.mark.slow
def test_every_market_context_is_frequent():
    markets = [decision["context"]["market"] for decision, _ in real_decisions()]
    for name in ("volatility", "trend"):
        counts = Counter(market[name] for market in markets)
        assert len(counts) == 3
        assert min(counts.values()) > 0.15 * len(markets)


@pytest.mark.slow
def test_ranges_and_moves_persist_and_directions_do_not():
    assert rate(signals("true_range")) > 0.7
    assert rate(signals("volume_surge")) > 0.6
    assert rate(signals("realized_volatility")) > 0.55
    assert rate(signals("realized_volatility", volatility="high")) > rate(
        signals("realized_volatility", volatility="normal")
    )
    assert 0.45 < rate(signals("momentum")) < 0.53
    assert 0.45 < rate(signals("mean_reversion")) < 0.53


@pytest.mark.slow
def test_confidence_is_calibrated():
    """Brier score of the confidences: better than always one half, which scores 0.25."""
    pairs = [
        (d["reasoning"]["confidence"], o["success"])
        for d, o in real_decisions()
        if o and "confidence" in d["reasoning"]
    ]
    assert sum((confidence - success) ** 2 for confidence, success in pairs) / len(pairs) < 0.245


@pytest.mark.slow
def test_the_sources_that_are_right_are_the_ones_that_are_chosen():
    late = [d["reasoning"] for d, _ in real_decisions() if d["decision_type"] == "SOURCE_SELECTION"][-500:]
    counts = Counter(source for one in late for source in one["selected"])
    assert {source for source, _ in counts.most_common(2)} == {"true_range", "volume_surge"}
