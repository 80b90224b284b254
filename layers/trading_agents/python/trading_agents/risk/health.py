"""`AgentHealth`: an agent whose results are significantly negative trades only on paper until they no longer are."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent_memory import InvalidInput
from trading_agents.core.snapshots import Snapshot, data_of, snapshot
from trading_agents.risk.exponential_average import ExponentialAverage

CRITICAL_T = -1.64
"""One-sided 5% quantile of the normal distribution."""

HALF_LIFE_TRADES = 100
MIN_TRADES = 100


@dataclass(frozen=True, slots=True)
class Health:
    """The results of an agent; `recent_t` and `lifetime_t` are None while there are too few trades to compute them."""

    trades: int
    recent_t: float | None
    lifetime_t: float | None
    is_retired: bool


@dataclass(slots=True)
class _TradeStatistics:
    trades: int = 0
    mean: float = 0.0
    squares: float = 0.0
    recent: ExponentialAverage = field(default_factory=lambda: ExponentialAverage(HALF_LIFE_TRADES))
    recent_squares: ExponentialAverage = field(default_factory=lambda: ExponentialAverage(HALF_LIFE_TRADES))

    def add(self, result: float) -> None:
        self.trades += 1
        step = result - self.mean
        self.mean += step / self.trades
        self.squares += step * (result - self.mean)
        self.recent.add(result)
        self.recent_squares.add(result**2)

    def recent_t(self) -> float | None:
        """Mean / (sd √(a / (2 - a))), a = 1 - 0.5^(1/100); (2 - a) / a is the effective sample size of the weights."""
        mean, square = self.recent.value, self.recent_squares.value
        if mean is None or square is None:
            return None
        rate = self.recent.rate
        return _t_statistic(mean, square - mean**2, rate / (2 - rate))

    def lifetime_t(self) -> float | None:
        """Mean / (sd / √n)."""
        if self.trades <= 1:
            return None
        return _t_statistic(self.mean, self.squares / (self.trades - 1), 1 / self.trades)

    def to_state(self) -> dict[str, Any]:
        averages = {"recent": self.recent.to_state(), "recent_squares": self.recent_squares.to_state()}
        return {"trades": self.trades, "mean": self.mean, "squares": self.squares, **averages}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "_TradeStatistics":
        averages = {name: ExponentialAverage.from_state(state[name]) for name in ("recent", "recent_squares")}
        return cls(**{**state, **averages})


class AgentHealth:
    """Retires an agent while the t statistic of its trades is below -1.64, from 100 trades on, and reinstates it after.

    The result of a trade is its net profit over the ATR at entry, both in the same unit. The recent t weights trades
    with a half-life of 100 trades; the lifetime t weights all equally. A retired agent keeps trading on paper, and
    these trades are observed like any other; otherwise a wrong decision to retire it could never be revised.

    Evidence (docs/does-memory-help.md, the recent t, synthetic outcomes), on 3 of 3 files: the Sharpe ratio of agents
    that stay profitable changed by -0.02 to +0.03, that of agents that fail midway by +0.56 to +2.10, and their maximum
    drawdown fell by 33 to 55%. On other files the sign was the same, on one of them at half the size. With real
    outcomes it gained nothing beyond chance: it protects against failing agents and is not a source of profit.

    Args:
        with_lifetime: retire by the lifetime t, which finds agents that were never profitable.
        with_recent: retire by the recent t, which finds agents that have stopped being profitable.
    """

    def __init__(self, *, with_lifetime: bool = True, with_recent: bool = True) -> None:
        if not (with_lifetime or with_recent):
            raise InvalidInput("with_recent", "without the recent and the lifetime t no agent is ever retired")
        self._with_lifetime, self._with_recent = with_lifetime, with_recent
        self._records: dict[str, _TradeStatistics] = {}

    def observe(self, agent: str, result: float) -> Health:
        """Add a closed trade, real or on paper, and return the agent's health after it.

        Raises:
            InvalidInput: the result is not a finite number.
        """
        if not math.isfinite(result):
            raise InvalidInput("result", f"{result!r} is not a finite number")
        self._records.setdefault(agent, _TradeStatistics()).add(result)
        return self.of(agent)

    def of(self, agent: str) -> Health:
        """Return the health of an agent; an unknown agent is active."""
        trades = self._records.get(agent) or _TradeStatistics()
        recent, lifetime = trades.recent_t(), trades.lifetime_t()
        tests = ((recent, self._with_recent), (lifetime, self._with_lifetime))
        is_negative = any(t is not None and t < CRITICAL_T for t, is_used in tests if is_used)
        return Health(trades.trades, recent, lifetime, trades.trades >= MIN_TRADES and is_negative)

    def multiplier(self, agent: str) -> float:
        """Return the factor for the agent's positions: 0 while it is retired, else 1."""
        return 0.0 if self.of(agent).is_retired else 1.0

    def report(self) -> dict[str, dict[str, Any]]:
        """Return each agent's status, `active` or `retired`, with the statistics behind it."""
        return {
            agent: {
                "status": "retired" if health.is_retired else "active",
                "trades": health.trades,
                "recent_t": health.recent_t,
                "lifetime_t": health.lifetime_t,
            }
            for agent in sorted(self._records)
            for health in [self.of(agent)]
        }

    def to_state(self) -> Snapshot:
        """Return every agent's statistics and the settings, for `from_state`."""
        records = {agent: record.to_state() for agent, record in self._records.items()}
        return snapshot("AgentHealth", with_lifetime=self._with_lifetime, records=records)

    @classmethod
    def from_state(cls, state: Snapshot) -> "AgentHealth":
        """Return the health of a snapshot. `InvalidInput` if `state` is not one."""
        data = data_of(state, "AgentHealth")
        health = cls(with_lifetime=data["with_lifetime"])
        health._records = {agent: _TradeStatistics.from_state(record) for agent, record in data["records"].items()}
        return health


def _t_statistic(mean: float, variance: float, weight: float) -> float | None:
    """Mean over its standard error; infinite if all results are equal, None if they are all 0."""
    if variance > 0:
        return mean / math.sqrt(variance * weight)
    return math.copysign(math.inf, mean) if mean else None
