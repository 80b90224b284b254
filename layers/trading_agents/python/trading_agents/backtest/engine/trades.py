"""Simulated trades of signal agents: signal at the close of bar t, fill at the open of bar t + 1.

    bar t        t + 1                      exit
    signal ──▶ entry at the open ─ … ─▶ stop, target, or the open after `hold_bars`

- Each agent holds one position at a time; its next signal counts only at or after the bar of the exit.
- A bar that opens beyond the stop or the target fills at its open. Within a bar the stop is assumed to come first.
- Each side costs a fraction of the price, or half the spread: that of the open, and for an exit within a bar the mean
  of the spreads at open and close.
- Profit and loss is in log returns net of costs, marked to market at every close and summed by day.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from trading_agents.backtest.engine.signal_agents import TEXTBOOK_AGENTS, SignalAgent, atr
from trading_agents.bars import PriceBars
from trading_agents.core.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Trades:
    """All trades of all agents in order of their signals.

    Arrays have the shape (trades,), except the daily marks, which have one row for each day that a trade is open.

    Attributes:
        agents: names; `agent` is an index into it.
        agent: index of the agent.
        signal_bar: bar at whose close the decision is made.
        exit_bar: bar in which the position ends.
        direction: +1 long, -1 short.
        gross: log return before costs.
        cost: of both sides, as a log return.
        atr_fraction: ATR20 at the signal over the close.
        mark_trade: index of the trade of each daily mark, shape (marks,).
        mark_day: index of its day, shape (marks,).
        mark_gross: gross log return of the trade on that day, shape (marks,).
        mark_cost: costs of the trade on that day, shape (marks,).
    """

    agents: tuple[str, ...]
    agent: IntArray
    signal_bar: IntArray
    exit_bar: IntArray
    direction: IntArray
    gross: FloatArray
    cost: FloatArray
    atr_fraction: FloatArray
    mark_trade: IntArray
    mark_day: IntArray
    mark_gross: FloatArray
    mark_cost: FloatArray

    @property
    def net(self) -> FloatArray:
        """Log return after costs."""
        return self.gross - self.cost

    def __len__(self) -> int:
        return len(self.agent)

    @property
    def net_in_atr(self) -> FloatArray:
        """Log return after costs, in units of ATR20."""
        return self.net / self.atr_fraction

    @property
    def duration(self) -> IntArray:
        """Bars from entry to exit, at least one."""
        return np.asarray(np.maximum(self.exit_bar - self.signal_bar - 1, 1))


class Exit(NamedTuple):
    """The end of a position: the bar, the price, and whether it is within the bar instead of at its open."""

    bar: int
    price: float
    is_intrabar: bool


def simulate_trades(
    bars: PriceBars,
    *,
    costs_bp: float = 1.0,
    skip_after_gaps: bool = False,
    agents: tuple[SignalAgent, ...] = TEXTBOOK_AGENTS,
) -> Trades:
    """Simulate the trades of every agent.

    Args:
        bars: of one instrument.
        costs_bp: per side, in basis points of the price; unused if the bars have spreads.
        skip_after_gaps: whether to allow no entry at the first open after a gap of more than two hours.
        agents: whose signals are traded.
    """
    may_enter = ~bars.after_long_gap if skip_after_gaps else np.ones(len(bars), dtype=np.bool_)
    positions = _positions(bars, agents, costs_bp, may_enter)
    mark_trade, mark_day, mark_gross, mark_cost = _mark_to_market(bars, positions)
    signal = positions.entry - 1
    return Trades(
        agents=tuple(agent.name for agent in agents),
        agent=positions.agent,
        signal_bar=signal,
        exit_bar=positions.exit_bar,
        direction=positions.direction,
        gross=np.asarray(positions.direction * np.log(positions.exit_price / bars.open[positions.entry])),
        cost=positions.entry_cost + positions.exit_cost,
        atr_fraction=atr(bars)[signal] / bars.close[signal],
        mark_trade=mark_trade,
        mark_day=mark_day,
        mark_gross=mark_gross,
        mark_cost=mark_cost,
    )


@dataclass(slots=True, eq=False)
class _Positions:
    """Arrays of shape (trades,). Costs are fractions of the price."""

    agent: IntArray
    entry: IntArray
    exit_bar: IntArray
    direction: IntArray
    exit_price: FloatArray
    entry_cost: FloatArray
    exit_cost: FloatArray


def _positions(bars: PriceBars, agents: tuple[SignalAgent, ...], costs_bp: float, may_enter: BoolArray) -> _Positions:
    """Return the positions of all agents, ordered by entry, then by agent."""
    rows = [(number, *row) for number, agent in enumerate(agents) for row in _rows(bars, agent, may_enter)]
    table = np.array(sorted(rows, key=lambda row: (row[1], row[0])), dtype=float).reshape(-1, 6)
    agent, entry, exit_bar, direction = (table[:, i].astype(np.int64) for i in range(4))
    is_intrabar = table[:, 5].astype(np.bool_)
    entry_cost = exit_cost = np.full(len(table), costs_bp / 1e4)
    if bars.spread_open is not None and bars.spread_close is not None:
        at_open, at_close = bars.spread_open / bars.open / 2, bars.spread_close / bars.close / 2
        entry_cost = at_open[entry]
        exit_cost = np.where(is_intrabar, (at_open + at_close)[exit_bar] / 2, at_open[exit_bar])
    return _Positions(agent, entry, exit_bar, direction, table[:, 4], entry_cost, exit_cost)


def _rows(bars: PriceBars, agent: SignalAgent, may_enter: BoolArray) -> list[tuple[int, int, int, float, bool]]:
    """Return entry bar, exit bar, direction, exit price and whether the exit is within its bar, for each position."""
    ranges = atr(bars)
    signal = np.where(np.isfinite(ranges) & (ranges > 0), agent.signal(bars), 0)  # constant prices have no stop
    signal[:-1] *= may_enter[1:]
    rows: list[tuple[int, int, int, float, bool]] = []
    first_free_bar = 0
    for t in np.flatnonzero(signal[:-1]).tolist():
        if t >= first_free_bar:
            direction = int(signal[t])
            ending = _exit(bars, t + 1, direction, agent, float(ranges[t]))
            rows.append((t + 1, ending.bar, direction, ending.price, ending.is_intrabar))
            first_free_bar = ending.bar
    return rows


def _exit(bars: PriceBars, entry: int, direction: int, agent: SignalAgent, atr_at_signal: float) -> Exit:
    last = entry + agent.hold_bars
    if agent.bracket is not None:
        distance = direction * agent.bracket * atr_at_signal
        price = float(bars.open[entry])
        ending = _bracket_exit(bars, entry, last, stop=price - distance, target=price + distance)
        if ending:
            return ending
    if last < len(bars):
        return Exit(last, float(bars.open[last]), is_intrabar=False)
    return Exit(len(bars) - 1, float(bars.close[-1]), is_intrabar=True)


def _bracket_exit(bars: PriceBars, entry: int, last: int, *, stop: float, target: float) -> Exit | None:
    """Return the exit in the first bar of entry ... last - 1 that touches stop or target, if any."""
    lower, upper = min(stop, target), max(stop, target)
    touched = (bars.low[entry:last] <= lower) | (bars.high[entry:last] >= upper)
    if not touched.any():
        return None
    bar = entry + int(np.argmax(touched))
    opened = float(bars.open[bar])
    if not lower < opened < upper:
        return Exit(bar, opened, is_intrabar=False)
    stopped = bars.low[bar] <= stop if stop < target else bars.high[bar] >= stop
    return Exit(bar, stop if stopped else target, is_intrabar=True)


def _mark_to_market(bars: PriceBars, positions: _Positions) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """Return trade, day, gross return and cost of every day on which a trade is open."""
    days = bars.days
    first_day, last_day = days[positions.entry], days[positions.exit_bar]
    lengths = last_day - first_day + 1
    trade = np.repeat(np.arange(len(lengths)), lengths)
    first = np.cumsum(lengths) - lengths
    day = np.arange(len(trade)) - first[trade] + first_day[trade]
    is_first, is_last = day == first_day[trade], day == last_day[trade]
    closes = np.log(bars.close[np.flatnonzero(np.diff(days, append=days[-1] + 1))])
    ends = np.where(is_last, np.log(positions.exit_price)[trade], closes[day])
    starts = np.concatenate([[0.0], ends])[:-1]
    starts[first] = np.log(bars.open[positions.entry])
    cost = np.where(is_first, positions.entry_cost[trade], 0) + np.where(is_last, positions.exit_cost[trade], 0)
    return trade, day, positions.direction[trade] * (ends - starts), cost
