"""The half-life of every kind of item on bars: the five agents are replayed with each, as on paper.

At each bar an agent perceives, votes and remembers, with the half-lives of paper trading except that of one kind; what
has lost its importance is removed once a day. Directions depend on the features alone, so that the same trades are made
with every half-life: a trade's size is the confidence with memory over that without. What outcomes alone change is
measured by `half_lives` on the trades of all agents; the other kinds on those of the agent that reads them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trading_agents.agents import AGENT_TYPES
from trading_agents.agents.baseline import level_kind
from trading_agents.backtest.engine.trades import Trades, simulate_trades
from trading_agents.backtest.engine.votes import AGENT_NAMES, SYMBOL, BarClock, Votes, collect_votes
from trading_agents.bars import PriceBars
from trading_agents.bars.reader import spacing_seconds
from trading_agents.core.arrays import FloatArray
from trading_agents.indicators import FeatureTable, OptionChain
from trading_agents.memory import TradingMemoryStore
from trading_agents.paper.settings import PaperSettings
from trading_agents.paper.voting_agents import memory_for
from trading_agents.tuning.half_lives import Tuning, tune, tune_sizes
from trading_agents.tuning.record import TradeRecord

OUTCOMES = "outcome"
KINDS = {
    "hedge": ("squeeze", "market_event"),
    "liquidity": (level_kind("kyle_lambda"),),
    "sentiment": (level_kind("volatility"), "sentiment_extreme"),
    "wyckoff": ("setup_outcome",),
    "markov": ("regime",),
}
"""The kinds of items that change the confidence of each agent, beside outcomes."""

_COUNTED, _NEVER = 50, 1e12


@dataclass(frozen=True, slots=True)
class KindTuning:
    """What half-lives of one kind of items would have done.

    Attributes:
        kind: of the items.
        agent: that reads them; empty for all.
        tuning: the result.
    """

    kind: str
    agent: str
    tuning: Tuning


def tune_on_bars(
    bars: PriceBars,
    half_lives: Sequence[float],
    *,
    costs_bp: float = 1.0,
    chains: Sequence[OptionChain] = (),
    notify: Callable[[str], None] = lambda _: None,
) -> Iterator[KindTuning]:
    """Yield the result for every kind of items that changes a decision on these bars.

    Takes seconds for each kind and half-life and 10,000 bars.

    Args:
        bars: of one instrument.
        half_lives: seconds.
        costs_bp: costs per side in basis points; half the spread if the bars have one.
        chains: option chains, from which the Hedge agent decides.
        notify: called with what is done next.
    """
    notify("The agents vote at every bar")
    table = _CachedFeatures(bars, chains)
    votes = collect_votes(bars, table)
    trades = simulate_trades(bars, costs_bp=costs_bp, skip_after_gaps=bars.hides_gaps, agents=votes.signal_agents())
    replay = _Replay(bars, table, votes, trades)
    yield KindTuning(OUTCOMES, "", tune(replay.records(), half_lives))
    for agent, kinds in KINDS.items():
        if not replay.trades_of(agent).size:
            continue
        for kind in kinds:
            notify(f"{agent.capitalize()} with each half-life of {kind}")
            yield KindTuning(kind, agent.capitalize(), replay.tuning(agent, kind, half_lives))


class _CachedFeatures(FeatureTable):
    """Features that are computed once for all replays."""

    def __init__(self, bars: PriceBars, chains: Sequence[OptionChain]) -> None:
        super().__init__(bars, chains)
        self._known: dict[int, dict[str, Any]] = {}

    def features_at(self, t: int) -> dict[str, Any]:
        if t not in self._known:
            self._known[t] = super().features_at(t)
        return self._known[t]


class _Replay:
    """Replays single agents over bars with other half-lives."""

    def __init__(self, bars: PriceBars, table: FeatureTable, votes: Votes, trades: Trades) -> None:
        self._bars, self._table, self._votes, self._trades = bars, table, votes, trades
        self._starts = bars.time.astype(np.int64)
        self._settings = PaperSettings(symbol=SYMBOL, bar_seconds=float(spacing_seconds(bars.time) or 1))

    def trades_of(self, agent: str) -> Any:
        """Return the numbers of an agent's trades, in order of time."""
        return np.flatnonzero(self._trades.agent == AGENT_NAMES.index(agent))

    def records(self) -> list[TradeRecord]:
        """Return the trades of each agent as a record: a result is known at the close of the bar of its exit."""
        return [self._record(agent) for agent in AGENT_NAMES]

    def _record(self, agent: str) -> TradeRecord:
        rows = self.trades_of(agent)
        decided = self._starts[self._trades.signal_bar[rows]] + self._settings.bar_seconds
        ended = self._starts[self._trades.exit_bar[rows]].astype(np.float64)
        return TradeRecord(agent, decided, ended, self._trades.net[rows], np.full(len(rows), 2.0))

    def tuning(self, agent: str, kind: str, half_lives: Sequence[float]) -> Tuning:
        """Return what each half-life of a kind would have done on the trades of an agent."""
        profit = self._trades.net[self.trades_of(agent)]
        return tune_sizes(profit, half_lives, lambda life: self._sizes(agent, kind, min(life, _NEVER)))

    def _sizes(self, name: str, kind: str, half_life: float) -> tuple[FloatArray, FloatArray]:
        """Return the size of each trade, and of how many items of the kind the agent knew then, at most fifty."""
        number, rows = AGENT_NAMES.index(name), self.trades_of(name).tolist()
        clock = BarClock()
        usual = memory_for(self._settings, clock)
        memory = TradingMemoryStore(
            usual.decay_half_life, half_lives={**usual.half_lives, kind: half_life}, clock=clock
        )
        agent = AGENT_TYPES[name](name, memory)
        trades, days = self._trades, self._bars.days.tolist()
        signal_bars, exit_bars = trades.signal_bar[rows].tolist(), trades.exit_bar[rows].tolist()
        profits = (self._settings.capital * np.expm1(trades.net[rows])).tolist()
        sizes, counts, ended = np.ones(len(rows)), np.zeros(len(rows)), 0
        for t, start in enumerate(self._starts.tolist()):
            clock.now = start + self._settings.bar_seconds
            while ended < len(rows) and exit_bars[ended] <= t:
                entry, setup = (
                    float(self._bars.open[signal_bars[ended] + 1]),
                    self._votes.setup[number][signal_bars[ended]],
                )
                agent.remember_outcome(SYMBOL, "", profits[ended], entry, entry, setup=setup)
                ended += 1
            if self._votes.participates[t, number]:
                features = self._table.features_at(t)
                agent.perceive(SYMBOL, start, features)
                confidence = agent.act_with_memory(SYMBOL, start, features)[1]
                if ended < len(rows) and signal_bars[ended] == t:
                    sizes[ended] = confidence / float(self._votes.confidence_without_memory[t, number])
                    counts[ended] = len(memory.get_recent(kind, SYMBOL, n=_COUNTED))
            if t and days[t] != days[t - 1]:
                memory.cleanup()
        return sizes, counts
