"""`TradingMemoryItem`: one observation, decision or outcome that an agent remembers."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

from agent_memory import InvalidInput

_RANKING_FIELDS = frozenset({"kind", "content", "score", "symbol", "timestamp"})


@dataclass(init=False, slots=True)
class TradingMemoryItem:
    """Something remembered. It may be edited: the stores that hold it update their index.

    Attributes:
        kind: 'trade', 'signal', 'regime', 'agent_vote', 'outcome', or any other name.
        content: what happened, in words.
        score: importance when it happened (1.0 normal, 2.0 critical).
        symbol: of the instrument.
        timestamp: seconds since the epoch.
        metadata: further data (price, position, `pnl`, …).
    """

    kind: str
    content: str
    score: float
    symbol: str
    timestamp: float
    metadata: dict[str, Any]
    _on_change: tuple[Callable[[], None], ...] = field(repr=False, compare=False)

    def __init__(
        self,
        kind: str,
        content: str,
        score: float = 1.0,
        symbol: str = "SPY",
        metadata: dict[str, Any] | None = None,
        *,
        timestamp: float | None = None,
    ) -> None:
        self._on_change = ()
        self.kind = kind
        self.content = content
        self.score = score
        self.symbol = symbol
        self.timestamp = time.time() if timestamp is None else timestamp
        self.metadata = {} if metadata is None else metadata

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _RANKING_FIELDS:
            value = _checked(name, value)
            for callback in self._on_change:
                callback()
        object.__setattr__(self, name, value)

    def __getstate__(self) -> tuple[Any, ...]:
        return (self.kind, self.content, self.score, self.symbol, self.metadata, self.timestamp)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        *values, timestamp = state
        TradingMemoryItem.__init__(self, *values, timestamp=timestamp)

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call `callback` before every change of a field that the item is ranked by."""
        if callback not in self._on_change:
            self._on_change = (*self._on_change, callback)


def _checked(name: str, value: Any) -> Any:
    """Return a value as it is stored: numbers as Python numbers."""
    if name in {"score", "timestamp"}:
        if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
            raise InvalidInput(name, f"{value!r:.40} is not a finite number")
        return value if type(value) in {int, float} else float(value)
    if not isinstance(value, str):
        raise InvalidInput(name, f"expected text, got {type(value).__name__}")
    return value
