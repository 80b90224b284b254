"""`HedgeAgentWithMemory`: follows the option positions of dealers, and remembers squeezes."""

from trading_agents.agents.features import Features, number
from trading_agents.agents.memory_agent import NEUTRAL_CONFIDENCE, MemoryAwareAgent, Signal

_CONFIDENCE = 0.7
_GAMMA = 0.5
_FLOW = 0.3
_MANY_SQUEEZES = 2
_CAUTION = 0.8


class HedgeAgentWithMemory(MemoryAwareAgent):
    """Long when dealers are short gamma and the flow buys, short when they are long gamma and the flow sells.

    Reads `hedge`: `net_gamma_exposure` and `smart_flow_signal`, each about -1 to 1. More than two remembered market
    events of the symbol reduce its confidence, whatever it decides: as in the design of the trading memory, the search
    for squeezes ranks them first but counts other events too.
    """

    def _base_decision(self, symbol: str, features: Features) -> tuple[Signal, float]:
        past_squeezes = self.memory.search(
            query="gamma squeeze dealer positioning", kind="market_event", symbol=symbol, topk=5
        )
        gamma = number(features, "hedge", "net_gamma_exposure") or 0.0
        flow = number(features, "hedge", "smart_flow_signal") or 0.0
        signal: Signal = "neutral"
        confidence = NEUTRAL_CONFIDENCE
        if gamma < -_GAMMA and flow > _FLOW:
            signal, confidence = "long", _CONFIDENCE
        elif gamma > _GAMMA and flow < -_FLOW:
            signal, confidence = "short", _CONFIDENCE
        if len(past_squeezes) > _MANY_SQUEEZES:
            confidence *= _CAUTION
            exposure = {"gamma_exp": gamma, "dealer_flow": flow}
            self.memory.add("pattern", "Recurring gamma exposure pattern detected", 1.5, symbol, exposure)
        return signal, confidence
