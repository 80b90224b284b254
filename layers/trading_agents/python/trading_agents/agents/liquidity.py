"""`LiquidityAgentWithMemory`: trades back into the value area, and remembers typical price impact."""

from typing import Any

from trading_agents.agents.baseline import Baseline
from trading_agents.agents.features import Features, label, number
from trading_agents.agents.memory_agent import NEUTRAL_CONFIDENCE, MemoryAwareAgent, Signal
from trading_agents.agents.volume_patterns import VolumePatterns
from trading_agents.memory import TradingMemoryStore

_CONFIDENCE = 0.6
_ILLIQUID = 2.0
_ABOVE_BASELINE = 2.0
_CAUTION = 0.8


class LiquidityAgentWithMemory(MemoryAwareAgent):
    """Long below the value area of the volume profile, short above it, neutral inside.

    Reads `liquidity`: `amihud` (z-score over its trailing window), `kyle_lambda` (price impact per unit of volume),
    `value_area_low`, `value_area_high`, `poc` and `close` (prices). It learns the typical Kyle's lambda of each regime
    (`markov.regime`, if present). Illiquidity, or twice the typical impact, reduces its confidence. If the point of
    control is on the wrong side of the close, it stays neutral.

    Args:
        name: recorded in the memory with its votes.
        memory: the store; its clock gives the times.
        volume_patterns: whether to learn the typical `volume` of each `hour` in each regime too; twice as much reduces
            the confidence (`VolumePatterns`). Off, since it did not help (decision record 0073).
        settings: see `MemoryAwareAgent`.
    """

    def __init__(
        self, name: str, memory: TradingMemoryStore, *, volume_patterns: bool = False, **settings: Any
    ) -> None:
        super().__init__(name, memory, **settings)
        self._impact_baseline = Baseline(memory, "kyle_lambda")
        self._volumes = VolumePatterns(memory) if volume_patterns else None

    def _base_decision(self, symbol: str, features: Features) -> tuple[Signal, float]:  # noqa: ARG002
        signal = self._direction_to_value_area(features)
        confidence = NEUTRAL_CONFIDENCE if signal == "neutral" else _CONFIDENCE
        if (number(features, "liquidity", "amihud") or 0.0) > _ILLIQUID:
            confidence *= _CAUTION
        return signal, confidence

    def _memory_factor(self, symbol: str, features: Features, signal: Signal) -> float:  # noqa: ARG002
        return self._impact_factor(symbol, features) * self._volume_factor(symbol, features)

    def _volume_factor(self, symbol: str, features: Features) -> float:
        volume, hour = number(features, "liquidity", "volume"), number(features, "liquidity", "hour")
        if self._volumes is None or volume is None or hour is None:
            return 1.0
        return self._volumes.factor(symbol, volume, label(features, "markov", "regime"), int(hour))

    def _impact_factor(self, symbol: str, features: Features) -> float:
        impact = number(features, "liquidity", "kyle_lambda")
        if impact is None:
            return 1.0
        regime = label(features, "markov", "regime")
        typical = self._impact_baseline.median(symbol, regime)
        self._impact_baseline.remember(symbol, impact, regime)
        return _CAUTION if typical is not None and impact > _ABOVE_BASELINE * typical else 1.0

    def _direction_to_value_area(self, features: Features) -> Signal:
        names = ("close", "value_area_low", "value_area_high", "poc")
        close, low, high, control = (number(features, "liquidity", name) for name in names)
        if close is None or low is None or high is None:
            return "neutral"
        if close < low and (control is None or control > close):
            return "long"
        if close > high and (control is None or control < close):
            return "short"
        return "neutral"
