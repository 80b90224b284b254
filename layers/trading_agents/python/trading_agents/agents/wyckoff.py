"""`WyckoffAgentWithMemory`: trades springs and upthrusts, and remembers the outcomes of each setup."""

from typing import Any

from trading_agents.agents.confidence import limit_adjustment
from trading_agents.agents.features import Features, flag, label
from trading_agents.agents.memory_agent import NEUTRAL_CONFIDENCE, MemoryAwareAgent, Signal
from trading_agents.memory import TradingMemoryItem, TradingMemoryStore

_SETUPS: dict[str, tuple[Signal, float]] = {
    "spring": ("long", 0.7),
    "upthrust": ("short", 0.7),
    "markup": ("long", 0.5),
    "accumulation": ("long", 0.5),
    "markdown": ("short", 0.5),
    "distribution": ("short", 0.5),
}
_KIND = "setup_outcome"
_LAST_OUTCOMES = 100
_MIN_OUTCOMES = 10
_PRIOR_TRADES = 10.0
_PRIOR_RATE = 0.5


class WyckoffAgentWithMemory(MemoryAwareAgent):
    """Long on a spring, short on an upthrust; with less confidence on the phase alone.

    Reads `wyckoff`: `spring` and `upthrust` (whether seen) and `phase` (`accumulation`, `markup`, `distribution`,
    `markdown`). An outcome counts for the setup passed with it, or else for the setup of the symbol's last vote. From
    ten outcomes of a setup on, the confidence is multiplied by the setup's success rate, shrunk towards one half by ten
    trades, over one half; together with other memories the change is limited to 30%. Evidence: what agents earn by
    setup or regime did not persist (correlation of the two halves of the data -0.18 to +0.10), which is why limit and
    shrinkage keep the effect small.
    """

    def __init__(self, name: str, memory: TradingMemoryStore, **settings: Any) -> None:
        super().__init__(name, memory, **settings)
        self._last_setup: dict[str, str] = {}
        self._current_setup: dict[str, str] = {}

    def _extra_state(self) -> dict[str, Any]:
        return {"last_setup": dict(self._last_setup)}

    def _restore_extra_state(self, data: dict[str, Any]) -> None:
        self._last_setup = dict(data["last_setup"])

    def _base_decision(self, symbol: str, features: Features) -> tuple[Signal, float]:
        setup = next((name for name in ("spring", "upthrust") if flag(features, "wyckoff", name)), None)
        setup = setup or label(features, "wyckoff", "phase")
        self._current_setup[symbol] = setup if setup in _SETUPS else ""
        if setup not in _SETUPS:
            return "neutral", NEUTRAL_CONFIDENCE
        self._last_setup[symbol] = setup
        return _SETUPS[setup]

    def setup(self, symbol: str) -> str:
        """Return the setup of the symbol's last bar; empty if there was none."""
        return self._current_setup.get(symbol, "")

    def remember_outcome(
        self, symbol: str, trade_id: str, pnl: float, entry_price: float, exit_price: float, *, setup: str = ""
    ) -> None:
        """Remember the outcome of a trade, and of its setup."""
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
        """Return the win rate of the remembered trades on a setup, shrunk to one half, and their number."""
        recent = self.memory.get_recent(_KIND, symbol, n=_LAST_OUTCOMES)
        profits = [item.metadata["pnl"] for item in recent if item.metadata["setup"] == setup]
        wins = sum(pnl > 0 for pnl in profits)
        return (wins + _PRIOR_TRADES * _PRIOR_RATE) / (len(profits) + _PRIOR_TRADES), len(profits)

    def _recalled(self, symbol: str, setup: str) -> list[TradingMemoryItem]:
        of_setup = [item for item in self.memory.get_recent(_KIND, symbol) if item.metadata["setup"] == setup]
        return [*of_setup, *super()._recalled(symbol, setup)]

    def _setup_factor(self, symbol: str, setup: str) -> float:
        rate, count = self.success_rate(symbol, setup)
        return limit_adjustment(rate / _PRIOR_RATE) if setup and count >= _MIN_OUTCOMES else 1.0
