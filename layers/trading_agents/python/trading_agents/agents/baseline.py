"""What is usual: levels of a reading that an agent remembers."""

from statistics import median

from trading_agents.memory import TradingMemoryStore

_REMEMBERED = 50
_LEAST = 10


class UsualLevel:
    """Remembers a reading's levels by symbol and regime, and tells its median.

    Magnitudes persist where profits do not (rank correlation of a trade's size with the last twenty: 0.5), so this is
    the kind of memory that may be relied on.
    """

    def __init__(self, memory: TradingMemoryStore, name: str) -> None:
        self._memory = memory
        self._kind = f"level:{name}"
        self._name = name

    def remember(self, symbol: str, value: float, regime: str = "") -> None:
        """Keep one more level."""
        self._memory.add(
            self._kind,
            f"{self._name} {value:.4g} {regime}".rstrip(),
            score=0.5,
            symbol=symbol,
            metadata={"value": value, "regime": regime},
        )

    def of(self, symbol: str, regime: str = "") -> float | None:
        """The median of the last levels of a symbol in a regime; None while fewer than ten are remembered."""
        recent = self._memory.get_recent(self._kind, symbol, n=_REMEMBERED)
        values = [item.metadata["value"] for item in recent if item.metadata["regime"] == regime]
        return median(values) if len(values) >= _LEAST else None
