"""`SentimentAgentWithMemory`: follows momentum in a trend, fades it otherwise, and remembers reversals."""

from itertools import pairwise
from typing import Any

from trading_agents.agents.baseline import Baseline
from trading_agents.agents.features import Features, number
from trading_agents.agents.memory_agent import NEUTRAL_CONFIDENCE, MemoryAwareAgent, Signal
from trading_agents.memory import TradingMemoryStore

_FOLLOWING, _FADING = 0.65, 0.5
_TREND, _NO_TREND = 25.0, 20.0
_MOMENTUM, _EXTREME = 0.5, 1.5
_ABOVE_BASELINE = 2.0
_CAUTION = 0.8
_LAST_EXTREMES = 5


class SentimentAgentWithMemory(MemoryAwareAgent):
    """Follows momentum beyond ±0.5 in a trend; fades momentum beyond ±1.5 without one.

    Reads `sentiment`: `momentum` (z-score), `volatility` (any unit, above 0) and `trend_strength` (ADX, 0 to 100; above
    25 there is a trend, below 20 there is not: Wilder, *New Concepts in Technical Trading Systems*, 1978). Its
    confidence is lower when the last remembered extremes alternate in sign, and when volatility is twice its remembered
    typical level.
    """

    def __init__(self, name: str, memory: TradingMemoryStore, **settings: Any) -> None:
        super().__init__(name, memory, **settings)
        self._volatility_baseline = Baseline(memory, "volatility")

    def _base_decision(self, symbol: str, features: Features) -> tuple[Signal, float]:  # noqa: ARG002
        momentum = number(features, "sentiment", "momentum") or 0.0
        strength = number(features, "sentiment", "trend_strength") or 0.0
        signal: Signal = "neutral"
        confidence = NEUTRAL_CONFIDENCE
        if strength > _TREND and abs(momentum) > _MOMENTUM:
            signal, confidence = ("long" if momentum > 0 else "short"), _FOLLOWING
        elif strength < _NO_TREND and abs(momentum) > _EXTREME:
            signal, confidence = ("short" if momentum > 0 else "long"), _FADING
        return signal, confidence

    def _memory_factor(self, symbol: str, features: Features, signal: Signal) -> float:  # noqa: ARG002
        reversing, volatile = self._reverses_often(symbol), self._is_volatile(symbol, features)
        return (_CAUTION if reversing else 1.0) * (_CAUTION if volatile else 1.0)

    def _reverses_often(self, symbol: str) -> bool:
        extremes = self.memory.get_recent("sentiment_extreme", symbol, n=_LAST_EXTREMES)
        signs: list[bool] = [item.metadata["momentum"] > 0 for item in extremes]
        reversals: int = sum(one != other for one, other in pairwise(signs))
        return reversals > 1

    def _is_volatile(self, symbol: str, features: Features) -> bool:
        volatility = number(features, "sentiment", "volatility")
        if volatility is None:
            return False
        typical = self._volatility_baseline.median(symbol)
        self._volatility_baseline.remember(symbol, volatility)
        return typical is not None and volatility > _ABOVE_BASELINE * typical
