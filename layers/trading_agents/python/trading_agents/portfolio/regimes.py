"""`RegimeMemory`: returns of the market and gains of the agents in each regime."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from trading_agents.core.snapshots import Snapshot, data_of, snapshot


@dataclass(slots=True)
class _Total:
    count: int = 0
    total: float = 0.0
    absolute: float = 0.0

    def add(self, value: float) -> None:
        self.count += 1
        self.total += value
        self.absolute += abs(value)


@dataclass(slots=True)
class _Regime:
    market: _Total = field(default_factory=_Total)
    agents: dict[str, _Total] = field(default_factory=dict)


class RegimeMemory:
    """Characteristics of regimes, to explain decisions.

    Regimes persist and differ in volatility; what an agent earns in a regime does not persist (correlation of the two
    halves of the data -0.18 to +0.10).
    """

    def __init__(self) -> None:
        self._regimes: dict[str, _Regime] = {}

    def observe(self, regime: str, market_return: float, gains: Mapping[str, float]) -> None:
        """Add an outcome: the return of the market, and each agent's gain in units of the typical return."""
        totals = self._regimes.setdefault(regime, _Regime())
        totals.market.add(market_return)
        for name, gain in gains.items():
            totals.agents.setdefault(name, _Total()).add(gain)

    def describe(self, regime: str) -> dict[str, Any] | None:
        """Return what is known about a regime, or None.

        Returns:
            `outcomes`, `mean_return`, `mean_absolute_return`, `agents` (by name `outcomes` and `mean_gain`, best first)
            and `best_agent`.
        """
        totals = self._regimes.get(regime)
        if totals is None:
            return None
        ranked = sorted(totals.agents.items(), key=lambda one: -one[1].total / one[1].count)
        return {
            "outcomes": totals.market.count,
            "mean_return": totals.market.total / totals.market.count,
            "mean_absolute_return": totals.market.absolute / totals.market.count,
            "agents": {name: {"outcomes": one.count, "mean_gain": one.total / one.count} for name, one in ranked},
            "best_agent": ranked[0][0] if ranked else None,
        }

    def __iter__(self) -> Iterator[str]:
        return iter(self._regimes)

    def to_state(self) -> Snapshot:
        """Return all totals, for `from_state`."""
        return snapshot("RegimeMemory", regimes={name: asdict(totals) for name, totals in self._regimes.items()})

    @classmethod
    def from_state(cls, state: Snapshot) -> "RegimeMemory":
        """Return the memory of a snapshot. `InvalidInput` if `state` is not one."""
        memory = cls()
        for name, stored in data_of(state, "RegimeMemory")["regimes"].items():
            agents = {agent: _Total(**counted) for agent, counted in stored["agents"].items()}
            memory._regimes[name] = _Regime(_Total(**stored["market"]), agents)
        return memory
