"""Trades of the signal agents: signal at the close of bar t, fill at the open of bar t + 1.

    bar t        t + 1                      exit
    signal ──▶ entry at the open ─ … ─▶ stop, target, or the open after `hold_bars`

- One position per agent; its next signal counts only at or after the bar of its exit.
- A bar that opens beyond stop or target fills at its open. Inside a bar the stop comes before the target.
- Each side costs a share of the price, or half the spread: that of the open, and for an exit inside a bar the mean
  of the spreads at open and close.
- Profit and loss is in log returns net of costs, marked to market at every close and summed by day.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from trading_agents.backtest.engine.signal_agents import AGENTS, Agent, atr
from trading_agents.bars import PriceBars
from trading_agents.core.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Trades:
    """All trades of all agents in order of their signals; every column has the shape (trades,), except the last three.

    Attributes:
        agents: names; `agent` counts into it.
        agent: number of the agent.
        signal_bar: bar at whose close the decision falls.
        exit_bar: bar in which the position ends.
        direction: +1 long, -1 short.
        gross: log return before costs.
        cost: both sides, as a log return.
        risk: ATR20 at the signal, as a share of the close.
        marked_trade: number of the trade of each daily mark, shape (marks,).
        marked_day: number of its day, shape (marks,).
        marked_gross: gross log return of that trade on that day, shape (marks,).
        marked_cost: costs that fall on that day, shape (marks,).
    """

    agents: tuple[str, ...]
    agent: IntArray
    signal_bar: IntArray
    exit_bar: IntArray
    direction: IntArray
    gross: FloatArray
    cost: FloatArray
    risk: FloatArray
    marked_trade: IntArray
    marked_day: IntArray
    marked_gross: FloatArray
    marked_cost: FloatArray

    def __len__(self) -> int:
        return len(self.agent)

    @property
    def net(self) -> FloatArray:
        """Log return after costs."""
        return self.gross - self.cost

    @property
    def net_risk(self) -> FloatArray:
        """Log return after costs in units of ATR20."""
        return self.net / self.risk

    @property
    def duration(self) -> IntArray:
        """Bars from entry to exit, at least one."""
        return np.asarray(np.maximum(self.exit_bar - self.signal_bar - 1, 1))


class Exit(NamedTuple):
    """Where a position ends: the bar, the price, and whether inside the bar."""

    bar: int
    price: float
    inside: bool


def trade(
    bars: PriceBars, *, costs_bp: float = 1.0, skip_after_gaps: bool = False, agents: tuple[Agent, ...] = AGENTS
) -> Trades:
    """Let every agent trade the bars.

    Args:
        bars: of one instrument.
        costs_bp: of each side, in basis points of the price; unused where the bars have spreads.
        skip_after_gaps: let no agent enter at the first open after a gap of more than two hours.
        agents: who trades.
    """
    may_enter = ~bars.after_long_gap if skip_after_gaps else np.ones(len(bars), dtype=np.bool_)
    positions = _positions(bars, agents, costs_bp, may_enter)
    number, day, marked_gross, marked_cost = _marks(bars, positions)
    signal = positions.entry - 1
    return Trades(
        agents=tuple(agent.name for agent in agents),
        agent=positions.agent,
        signal_bar=signal,
        exit_bar=positions.exit_bar,
        direction=positions.direction,
        gross=np.asarray(positions.direction * np.log(positions.price / bars.open[positions.entry])),
        cost=positions.entry_cost + positions.exit_cost,
        risk=atr(bars)[signal] / bars.close[signal],
        marked_trade=number,
        marked_day=day,
        marked_gross=marked_gross,
        marked_cost=marked_cost,
    )


@dataclass(slots=True, eq=False)
class _Positions:
    """Columns of shape (trades,). `price` is that of the exit; costs are shares of the price."""

    agent: IntArray
    entry: IntArray
    exit_bar: IntArray
    direction: IntArray
    price: FloatArray
    entry_cost: FloatArray
    exit_cost: FloatArray


def _positions(bars: PriceBars, agents: tuple[Agent, ...], costs_bp: float, may_enter: BoolArray) -> _Positions:
    """The positions of all agents in order of their entries, then of the agents."""
    rows = [(number, *row) for number, agent in enumerate(agents) for row in _rows(bars, agent, may_enter)]
    table = np.array(sorted(rows, key=lambda row: (row[1], row[0])), dtype=float).reshape(-1, 6)
    agent, entry, exit_bar, direction = (table[:, i].astype(np.int64) for i in range(4))
    inside = table[:, 5].astype(np.bool_)
    entry_cost = exit_cost = np.full(len(table), costs_bp / 1e4)
    if bars.spread_open is not None and bars.spread_close is not None:
        at_open, at_close = bars.spread_open / bars.open / 2, bars.spread_close / bars.close / 2
        entry_cost = at_open[entry]
        exit_cost = np.where(inside, (at_open + at_close)[exit_bar] / 2, at_open[exit_bar])
    return _Positions(agent, entry, exit_bar, direction, table[:, 4], entry_cost, exit_cost)


def _rows(bars: PriceBars, agent: Agent, may_enter: BoolArray) -> list[tuple[int, int, int, float, bool]]:
    """Entry bar, exit bar, direction, exit price and whether the exit lies inside its bar, for each position."""
    ranges = atr(bars)
    signal = np.where(np.isfinite(ranges), agent.signal(bars), 0)
    signal[:-1] *= may_enter[1:]
    rows: list[tuple[int, int, int, float, bool]] = []
    free_from = 0
    for t in np.flatnonzero(signal[:-1]).tolist():
        if t >= free_from:
            direction = int(signal[t])
            left = _exit(bars, t + 1, direction, agent, float(ranges[t]))
            rows.append((t + 1, left.bar, direction, left.price, left.inside))
            free_from = left.bar
    return rows


def _exit(bars: PriceBars, entry: int, direction: int, agent: Agent, atr_at_signal: float) -> Exit:
    last = entry + agent.hold_bars
    if agent.bracket is not None:
        reach = direction * agent.bracket * atr_at_signal
        price = float(bars.open[entry])
        left = _bracket_exit(bars, entry, last, stop=price - reach, target=price + reach)
        if left:
            return left
    if last < len(bars):
        return Exit(last, float(bars.open[last]), inside=False)
    return Exit(len(bars) - 1, float(bars.close[-1]), inside=True)


def _bracket_exit(bars: PriceBars, entry: int, last: int, *, stop: float, target: float) -> Exit | None:
    """The first bar of entry ... last - 1 that touches stop or target."""
    lower, upper = min(stop, target), max(stop, target)
    touched = (bars.low[entry:last] <= lower) | (bars.high[entry:last] >= upper)
    if not touched.any():
        return None
    bar = entry + int(np.argmax(touched))
    opened = float(bars.open[bar])
    if not lower < opened < upper:
        return Exit(bar, opened, inside=False)
    stopped = bars.low[bar] <= stop if stop < target else bars.high[bar] >= stop
    return Exit(bar, stop if stopped else target, inside=True)


def _marks(bars: PriceBars, positions: _Positions) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """Trade, day, gross return and cost of every day on which a trade is open."""
    days = bars.days
    first_day, last_day = days[positions.entry], days[positions.exit_bar]
    lengths = last_day - first_day + 1
    number = np.repeat(np.arange(len(lengths)), lengths)
    first = np.cumsum(lengths) - lengths
    day = np.arange(len(number)) - first[number] + first_day[number]
    is_first, is_last = day == first_day[number], day == last_day[number]
    closes = np.log(bars.close[np.flatnonzero(np.diff(days, append=days[-1] + 1))])
    ends = np.where(is_last, np.log(positions.price)[number], closes[day])
    starts = np.concatenate([[0.0], ends])[:-1]
    starts[first] = np.log(bars.open[positions.entry])
    cost = np.where(is_first, positions.entry_cost[number], 0) + np.where(is_last, positions.exit_cost[number], 0)
    return number, day, positions.direction[number] * (ends - starts), cost
