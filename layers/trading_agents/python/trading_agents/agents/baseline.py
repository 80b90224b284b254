"""`Baseline`: the typical level of a feature, from the levels that an agent remembers."""

from statistics import median

from trading_agents.memory import TradingMemoryStore

_REMEMBERED = 50
_MIN_COUNT = 10


class Baseline:
    """The median of a feature's remembered levels, by symbol and regime.

    Magnitudes persist where profits do not (the rank correlation of the size of a trade's outcome with the last twenty
    is 0.5), so this kind of memory can be relied on.
    """

    def __init__(self, memory: TradingMemoryStore, name: str) -> None:
        self._memory = memory
        self._kind = level_kind(name)
        self._name = name

    def remember(self, symbol: str, value: float, regime: str = "") -> None:
        """Remember one more level."""
        self._memory.add(
            self._kind,
            f"{self._name} {value:.4g} {regime}".rstrip(),
            score=0.5,
            symbol=symbol,
            metadata={"value": value, "regime": regime},
        )

    def median(self, symbol: str, regime: str = "") -> float | None:
        """Return the median of the last levels of a symbol in a regime; None while fewer than ten are remembered."""
        recent = self._memory.get_recent(self._kind, symbol, n=_REMEMBERED)
        values = [item.metadata["value"] for item in recent if item.metadata["regime"] == regime]
        return median(values) if len(values) >= _MIN_COUNT else None


def level_kind(name: str) -> str:
    """Return the kind of the remembered levels of a feature."""
    return f"level:{name}"
