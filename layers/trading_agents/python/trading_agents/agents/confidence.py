"""Rules by which remembered outcomes change an agent's confidence. A rule is chosen when an agent is constructed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from agent_memory import InvalidInput
from trading_agents.core.arrays import FloatArray
from trading_agents.memory import TradingMemoryItem, TradingMemoryStore

Numbers = TypeVar("Numbers", float, FloatArray)

MAX_ADJUSTMENT = 0.3
"""All that is remembered together changes a confidence by this fraction at most, unless an agent has another limit."""

_ALL_OUTCOMES = 10_000


@dataclass(frozen=True, slots=True)
class OutcomeRecord:
    """The remembered outcomes of past trades of a symbol.

    Attributes:
        symbol: of the instrument.
        recent: the last outcomes of the symbol, latest first.
        win_rate: fraction of them that won, 0 to 1; 0.5 if there are none.
        memory: the store with all outcomes.
    """

    symbol: str
    recent: Sequence[TradingMemoryItem]
    win_rate: float
    memory: TradingMemoryStore

    def profits(self, symbol: str | None = None) -> list[float]:
        """Return the `pnl` of all remembered outcomes, latest first, of one symbol or of all."""
        return [
            float(item.metadata.get("pnl", 0)) for item in self.memory.get_recent("outcome", symbol, n=_ALL_OUTCOMES)
        ]


class ConfidenceRule(Protocol):
    """Maps remembered outcomes to a factor on the confidence."""

    def factor(self, record: OutcomeRecord) -> float:
        """Return the factor for the confidence; the agent limits it, and what all memories change together."""
        ...


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Outcomes do not change the confidence.

    This is what the evidence favours: whether a trade wins has a correlation of -0.03 to -0.01 with the last twenty
    trades of its agent (decision record 0025).
    """

    def factor(self, record: OutcomeRecord) -> float:  # noqa: ARG002
        """Return 1."""
        return 1.0


@dataclass(frozen=True, slots=True)
class WinRateRule:
    """Less confidence after a low win rate, more after a high one: by default × 0.7 below 0.4 and × 1.2 above 0.6.

    Evidence (docs/does-memory-help.md, seven textbook agents): the Sharpe ratio changes by -0.05 to +0.03, and its
    interval contains 0 on 3 of 3 files. Win rates of twenty trades are noise. The rule is the default because the
    design of the trading memory specifies it.

    `min_outcomes` is the smallest sample that changes the confidence; an agent passes its last ten outcomes.
    """

    low: float = 0.4
    high: float = 0.6
    cut: float = 0.7
    boost: float = 1.2
    min_outcomes: int = 10

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high <= 1:
            raise InvalidInput("low", f"{self.low!r} and high {self.high!r} are not 0 <= low <= high <= 1")
        check_factor("cut", self.cut)
        check_factor("boost", self.boost)

    def factor(self, record: OutcomeRecord) -> float:
        """Return `cut`, 1 or `boost`."""
        return self.factor_for(record.win_rate, len(record.recent))

    def factor_for(self, win_rate: float, outcomes: int) -> float:
        """Return `cut`, 1 or `boost` for a win rate, 0 to 1, and the number of outcomes that it rests on."""
        if outcomes < self.min_outcomes:
            return 1.0
        if win_rate < self.low:
            return self.cut
        return self.boost if win_rate > self.high else 1.0


@dataclass(frozen=True, slots=True)
class PosteriorRule:
    """Less confidence if a symbol's trades are expected to lose, by a Beta posterior shrunk to the pooled win rate.

    The formula is `expected_profit`, shrunk to the rate of all remembered trades. If the result is negative and the
    symbol has at least `min_outcomes` trades, the confidence is multiplied by `cut`.

    Evidence: it works where there is a difference to find (it recovers 69-91% of synthetic regimes with win rates of
    45/55% to 40/60%). On real bars by market state (docs/does-memory-help.md) the Sharpe ratio changed by +0.32 to
    +1.38, beyond chance on 0 of 3 files, because skipping trades of losing agents gains as much; agents that stay
    profitable lost 0.08 to 0.28.
    """

    strength: float = 30.0
    min_outcomes: int = 30
    cut: float = 0.7

    def __post_init__(self) -> None:
        if self.strength <= 0:
            raise InvalidInput("strength", f"{self.strength!r} is not above 0")
        check_factor("cut", self.cut)

    def factor(self, record: OutcomeRecord) -> float:
        """Return `cut` or 1."""
        profits = record.profits(record.symbol)
        if len(profits) < self.min_outcomes:
            return 1.0
        return self.cut if self.expected_profit(profits, record.profits()) < 0 else 1.0

    def expected_profit(self, profits: Sequence[float], pooled: Sequence[float]) -> float:
        """Return the expected profit of a trade, in the unit of the profits, from those of one cell and of all."""
        wins = [profit for profit in pooled if profit > 0]
        losses = [-profit for profit in pooled if profit <= 0]
        return expected_profit(
            float(sum(profit > 0 for profit in profits)),
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
    """Return the expected profit of a trade in a cell, by a Beta posterior shrunk to the pooled win rate.

    p = (k p₀ + wins) / (k + n), p₀ = (pooled wins + 1) / (pooled n + 2), E = p W - (1 - p) L: the posterior mean under
    a Beta(k p₀, k (1 - p₀)) prior; Gelman et al., *Bayesian Data Analysis* (2013), section 5.1.

    Args:
        wins: winning trades of the cell (a symbol, a market state); numbers, or arrays of one shape.
        count: trades of the cell.
        pooled_wins: winning trades of all cells.
        pooled_count: trades of all cells.
        mean_win: W, over all cells, 0 or more; E has its unit.
        mean_loss: L, over all cells, 0 or more.
        strength: k, the weight of the pooled rate in trades.
    """
    pooled_rate = (pooled_wins + 1) / (pooled_count + 2)
    rate = (strength * pooled_rate + wins) / (strength + count)
    return rate * mean_win - (1 - rate) * mean_loss


def limit_adjustment(factor: float, limit: float = MAX_ADJUSTMENT) -> float:
    """Limit a factor to `1 ± limit`."""
    return min(1 + limit, max(1 - limit, factor))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def check_factor(name: str, factor: float) -> None:
    """Check a factor on a confidence; `InvalidInput` if it changes it by more than `MAX_ADJUSTMENT`."""
    if limit_adjustment(factor) != factor:
        raise InvalidInput(name, f"{factor!r} changes a confidence by more than {MAX_ADJUSTMENT:.0%}")


AS_DESIGNED: Mapping[str, Any] = {"confidence_rule": WinRateRule(min_outcomes=0), "max_adjustment": 1.0}
"""Settings of an agent that behaves as the code in the design of the trading memory: one outcome is enough, and
memories multiply without a common limit. Its text asks for both limits, which are therefore the default."""
