"""`MarkovAgentWithMemory`: trades with the regime while it is likely to persist, and remembers transitions."""

from collections import Counter
from typing import Any

from trading_agents.agents.features import Features, label, number
from trading_agents.agents.memory_agent import NEUTRAL_CONFIDENCE, MemoryAwareAgent, Signal
from trading_agents.memory import TradingMemoryStore

_CONFIDENCE = 0.6
_TURBULENT = 0.6
_DIRECTIONS: dict[str, Signal] = {
    "bull": "long",
    "bullish": "long",
    "trending_up": "long",
    "calm": "long",
    "bear": "short",
    "bearish": "short",
    "trending_down": "short",
}
_KIND = "regime"
_LAST_TRANSITIONS = 500


class MarkovAgentWithMemory(MemoryAwareAgent):
    """Long in a calm or rising regime, short in a falling one, out of a turbulent market.

    Reads `markov`: `p_turbulent` (filtered probability, 0 to 1) and `regime` (a name). The confidence is multiplied by
    the remembered probability that the regime persists, within the limit on all memories. There is good evidence that
    regimes persist (probability 0.85 to 0.96 per day), but none that they predict a direction, which is why a turbulent
    market means neutral.
    """

    def __init__(self, name: str, memory: TradingMemoryStore, **settings: Any) -> None:
        super().__init__(name, memory, **settings)
        self._last_regime: dict[str, str] = {}

    def _extra_state(self) -> dict[str, Any]:
        return {"last_regime": dict(self._last_regime)}

    def _restore_extra_state(self, data: dict[str, Any]) -> None:
        self._last_regime = dict(data["last_regime"])

    def _base_decision(self, symbol: str, features: Features) -> tuple[Signal, float]:  # noqa: ARG002
        signal = _DIRECTIONS.get(label(features, "markov", "regime"), "neutral")
        turbulent = number(features, "markov", "p_turbulent")
        if signal == "neutral" or (turbulent is not None and turbulent > _TURBULENT):
            return "neutral", NEUTRAL_CONFIDENCE
        return signal, _CONFIDENCE

    def _memory_factor(self, symbol: str, features: Features, signal: Signal) -> float:
        regime = label(features, "markov", "regime")
        if not regime:
            return 1.0
        persistence = 1.0 if signal == "neutral" else self.transitions(symbol, regime).get(regime, 0.0)
        self._remember_regime(symbol, regime)
        return persistence

    def transitions(self, symbol: str, regime: str) -> dict[str, float]:
        """Return the remembered probabilities of the next bar's regime, summing to 1, `regime` itself included.

        Counts plus one for each known regime (Laplace's rule of succession).
        """
        recent = self.memory.get_recent(_KIND, symbol, n=_LAST_TRANSITIONS)
        pairs = Counter([(item.metadata.get("from"), item.metadata.get("to")) for item in recent])
        known = {name for pair in pairs for name in pair if name} | {regime}
        counts = Counter({after: count for (before, after), count in pairs.items() if before == regime})
        total = sum(counts.values()) + len(known)
        return {name: (counts[name] + 1) / total for name in sorted(known)}

    def _remember_regime(self, symbol: str, regime: str) -> None:
        before = self._last_regime.get(symbol)
        self._last_regime[symbol] = regime
        if before is not None:
            self.memory.add(
                kind=_KIND,
                content=f"Regime {regime} lasts" if before == regime else f"Regime changed from {before} to {regime}",
                score=0.5 if before == regime else 1.5,
                symbol=symbol,
                metadata={"from": before, "to": regime},
            )
