"""`HedgeAgentWithMemory`: follows the option positions of dealers, and remembers squeezes."""

from typing import Any

from trading_agents.agents.features import Features, number
from trading_agents.agents.memory_agent import NEUTRAL_CONFIDENCE, MemoryAwareAgent, Signal
from trading_agents.core.snapshots import Snapshot
from trading_agents.memory import TradingMemoryItem, TradingMemoryStore

_CONFIDENCE = 0.7
_GAMMA = 0.5
_FLOW = 0.3
_MANY_SQUEEZES = 2
_CAUTION = 0.8
_SQUEEZE = "squeeze"
_WEEK_SECONDS, _HOUR_SECONDS = 7 * 86_400, 3_600
_LAST_SQUEEZES = 200


class HedgeAgentWithMemory(MemoryAwareAgent):
    """Long when dealers are short gamma and the flow buys, short when they are long gamma and the flow sells.

    Reads `hedge`: `gamma_relative` and `flow_relative`, or without them `net_gamma_exposure` and `smart_flow_signal`,
    each about -1 to 1. More than two remembered market events of the symbol reduce its confidence, whatever it decides:
    as in the design of the trading memory, the search for squeezes ranks them first but counts other events too. It
    remembers its own setups too: one that was seen three times in the last seven days reduces its confidence. A setup
    is seen again in another chain (`quoted_at`); without that time, when an hour has passed or others came between.

    Evidence: none. On the 34 days of SPX chains that it was tried on it traded too rarely for a result
    (docs/does-memory-help.md).

    Args:
        name: recorded in the memory with its votes.
        memory: the store; its clock gives the times.
        remember_squeezes: whether setups are remembered; the code in the design of the trading memory does not.
        settings: see `MemoryAwareAgent`.
    """

    OFTEN = 3
    """So many sightings of a setup in seven days make the agent cautious."""

    def __init__(
        self, name: str, memory: TradingMemoryStore, *, remember_squeezes: bool = True, **settings: Any
    ) -> None:
        super().__init__(name, memory, **settings)
        self._remember_squeezes = remember_squeezes
        self._last_signal: dict[str, Signal] = {}

    def _extra_state(self) -> Snapshot:
        return {"last_signal": dict(self._last_signal)}

    def _restore_extra_state(self, data: Snapshot) -> None:
        self._last_signal = dict(data.get("last_signal", {}))

    def _base_decision(self, symbol: str, features: Features) -> tuple[Signal, float]:  # noqa: ARG002
        gamma, flow = _readings(features)
        if gamma < -_GAMMA and flow > _FLOW:
            return "long", _CONFIDENCE
        if gamma > _GAMMA and flow < -_FLOW:
            return "short", _CONFIDENCE
        return "neutral", NEUTRAL_CONFIDENCE

    def times_seen(self, symbol: str, signal: Signal) -> int:
        """Return how often the setup of a signal began in the last seven days."""
        since = self.memory.clock() - _WEEK_SECONDS
        return sum(item.timestamp > since for item in self._squeezes(symbol, signal))

    def _squeezes(self, symbol: str, signal: Signal) -> list[TradingMemoryItem]:
        recent = self.memory.get_recent(_SQUEEZE, symbol, n=_LAST_SQUEEZES)
        return [item for item in recent if item.metadata["signal"] == signal]

    def _recalled(self, symbol: str, setup: str) -> list[TradingMemoryItem]:
        return [*self.memory.get_recent(_SQUEEZE, symbol, n=self.OFTEN), *super()._recalled(symbol, setup)]

    def _memory_factor(self, symbol: str, features: Features, signal: Signal) -> float:
        return self._event_factor(symbol, features) * self._squeeze_factor(symbol, features, signal)

    def _squeeze_factor(self, symbol: str, features: Features, signal: Signal) -> float:
        """Return less than 1 for a setup that was seen often, and remember it if it begins."""
        before = self._last_signal.get(symbol)
        self._last_signal[symbol] = signal
        if signal == "neutral" or not self._remember_squeezes:
            return 1.0
        newest = next(iter(self._squeezes(symbol, signal)), None)
        is_new = newest is None or self._is_seen_again(newest, features, has_changed=signal != before)
        seen_before = self.times_seen(symbol, signal) - (not is_new)
        if is_new:
            gamma, flow = _readings(features)
            exposure = {"signal": signal, "gamma_exp": gamma, "dealer_flow": flow}
            quoted_at = number(features, "hedge", "quoted_at")
            exposure |= {} if quoted_at is None else {"quoted_at": quoted_at}
            self.memory.add(_SQUEEZE, f"Gamma squeeze: {signal} setup of dealer positioning", 1.5, symbol, exposure)
        return _CAUTION if seen_before >= self.OFTEN else 1.0

    def _is_seen_again(self, newest: TradingMemoryItem, features: Features, *, has_changed: bool) -> bool:
        """Return whether a setup is another sighting than the newest one: bars of one chain have the same."""
        quoted_at = number(features, "hedge", "quoted_at")
        if quoted_at is not None:
            return bool(newest.metadata.get("quoted_at") != quoted_at)
        return has_changed or self.memory.clock() - newest.timestamp >= _HOUR_SECONDS

    def _event_factor(self, symbol: str, features: Features) -> float:
        past_squeezes = self.memory.search(
            query="gamma squeeze dealer positioning", kind="market_event", symbol=symbol, topk=5
        )
        if len(past_squeezes) <= _MANY_SQUEEZES:
            return 1.0
        gamma, flow = _readings(features)
        exposure = {"gamma_exp": gamma, "dealer_flow": flow}
        self.memory.add("pattern", "Recurring gamma exposure pattern detected", 1.5, symbol, exposure)
        return _CAUTION


def _readings(features: Features) -> tuple[float, float]:
    """Return gamma exposure and flow, relative to what is usual if both are known; 0 if unknown."""
    for names in (("gamma_relative", "flow_relative"), ("net_gamma_exposure", "smart_flow_signal")):
        gamma, flow = (number(features, "hedge", name) for name in names)
        if gamma is not None and flow is not None:
            return gamma, flow
    return gamma or 0.0, flow or 0.0
