from dataclasses import replace

import numpy as np
import pytest

from tests.unit.trading_agents.price_samples import BTC, EURUSD, SPY, changed_from, real_bars, walk
from trading_agents.backtest.engine.signal_agents import TEXTBOOK_AGENTS, SignalAgent, atr
from trading_agents.backtest.engine.trades import simulate_trades
from trading_agents.bars import PriceBars

FIRST = 20  # the first bar with an ATR of twenty bars


def flat_bars(count=60, **changed):
    """Bars that open and close at 100 and move one up and one down, so that ATR20 is 2; `changed` by column and bar."""
    columns = {"open": 100.0, "high": 101.0, "low": 99.0, "close": 100.0}
    columns = {name: np.full(count, value) for name, value in columns.items()}
    for name, cells in changed.items():
        for bar, value in cells.items():
            columns[name][bar] = value
    time = np.datetime64("2026-01-01", "s") + np.arange(count) * np.timedelta64(3600, "s")
    return PriceBars("flat", time, **columns)


def once(direction=1, at=FIRST, **exits):
    """An agent with one signal."""

    def signal(bars):
        signals = np.zeros(len(bars), dtype=np.int8)
        signals[at] = direction
        return signals

    return (SignalAgent("once", signal, **exits),)


def only_trade(bars, direction=1, costs_bp=0.0, **exits):
    trades = simulate_trades(bars, costs_bp=costs_bp, agents=once(direction, **exits))
    assert len(trades) == 1
    return trades


def test_a_trade_fills_at_the_next_open_and_ends_at_the_open_of_its_last_bar():
    bars = flat_bars(open={FIRST + 1: 100.5, FIRST + 25: 100.8})
    trades = only_trade(bars)
    assert (trades.signal_bar[0], trades.exit_bar[0]) == (FIRST, FIRST + 25)
    assert trades.gross[0] == pytest.approx(np.log(100.8 / 100.5))
    assert trades.atr_fraction[0] == pytest.approx(atr(bars)[FIRST] / 100) == pytest.approx(0.02)
    assert only_trade(bars, -1).gross[0] == pytest.approx(-trades.gross[0])


def test_stop_and_target_are_three_atr_from_the_entry():
    assert only_trade(flat_bars(low={30: 94.0})).gross[0] == pytest.approx(np.log(94 / 100))
    assert only_trade(flat_bars(low={30: 94.01})).exit_bar[0] == FIRST + 25
    assert only_trade(flat_bars(high={30: 106.5})).gross[0] == pytest.approx(np.log(106 / 100))
    assert only_trade(flat_bars(high={30: 106.5}), -1).gross[0] == pytest.approx(-np.log(106 / 100))


def test_inside_a_bar_the_stop_comes_first():
    both = flat_bars(low={30: 93.0}, high={30: 107.0})
    assert only_trade(both).gross[0] == pytest.approx(np.log(94 / 100))
    assert only_trade(both, -1).gross[0] == pytest.approx(-np.log(106 / 100))


def test_a_bar_that_opens_beyond_a_level_fills_at_its_open():
    gap = flat_bars(open={30: 90.0}, low={30: 89.0})
    assert only_trade(gap).gross[0] == pytest.approx(np.log(90 / 100))
    assert only_trade(gap, -1).gross[0] == pytest.approx(np.log(100 / 90))


def test_the_bar_of_the_entry_can_stop_and_that_of_the_time_exit_cannot():
    assert only_trade(flat_bars(low={FIRST + 1: 90.0})).exit_bar[0] == FIRST + 1
    assert only_trade(flat_bars(low={FIRST + 25: 90.0})).gross[0] == 0


def test_without_a_bracket_only_time_ends_a_trade():
    assert only_trade(flat_bars(low={30: 50.0}), bracket=None).exit_bar[0] == FIRST + 25


def test_an_open_position_is_valued_at_the_last_close():
    trades = only_trade(flat_bars(30, close={29: 100.9}))
    assert (trades.exit_bar[0], trades.gross[0]) == (29, pytest.approx(np.log(100.9 / 100)))


def test_each_side_costs_a_fraction_of_the_price_or_half_the_spread():
    assert only_trade(flat_bars(), costs_bp=5).cost[0] == pytest.approx(0.001)
    spreads = {name: np.linspace(0.1, 0.2, 60) * k for name, k in (("spread_open", 1), ("spread_close", 2))}
    quoted = replace(flat_bars(low={30: 94.0}), **spreads)
    entry = spreads["spread_open"][FIRST + 1] / 200
    inside = (spreads["spread_open"][30] / 100 + spreads["spread_close"][30] / 100) / 4
    assert only_trade(quoted, costs_bp=99).cost[0] == pytest.approx(entry + inside)
    at_open = replace(flat_bars(), **spreads)
    assert only_trade(at_open).cost[0] == pytest.approx(entry + spreads["spread_open"][FIRST + 25] / 200)


