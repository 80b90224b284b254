"""`VolumePatterns`: the typical volume of each hour of the day in each regime, from what an agent remembers."""

from trading_agents.agents.baseline import Baseline
from trading_agents.memory import TradingMemoryStore

HEAVY = 2.0
"""Volume is heavy above this multiple of the typical one."""

CAUTION = 0.8
"""Factor on the confidence of a trade back into the value area while volume is heavy."""


class VolumePatterns:
    """Learns the median volume by regime and hour, from ten bars of each on.

    A move out of the value area on heavy volume is rather accepted by the market than one on thin volume, so that a
    trade back deserves less confidence (J. P. Steidlmayer, Market Profile, 1984).

    Evidence: see decision record 0073; off by default in `LiquidityAgentWithMemory`.
    """

    def __init__(self, memory: TradingMemoryStore) -> None:
        self._memory = memory
        self._cells: dict[tuple[str, int], Baseline] = {}

    def typical(self, symbol: str, regime: str, hour: int) -> float | None:
        """Return the median volume of the last fifty bars of an hour in a regime; None for fewer than ten."""
        return self._cell(regime, hour).median(symbol, regime)

    def factor(self, symbol: str, volume: float, regime: str, hour: int) -> float:
        """Return the factor on the confidence for a bar's volume, 1 or `CAUTION`, and remember the volume."""
        typical = self.typical(symbol, regime, hour)
        self._cell(regime, hour).remember(symbol, volume, regime)
        return CAUTION if typical is not None and volume > HEAVY * typical else 1.0

    def _cell(self, regime: str, hour: int) -> Baseline:
        """Return the levels of one hour in one regime: a kind of its own, so that rare hours are remembered as long."""
        if (regime, hour) not in self._cells:
            self._cells[regime, hour] = Baseline(self._memory, volume_name(regime, hour))
        return self._cells[regime, hour]


def volume_name(regime: str, hour: int) -> str:
    """Return the name of the levels of volume in an hour of the day; the regime is empty while it is unknown."""
    return f"volume:{regime}:{hour:02d}" if regime else f"volume:{hour:02d}"
