"""`RegimeMemory`: what markets did in each regime, and who did well in it."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from trading_agents.core.snapshots import Snapshot, data_of, snapshot


@dataclass(slots=True)
class _Sum:
    count: int = 0
    total: float = 0.0
    absolute: float = 0.0

    def add(self, value: float) -> None:
        self.count += 1
        self.total += value
        self.absolute += abs(value)


@dataclass(slots=True)
class _Regime:
    market: _Sum = field(default_factory=_Sum)
    agents: dict[str, _Sum] = field(default_factory=dict)


class RegimeMemory:
    """Characteristics of regimes, for explanation.

    Regimes last and differ in volatility; what an agent earns in one does not last (half against half -0.18 to +0.10).
    """

    def __init__(self) -> None:
        self._regimes: dict[str, _Regime] = {}

    def observe(self, regime: str, market_return: float, gains: Mapping[str, float]) -> None:
        """Count one outcome: the market's return, and each agent's gain in units of the usual return."""
        known = self._regimes.setdefault(regime, _Regime())
        known.market.add(market_return)
        for name, gain in gains.items():
            known.agents.setdefault(name, _Sum()).add(gain)

    def describe(self, regime: str) -> dict[str, Any] | None:
        """What is known of a regime, or None.

        Returns:
            `outcomes`, `mean_return`, `mean_absolute_return`, `agents` (by name `outcomes` and `mean_gain`, best first)
            and `best_agent`.
        """
        known = self._regimes.get(regime)
        if known is None:
            return None
        ranked = sorted(known.agents.items(), key=lambda one: -one[1].total / one[1].count)
        return {
            "outcomes": known.market.count,
            "mean_return": known.market.total / known.market.count,
            "mean_absolute_return": known.market.absolute / known.market.count,
            "agents": {name: {"outcomes": one.count, "mean_gain": one.total / one.count} for name, one in ranked},
            "best_agent": ranked[0][0] if ranked else None,
        }

    def __iter__(self) -> Iterator[str]:
        return iter(self._regimes)

    def to_state(self) -> Snapshot:
        """Everything counted, for `from_state`."""
        return snapshot("RegimeMemory", regimes={name: asdict(known) for name, known in self._regimes.items()})

    @classmethod
    def from_state(cls, state: Snapshot) -> "RegimeMemory":
        """The memory that was written. `InvalidInput` where `state` is none."""
        memory = cls()
        for name, known in data_of(state, "RegimeMemory")["regimes"].items():
            agents = {agent: _Sum(**counted) for agent, counted in known["agents"].items()}
            memory._regimes[name] = _Regime(_Sum(**known["market"]), agents)
        return memory
