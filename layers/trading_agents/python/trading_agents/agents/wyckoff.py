"""`WyckoffAgentWithMemory`: trades springs and upthrusts, and remembers what came of each."""

from typing import Any

from trading_agents.agents.confidence import limited
from trading_agents.agents.features import Features, flag, label
from trading_agents.agents.memory_agent import NEUTRAL_CONFIDENCE, MemoryAwareAgent, Signal
from trading_agents.memory import TradingMemoryStore

_SETUPS: dict[str, tuple[Signal, float]] = {
    "spring": ("long", 0.7),
    "upthrust": ("short", 0.7),
    "markup": ("long", 0.5),
    "accumulation": ("long", 0.5),
    "markdown": ("short", 0.5),
    "distribution": ("short", 0.5),
}
_KIND = "setup_outcome"
_REMEMBERED = 100
_LEAST = 10
_PRIOR = 10.0
_EVEN = 0.5


class WyckoffAgentWithMemory(MemoryAwareAgent):
    """Long on a spring, short on an upthrust; less surely with the phase alone.

    Reads `wyckoff`: `spring` and `upthrust` (whether seen) and `phase` (`accumulation`, `markup`, `distribution`,
    `markdown`). An outcome counts for the setup that it is told with, else for the one on which the symbol was last
    voted. From ten outcomes of a setup on, confidence is multiplied with its success rate over one half, the rate
    shrunk to one half by ten trades, by at most 30%. The evidence: what agents earn by setup or regime did not persist
    (half against half -0.18 to +0.10); the limit and the shrinking keep it small.
    """

    def __init__(self, name: str, memory: TradingMemoryStore, **settings: Any) -> None:
        super().__init__(name, memory, **settings)
        self._last_setup: dict[str, str] = {}
        self._present_setup: dict[str, str] = {}

    def _own_state(self) -> dict[str, Any]:
        return {"last_setup": dict(self._last_setup)}

    def _restore_own(self, data: dict[str, Any]) -> None:
        self._last_setup = dict(data["last_setup"])

    def _base_decision(self, symbol: str, features: Features) -> tuple[Signal, float]:
        setup = next((name for name in ("spring", "upthrust") if flag(features, "wyckoff", name)), None)
        setup = setup or label(features, "wyckoff", "phase")
        self._present_setup[symbol] = setup if setup in _SETUPS else ""
        if setup not in _SETUPS:
            return "neutral", NEUTRAL_CONFIDENCE
        self._last_setup[symbol] = setup
        return _SETUPS[setup]

    def setup(self, symbol: str) -> str:
        """The setup of the symbol's last bar; empty where there was none."""
        return self._present_setup.get(symbol, "")

    def remember_outcome(
        self, symbol: str, trade_id: str, pnl: float, entry_price: float, exit_price: float, *, setup: str = ""
    ) -> None:
        """Remember what came of a trade, and of its setup."""
        setup = setup or self._last_setup.get(symbol, "")
        super().remember_outcome(symbol, trade_id, pnl, entry_price, exit_price)
        if setup:
            self.memory.add(
                kind=_KIND,
                content=f"{setup} {'worked' if pnl > 0 else 'failed'}",
                symbol=symbol,
                metadata={"setup": setup, "pnl": pnl, "trade_id": trade_id},
            )

    def success_rate(self, symbol: str, setup: str) -> tuple[float, int]:
        """Share of the remembered trades on a setup that won, shrunk to one half, and how many there are."""
        recent = self.memory.get_recent(_KIND, symbol, n=_REMEMBERED)
        profits = [item.metadata["pnl"] for item in recent if item.metadata["setup"] == setup]
        wins = sum(pnl > 0 for pnl in profits)
        return (wins + _PRIOR * _EVEN) / (len(profits) + _PRIOR), len(profits)

    def _trust_in(self, symbol: str, setup: str) -> float:
        rate, count = self.success_rate(symbol, setup)
        return limited(rate / _EVEN) if setup and count >= _LEAST else 1.0
