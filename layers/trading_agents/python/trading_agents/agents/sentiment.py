"""`SentimentAgentWithMemory`: follows momentum in trends, fades it elsewhere, and remembers reversals."""

from itertools import pairwise
from typing import Any

from trading_agents.agents.baseline import UsualLevel
from trading_agents.agents.features import Features, number
from trading_agents.agents.memory_agent import NEUTRAL_CONFIDENCE, MemoryAwareAgent, Signal
from trading_agents.memory import TradingMemoryStore

_FOLLOWING, _FADING = 0.65, 0.5
_TREND, _NO_TREND = 25.0, 20.0
_MOMENTUM, _EXTREME = 0.5, 1.5
_UNUSUAL = 2.0
_CAUTION = 0.8
_LAST_EXTREMES = 5


class SentimentAgentWithMemory(MemoryAwareAgent):
    """Follows momentum beyond ±0.5 in a trend; fades momentum beyond ±1.5 where there is none.

    Reads `sentiment`: `momentum` (z-score), `volatility` (any unit, above 0) and `trend_strength` (ADX, 0 to 100; above
    25 is a trend, below 20 is none: Wilder, *New Concepts in Technical Trading Systems*, 1978). It remembers extremes:
    where the last ones point both ways, sentiment turns often, and it is cautious; so it is where volatility is twice
    what it remembers as usual.
    """

    def __init__(self, name: str, memory: TradingMemoryStore, **settings: Any) -> None:
        super().__init__(name, memory, **settings)
        self._usual_volatility = UsualLevel(memory, "volatility")

    def _base_decision(self, symbol: str, features: Features) -> tuple[Signal, float]:
        momentum = number(features, "sentiment", "momentum") or 0.0
        strength = number(features, "sentiment", "trend_strength") or 0.0
        signal: Signal = "neutral"
        confidence = NEUTRAL_CONFIDENCE
        if strength > _TREND and abs(momentum) > _MOMENTUM:
            signal, confidence = ("long" if momentum > 0 else "short"), _FOLLOWING
        elif strength < _NO_TREND and abs(momentum) > _EXTREME:
            signal, confidence = ("short" if momentum > 0 else "long"), _FADING
        if self._turns_often(symbol):
            confidence *= _CAUTION
        if self._is_unusually_volatile(symbol, features):
            confidence *= _CAUTION
        return signal, confidence

    def _turns_often(self, symbol: str) -> bool:
        extremes = self.memory.get_recent("sentiment_extreme", symbol, n=_LAST_EXTREMES)
        signs: list[bool] = [item.metadata["momentum"] > 0 for item in extremes]
        turns: int = sum(one != other for one, other in pairwise(signs))
        return turns > 1

    def _is_unusually_volatile(self, symbol: str, features: Features) -> bool:
        volatility = number(features, "sentiment", "volatility")
        if volatility is None:
            return False
        usual = self._usual_volatility.of(symbol)
        self._usual_volatility.remember(symbol, volatility)
        return usual is not None and volatility > _UNUSUAL * usual
