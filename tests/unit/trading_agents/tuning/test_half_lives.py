"""Half-lives are measured with what was known, and chosen on the past only."""

import math

import numpy as np
import pytest

from agent_memory import InvalidInput
from trading_agents import TradingMemoryStore, WinRateRule
from trading_agents.tuning.durations import duration_name, parse_durations
from trading_agents.tuning.half_lives import DAY, HALF_LIVES, HOUR, MIN_TRADES, tune
from trading_agents.tuning.memories import NamedMemory
from trading_agents.tuning.record import TradeRecord, record_of_log, record_of_memory


def record(profit, *, hours=4.0, holds=1.0, score=1.0):
    profit = np.asarray(profit, dtype=float)
    decided = HOUR * hours * np.arange(len(profit))
    return TradeRecord("test", decided, decided + HOUR * holds, profit, np.full(len(profit), score))


def streaks(count=1200, length=60, seed=1):
    """Trades that win 80 % and 20 % of the time in turns."""
    random = np.random.default_rng(seed)
    likely = np.where(np.arange(count) // length % 2 == 0, 0.8, 0.2)
    return np.where(random.random(count) < likely, 1.0, -1.0)


def of(found, half_life):
    return next(one for one in found.results if one.half_life == half_life)


def test_memory_helps_where_results_come_in_streaks_and_choosing_on_the_past_finds_it():
    found = tune([record(streaks())])
    assert of(found, 7 * DAY).interval.low > 0
    assert found.interval.low > 0
    assert found.verdict.startswith("Choosing on the past helped: ")
    assert len(found.chosen) == 8


def test_where_nothing_is_to_be_learned_no_half_life_is_preferred():
    random = np.random.default_rng(3)
    found = tune([record(random.choice([-1.0, 1.0], 1000))])
    assert found.interval.low < 0 < found.interval.high
    assert found.verdict.startswith("No half-life is to be preferred: ")


def test_a_short_half_life_remembers_too_little_to_change_anything():
    found = of(tune([record(streaks())]), 0.5 * HOUR)
    assert (found.remembered, found.resized, found.change) == (0, 0, 0)
    assert of(tune([record(streaks())]), math.inf).remembered == pytest.approx(10, abs=0.1)


def test_sizes_are_those_of_a_store_that_is_cleaned_up_before_each_decision():
    profit, hours, life = streaks(150), 4.0, 8 * HOUR
    one = of(tune([record(profit, hours=hours, holds=0.5)], [life]), life)
    clock, counts, sizes = [0.0], [], []
    memory = TradingMemoryStore(life, clock=lambda: clock[0])
    for number, result in enumerate(profit):
        clock[0] = HOUR * hours * number
        memory.cleanup(0.1)
        recent = memory.get_recent("outcome", n=10)
        won = sum(item.metadata["pnl"] > 0 for item in recent)
        counts.append(len(recent))
        sizes.append(WinRateRule().factor_for(won / len(recent) if recent else 0.5, len(recent)))
        clock[0] += 0.5 * HOUR
        memory.add("outcome", "", metadata={"pnl": result})
    assert one.remembered == pytest.approx(np.mean(counts))
    assert one.resized == np.mean(np.array(sizes) != 1)


def test_later_outcomes_change_no_earlier_choice():
    profit = streaks()
    changed = profit.copy()
    changed[900:] *= -5
    assert tune([record(profit)]).chosen[:6] == tune([record(changed)]).chosen[:6]


def test_an_outcome_counts_only_when_it_is_known():
    profit = streaks()
    assert of(tune([record(profit, holds=1e6)]), math.inf).remembered == 0


def test_too_few_trades_say_how_many_it_takes():
    found = tune([record(streaks(40))])
    assert found.verdict == f"Nothing can be said from 40 trades with an outcome: it takes {MIN_TRADES}."
    assert tune([]).trades == 0
    assert len(tune([]).results) == len(HALF_LIVES) + 1


def test_each_symbol_of_a_memory_has_its_own_record():
    clock = [0.0]
    memory = TradingMemoryStore(clock=lambda: clock[0])
    for number in range(6):
        clock[0] += 60
        memory.add("outcome", "", symbol="SPY" if number % 2 else "BTC", metadata={"pnl": float(number)})
    memory.add("signal", "none of that")
    memory.add("outcome", "not a number", metadata={"pnl": float("nan")})
    found = {one.name: one.profit.tolist() for one in record_of_memory(NamedMemory("hedge", memory))}
    assert found == {"hedge, BTC": [0, 2, 4], "hedge, SPY": [1, 3, 5]}


def test_the_record_of_a_log_are_its_trades_with_an_exit():
    def trade(minute, net, **more):
        exit_ = {"horizon": "exit", "outcome": {"net_return": net}}
        trade = {"timestamp": f"2026-01-01T00:{minute:02d}:00Z", "context": {"symbol": "SPY"}} | exit_
        return trade | {"outcome_recorded_at": f"2026-01-01T01:{minute:02d}:00Z", "other_outcomes": []} | more

    later = {"horizon": "exit", "outcome": {"net_return": 2.0}, "recorded_at": "2026-01-01T01:06:00Z"}
    of_next_bar = {"horizon": "next_bar", "outcome": {"market_return": 1.0}, "other_outcomes": [later]}
    decisions = [trade(2, 0.5), trade(1, -0.5), trade(3, None), trade(4, 1, outcome=None), trade(6, 0, **of_next_bar)]
    (found,) = record_of_log(decisions)
    assert (found.name, found.profit.tolist()) == ("SPY", [-0.5, 0.5, 2.0])
    assert (found.ended - found.decided == 3600).all()


def test_durations_are_read_and_named():
    assert parse_durations("30m, 2h,7d") == (1800, 7200, 604_800)
    assert [duration_name(one) for one in (1800, 7200, 1.5 * DAY, math.inf)] == [
        "30 min",
        "2 h",
        "1.5 d",
        "never fades",
    ]
    for text in ("7", "0h", "x", "1h,"):
        with pytest.raises(InvalidInput, match="half-lives"):
            parse_durations(text)
