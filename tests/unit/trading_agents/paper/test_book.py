"""The paper book fills orders as the backtest does."""

import math

import numpy as np
import pytest

from tests.unit.trading_agents.paper_samples import paper_bars
from tests.unit.trading_agents.price_samples import walk
from trading_agents.backtest.engine.signal_agents import TEXTBOOK_AGENTS, SignalAgent, atr
from trading_agents.backtest.engine.trades import simulate_trades
from trading_agents.paper.book import Book, Position


@pytest.mark.parametrize(
    "agent", [TEXTBOOK_AGENTS[0], TEXTBOOK_AGENTS[3], SignalAgent("tight", TEXTBOOK_AGENTS[4].signal, 5, 0.7)]
)
@pytest.mark.parametrize(("seed", "spread"), [(1, None), (2, None), (3, 0.0002)])
def test_positions_are_those_of_the_backtest(agent, seed, spread):
    bars = walk(1_500, seed, spread=spread)
    signals, ranges = agent.signal(bars), atr(bars)
    book, closed, bar_of_order = Book(costs_bp=2.5, hold_bars=agent.hold_bars, bracket=agent.bracket), [], {}
    for t, bar in enumerate(paper_bars(1_500, seed, spread=spread)):
        closed_trade = book.on_bar(bar)
        if closed_trade:
            closed.append(
                (
                    int(closed_trade.position.decision_id),
                    t,
                    closed_trade.position.direction,
                    closed_trade.net,
                    closed_trade.net_in_atr,
                )
            )
        if book.position is None and signals[t] and np.isfinite(ranges[t]):
            book.order(Position(str(t), int(signals[t]), 1.0, float(bars.close[t]), float(ranges[t])))
            bar_of_order[t] = t
    expected = simulate_trades(bars, costs_bp=2.5, agents=(agent,))
    count = len(closed)
    assert count > 20
    assert len(expected) - count in {0, 1}  # the backtest closes the last one at the end
    for column, values in enumerate((expected.signal_bar, expected.exit_bar, expected.direction)):
        assert [row[column] for row in closed] == values[:count].tolist()
    assert [row[3] for row in closed] == pytest.approx(expected.net[:count].tolist())
    assert [row[4] for row in closed] == pytest.approx(expected.net_in_atr[:count].tolist())


def position(direction=1):
    return Position("d", direction, 1.0, close=100.0, atr=1.0)


def bar(**prices):
    first = paper_bars(1)[0]
    return type(first)(first.time, **{"open": 100.0, "high": 100.5, "low": 99.5, "close": 100.0} | prices)


@pytest.mark.parametrize(
    ("direction", "prices", "price", "reason"),
    [
        (1, {"high": 110.0, "low": 90.0}, 97.0, "stop"),
        (-1, {"high": 110.0, "low": 90.0}, 103.0, "stop"),
        (1, {"high": 104.0}, 103.0, "target"),
        (-1, {"low": 96.0}, 97.0, "target"),
        (1, {"open": 95.0, "low": 94.0}, 95.0, "stop"),
        (-1, {"open": 95.0, "low": 94.0}, 95.0, "target"),
    ],
)
def test_stop_comes_before_target_and_gaps_fill_at_the_open(direction, prices, price, reason):
    book = Book(costs_bp=0, hold_bars=24, bracket=3.0)
    book.order(position(direction))
    assert book.on_bar(bar()) is None
    closed_trade = book.on_bar(bar(**prices))
    assert (closed_trade.exit_price, closed_trade.exit_reason) == (price, reason)
    assert closed_trade.net == pytest.approx(direction * math.log(price / 100))
    assert book.position is None


def test_a_position_is_closed_at_the_open_after_its_holding_time():
    book = Book(costs_bp=0, hold_bars=2, bracket=3.0)
    book.order(position())
    assert [book.on_bar(bar()), book.on_bar(bar())] == [None, None]
    closed_trade = book.on_bar(bar(open=101.0, high=101.0))
    assert (closed_trade.exit_price, closed_trade.exit_reason, closed_trade.position.bars_held) == (101.0, "time", 2)


def test_a_book_with_a_position_refuses_orders():
    book = Book(costs_bp=0, hold_bars=2, bracket=3.0)
    book.order(position())
    with pytest.raises(ValueError, match="has the open position of d"):
        book.order(position())
