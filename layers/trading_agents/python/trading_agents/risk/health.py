"""`AgentHealth`: an agent whose record is significantly negative trades on paper until it is not."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent_memory.core.errors import InvalidInput
from trading_agents.core.snapshots import Snapshot, data_of, snapshot
from trading_agents.risk.exponential_average import Average

CRITICAL_T = -1.64
"""One-sided 5% of the normal distribution."""

HALF_LIFE_TRADES = 100
LEAST_TRADES = 100


@dataclass(frozen=True, slots=True)
class Health:
    """An agent's record: `recent_t` and `lifetime_t` are None while they cannot be told."""

    trades: int
    recent_t: float | None
    lifetime_t: float | None
    is_retired: bool


@dataclass(slots=True)
class _Record:
    trades: int = 0
    mean: float = 0.0
    squares: float = 0.0
    recent: Average = field(default_factory=lambda: Average(HALF_LIFE_TRADES))
    recent_squares: Average = field(default_factory=lambda: Average(HALF_LIFE_TRADES))

    def add(self, result: float) -> None:
        self.trades += 1
        step = result - self.mean
        self.mean += step / self.trades
        self.squares += step * (result - self.mean)
        self.recent.add(result)
        self.recent_squares.add(result**2)

    def recent_t(self) -> float | None:
        """Mean / (sd √(a / (2 - a))), a = 1 - 0.5^(1/100): the last term is the weights' effective sample."""
        mean, square = self.recent.value, self.recent_squares.value
        if mean is None or square is None:
            return None
        rate = self.recent.rate
        return _t_of(mean, square - mean**2, rate / (2 - rate))

    def lifetime_t(self) -> float | None:
        """Mean / (sd / √n)."""
        if self.trades <= 1:
            return None
        return _t_of(self.mean, self.squares / (self.trades - 1), 1 / self.trades)

    def to_state(self) -> dict[str, Any]:
        averages = {"recent": self.recent.to_state(), "recent_squares": self.recent_squares.to_state()}
        return {"trades": self.trades, "mean": self.mean, "squares": self.squares, **averages}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "_Record":
        averages = {name: Average.from_state(state[name]) for name in ("recent", "recent_squares")}
        return cls(**{**state, **averages})


class AgentHealth:
    """Retires an agent while the t statistic of its trades lies below -1.64, from 100 trades on, and takes it back.

    A trade's result is its net profit over the ATR at entry, both in the same unit. The recent t weighs trades with a
    half-life of 100; the lifetime t weighs all alike. While an agent is retired its trades go on on paper and are
    observed as ever: a memory of one's own trades alone could never revise a wrong verdict.

    Evidence (docs/decisions/memories-that-change-size.md): competent agents lose nothing by it (Sharpe -0.01 to +0.10),
    portfolios whose agents break midway gain 0.6 to 2.4, and their largest drawdown falls by 55 to 74%. It is no edge;
    report "retired", never "boosted".

    Args:
        with_lifetime: retire by the lifetime t, which finds agents that never were any good.
        with_recent: retire by the recent t, which finds agents that broke.
    """

    def __init__(self, *, with_lifetime: bool = True, with_recent: bool = True) -> None:
        if not (with_lifetime or with_recent):
            raise InvalidInput("with_recent", "with neither the recent nor the lifetime t nobody is ever retired")
        self._with_lifetime, self._with_recent = with_lifetime, with_recent
        self._records: dict[str, _Record] = {}

    def observe(self, agent: str, result: float) -> Health:
        """One more closed trade, real or on paper; returns the agent's health after it.

        Raises:
            InvalidInput: the result is not a finite number.
        """
        if not math.isfinite(result):
            raise InvalidInput("result", f"{result!r} is not a finite number")
        self._records.setdefault(agent, _Record()).add(result)
        return self.of(agent)

    def of(self, agent: str) -> Health:
        """An agent's health; an unknown agent's is fine."""
        record = self._records.get(agent) or _Record()
        recent, lifetime = record.recent_t(), record.lifetime_t()
        verdicts = ((recent, self._with_recent), (lifetime, self._with_lifetime))
        is_negative = any(t is not None and t < CRITICAL_T for t, counts in verdicts if counts)
        return Health(record.trades, recent, lifetime, record.trades >= LEAST_TRADES and is_negative)

    def multiplier(self, agent: str) -> float:
        """What an agent's position is to be multiplied with: 0 while it is retired, else 1."""
        return 0.0 if self.of(agent).is_retired else 1.0

    def report(self) -> dict[str, dict[str, Any]]:
        """Each agent's status, `active` or `retired`, with what it rests on."""
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
        """Every agent's record and the settings, for `from_state`."""
        records = {agent: record.to_state() for agent, record in self._records.items()}
        return snapshot("AgentHealth", with_lifetime=self._with_lifetime, records=records)

    @classmethod
    def from_state(cls, state: Snapshot) -> "AgentHealth":
        """The health that was written. `InvalidInput` where `state` is none."""
        data = data_of(state, "AgentHealth")
        health = cls(with_lifetime=data["with_lifetime"])
        health._records = {agent: _Record.from_state(record) for agent, record in data["records"].items()}
        return health


def _t_of(mean: float, variance: float, share: float) -> float | None:
    """Mean over its standard error; infinite where all results are the same, None where they are 0."""
    if variance > 0:
        return mean / math.sqrt(variance * share)
    return math.copysign(math.inf, mean) if mean else None
