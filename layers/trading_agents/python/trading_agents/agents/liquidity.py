"""`LiquidityAgentWithMemory`: trades back into the value area, and remembers what liquidity is usual."""

from typing import Any

from trading_agents.agents.baseline import UsualLevel
from trading_agents.agents.features import Features, label, number
from trading_agents.agents.memory_agent import NEUTRAL_CONFIDENCE, MemoryAwareAgent, Signal
from trading_agents.memory import TradingMemoryStore

_CONFIDENCE = 0.6
_ILLIQUID = 2.0
_UNUSUAL = 2.0
_CAUTION = 0.8


class LiquidityAgentWithMemory(MemoryAwareAgent):
    """Long below the value area of the volume profile, short above it, neutral inside.

    Reads `liquidity`: `amihud` (z-score over its trailing window), `kyle_lambda` (price impact per unit of volume),
    `value_area_low`, `value_area_high`, `poc` and `close` (prices). It learns which Kyle's lambda is usual in each
    regime (`markov.regime`, where given). A market that is illiquid, or moves at twice the usual impact, makes it
    cautious; a point of control on the wrong side of the close is no way back and keeps it out.
    """

    def __init__(self, name: str, memory: TradingMemoryStore, **settings: Any) -> None:
        super().__init__(name, memory, **settings)
        self._usual_impact = UsualLevel(memory, "kyle_lambda")

    def _base_decision(self, symbol: str, features: Features) -> tuple[Signal, float]:
        signal = self._back_to_value(features)
        confidence = NEUTRAL_CONFIDENCE if signal == "neutral" else _CONFIDENCE
        if (number(features, "liquidity", "amihud") or 0.0) > _ILLIQUID:
            confidence *= _CAUTION
        impact = number(features, "liquidity", "kyle_lambda")
        if impact is not None:
            regime = label(features, "markov", "regime")
            usual = self._usual_impact.of(symbol, regime)
            if usual is not None and impact > _UNUSUAL * usual:
                confidence *= _CAUTION
            self._usual_impact.remember(symbol, impact, regime)
        return signal, confidence

    def _back_to_value(self, features: Features) -> Signal:
        names = ("close", "value_area_low", "value_area_high", "poc")
        close, low, high, control = (number(features, "liquidity", name) for name in names)
        if close is None or low is None or high is None:
            return "neutral"
        if close < low and (control is None or control > close):
            return "long"
        if close > high and (control is None or control < close):
            return "short"
        return "neutral"