def test_an_agent_holds_one_position_and_signals_again_on_the_bar_of_its_exit():
    bars = walk(2000)
    trades = simulate_trades(bars)
    for number in range(len(TEXTBOOK_AGENTS)):
        own = trades.agent == number
        assert (trades.signal_bar[own][1:] >= trades.exit_bar[own][:-1]).all()
    always = trades.agent == [agent.name for agent in TEXTBOOK_AGENTS].index("long")
    assert (trades.signal_bar[always][1:] == trades.exit_bar[always][:-1]).all()
    assert (np.diff(trades.signal_bar) >= 0).all()


def test_marks_by_day_add_up_to_the_trades():
    bars = walk(2000, spread=1e-4)
    trades = simulate_trades(bars)
    np.testing.assert_allclose(np.bincount(trades.mark_trade, trades.mark_gross), trades.gross, atol=1e-12)
    np.testing.assert_allclose(np.bincount(trades.mark_trade, trades.mark_cost), trades.cost, atol=1e-12)
    first = np.flatnonzero(trades.mark_trade == 5)
    days = bars.days
    assert trades.mark_day[first].tolist() == list(range(days[trades.signal_bar[5] + 1], days[trades.exit_bar[5]] + 1))


def test_a_position_is_marked_to_market_at_every_close():
    bars = flat_bars(close={23: 102.0, 47: 103.0}, open={FIRST + 25: 101.0}, high={23: 102.0})
    trades = only_trade(bars, bracket=None)
    by_day = dict(zip(trades.mark_day.tolist(), trades.mark_gross.tolist(), strict=True))
    assert by_day == pytest.approx({0: np.log(1.02), 1: np.log(101 / 102)})


def test_entries_after_gaps_can_be_excluded():
    bars = walk(2000, bars_per_day=7)
    assert bars.after_long_gap.any()
    entries = simulate_trades(bars, skip_after_gaps=True).signal_bar + 1
    assert not bars.after_long_gap[entries].any()
    assert bars.after_long_gap[simulate_trades(bars).signal_bar + 1].any()


@pytest.mark.parametrize("index", [500, 1500, 1990])
def test_later_bars_change_no_earlier_decision(index):
    bars = walk(2000, spread=1e-4)
    before, after = simulate_trades(bars), simulate_trades(changed_from(bars, index))
    for name in ("agent", "signal_bar", "direction", "atr_fraction"):
        decided = [getattr(trades, name)[trades.signal_bar < index] for trades in (before, after)]
        np.testing.assert_array_equal(*decided)
    for name in ("agent", "exit_bar", "gross", "cost"):
        ended = [getattr(trades, name)[trades.exit_bar < index] for trades in (before, after)]
        np.testing.assert_array_equal(*ended)
    assert len(before) != len(after) or (before.gross != after.gross).any()


def test_signals_by_hand():
    rising = walk(400)
    signals = {agent.name: agent.signal(rising) for agent in TEXTBOOK_AGENTS}
    t = 399
    close, high, low = rising.close, rising.high, rising.low
    assert signals["mom24"][t] == np.sign(close[t] - close[t - 24])
    z = (close[t] - close[t - 19 : t + 1].mean()) / close[t - 19 : t + 1].std(ddof=1)
    assert signals["revz20"][t] == (0 if abs(z) <= 2 else -np.sign(z))
    lowest, highest = low[t - 40 : t].min(), high[t - 40 : t].max()
    spring = low[t] < lowest < close[t]
    assert signals["spring40"][t] == (1 if spring else -1 if high[t] > highest > close[t] else 0)
    change = close[t] - close[t - 1]
    assert signals["volbrk"][t] == (np.sign(change) if abs(change) > 1.5 * atr(rising)[t] else 0)
    gap = rising.open[t] - close[t - 1]
    assert signals["gap"][t] == (-np.sign(gap) if abs(gap) > 0.5 * atr(rising)[t - 1] else 0)
    assert (signals["long"] == 1).all()
    for name, signal in signals.items():
        assert set(np.unique(signal)) <= {-1, 0, 1}
        assert name == "gap" or np.count_nonzero(signal) > 5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "costs_bp", "count", "net_bp"),
    [(SPY, 1, 10_057, -1.32), (BTC, 5, 6_412, -5.59), (EURUSD, 0, 15_638, -1.07)],
)
def test_trades_on_real_bars_match_an_independent_engine(name, costs_bp, count, net_bp):
    """Counts and means of scored trades were measured beforehand by another implementation of the same rules."""
    bars = real_bars(name)
    trades = simulate_trades(bars, costs_bp=costs_bp)
    dates = bars.time.astype("datetime64[D]")
    scored = dates[trades.signal_bar] >= dates[0] + np.timedelta64(366, "D")
    assert scored.sum() == pytest.approx(count, rel=0.001)
    assert 1e4 * trades.net[scored].mean() == pytest.approx(net_bp, abs=0.1)
