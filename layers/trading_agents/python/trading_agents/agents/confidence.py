"""How remembered outcomes may change an agent's confidence. A rule is chosen when an agent is made."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from agent_memory.core.errors import InvalidInput
from trading_agents.core.arrays import FloatArray
from trading_agents.memory import TradingMemoryItem, TradingMemoryStore

Numbers = TypeVar("Numbers", float, FloatArray)

MAX_ADJUSTMENT = 0.3
"""No rule changes a confidence by a larger share than this."""

_ALL = 10_000


@dataclass(frozen=True, slots=True)
class OutcomeRecord:
    """What is remembered of past trades of a symbol.

    Attributes:
        symbol: of the instrument.
        recent: the last outcomes of the symbol, latest first.
        win_rate: share of them that won, 0 to 1; 0.5 where there are none.
        memory: where all of them lie.
    """

    symbol: str
    recent: Sequence[TradingMemoryItem]
    win_rate: float
    memory: TradingMemoryStore

    def profits(self, symbol: str | None = None) -> list[float]:
        """The `pnl` of all remembered outcomes, latest first, of one symbol or of all."""
        return [float(item.metadata.get("pnl", 0)) for item in self.memory.get_recent("outcome", symbol, n=_ALL)]


class ConfidenceRule(Protocol):
    """Turns a record into a factor."""

    def factor(self, record: OutcomeRecord) -> float:
        """What a confidence is to be multiplied with; the agent keeps it within `1 ± MAX_ADJUSTMENT`."""
        ...


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Memory does not change confidence.

    What the evidence favours for win rates: a trade's win or loss has a correlation of -0.03 to -0.01 with the last
    twenty of its agent (docs/decisions/memories-that-change-size.md).
    """

    def factor(self, record: OutcomeRecord) -> float:  # noqa: ARG002
        """One."""
        return 1.0


@dataclass(frozen=True, slots=True)
class WinRateRule:
    """Less confidence after a low win rate, more after a high one: the design's rule, × 0.7 below 0.4, × 1.2 above 0.6.

    Evidence, on hourly SPY, BTC and EURUSD bars with seven agents: it changes the Sharpe ratio by -0.03 to +0.08, every
    95% interval holding 0. Win rates of twenty trades are noise. It is the default because the design asks for it.

    `min_outcomes` is the least sample that may change anything.
    """

    low: float = 0.4
    high: float = 0.6
    cut: float = 0.7
    boost: float = 1.2
    min_outcomes: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high <= 1:
            raise InvalidInput("low", f"{self.low!r} and high {self.high!r} are not 0 <= low <= high <= 1")
        _check_factor("cut", self.cut)
        _check_factor("boost", self.boost)

    def factor(self, record: OutcomeRecord) -> float:
        """`cut`, 1 or `boost`."""
        return self.factor_of(record.win_rate, len(record.recent))

    def factor_of(self, win_rate: float, outcomes: int) -> float:
        """`cut`, 1 or `boost` for the win rate, 0 to 1, of so many outcomes."""
        if outcomes < self.min_outcomes:
            return 1.0
        if win_rate < self.low:
            return self.cut
        return self.boost if win_rate > self.high else 1.0


@dataclass(frozen=True, slots=True)
class PosteriorRule:
    """Less confidence where a symbol's trades are expected to lose, by a Beta posterior shrunk to the pooled rate.

    The formula is `expected_profit`; all remembered trades are what it shrinks to. Below zero, from `min_outcomes`
    trades of the symbol on, confidence is multiplied with `cut`.

    Evidence: sound where a difference exists (it recovers 69-91% of planted 45/55 to 40/60 regimes), but with real
    bars its gain was that of skipping trades of losing agents, not clearly more than with shuffled outcomes, and
    competent agents lost 0.05-0.38 of Sharpe by it.
    """

    strength: float = 30.0
    min_outcomes: int = 30
    cut: float = 0.7

    def __post_init__(self) -> None:
        if self.strength <= 0:
            raise InvalidInput("strength", f"{self.strength!r} is not above 0")
        _check_factor("cut", self.cut)

    def factor(self, record: OutcomeRecord) -> float:
        """`cut` or 1."""
        profits = record.profits(record.symbol)
        if len(profits) < self.min_outcomes:
            return 1.0
        return self.cut if self.expected_profit(profits, record.profits()) < 0 else 1.0

    def expected_profit(self, profits: Sequence[float], pooled: Sequence[float]) -> float:
        """E of a trade, in the unit of the profits, from the profits of one cell and of all."""
        wins = [profit for profit in pooled if profit > 0]
        losses = [-profit for profit in pooled if profit <= 0]
        won = float(sum(profit > 0 for profit in profits))
        return expected_profit(
            won,
            float(len(profits)),
            pooled_wins=float(len(wins)),
            pooled_count=float(len(pooled)),
            mean_win=_mean(wins),
            mean_loss=_mean(losses),
            strength=self.strength,
        )


def expected_profit(
    wins: Numbers,
    count: Numbers,
    *,
    pooled_wins: Numbers,
    pooled_count: Numbers,
    mean_win: Numbers,
    mean_loss: Numbers,
    strength: float = 30.0,
) -> Numbers:
    """What a trade of a cell is expected to make, by a Beta posterior shrunk to the pooled rate.

    p = (k p₀ + wins) / (k + n), p₀ = (pooled wins + 1) / (pooled n + 2), E = p W - (1 - p) L: the posterior mean under
    a Beta(k p₀, k (1 - p₀)) prior; Gelman et al., *Bayesian Data Analysis* (2013), section 5.1.

    Args:
        wins: of the cell (a symbol, a market state); numbers, or columns of one shape.
        count: trades of the cell.
        pooled_wins: of all cells.
        pooled_count: trades of all cells.
        mean_win: W, of all cells, 0 or more; E is in its unit.
        mean_loss: L, of all cells, 0 or more.
        strength: k, how many trades the pooled rate is worth.
    """
    pooled_rate = (pooled_wins + 1) / (pooled_count + 2)
    rate = (strength * pooled_rate + wins) / (strength + count)
    return rate * mean_win - (1 - rate) * mean_loss


def limited(factor: float) -> float:
    """A factor within `1 ± MAX_ADJUSTMENT`."""
    return min(1 + MAX_ADJUSTMENT, max(1 - MAX_ADJUSTMENT, factor))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _check_factor(name: str, factor: float) -> None:
    if limited(factor) != factor:
        raise InvalidInput(name, f"{factor!r} changes a confidence by more than {MAX_ADJUSTMENT:.0%}")
