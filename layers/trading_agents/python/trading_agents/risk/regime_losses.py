"""`RegimeLosses`: smaller positions in a regime whose last trades all lost."""

from dataclasses import dataclass

from agent_memory import InvalidInput
from trading_agents.memory import TradingMemoryStore

_KIND = "regime_outcome"


@dataclass(frozen=True, slots=True)
class RegimeSize:
    """The factor on position sizes in a regime, above 0 to 1, and the reason in words; empty for the factor 1."""

    factor: float
    reason: str


class RegimeLosses:
    """Remembers the outcomes of trades by regime; where the last ones all lost, positions are smaller.

    "The last five trades in the ranging regime lost: smaller". Evidence (decision records 0025, 0073): losses do not
    come in streaks that can be traded, and what agents earn in a regime does not persist. It limits what can be lost in
    a regime before somebody looks at it; it does not improve results.

    Args:
        memory: where outcomes are remembered.
        losses: so many trades in a row have to lose.
        factor: on position sizes then, above 0 and below 1.
    """

    def __init__(self, memory: TradingMemoryStore, *, losses: int = 5, factor: float = 0.5) -> None:
        if losses < 1:
            raise InvalidInput("losses", f"{losses!r} is not 1 or more")
        if not 0 < factor < 1:
            raise InvalidInput("factor", f"{factor!r} is not above 0 and below 1")
        self._memory, self._losses, self._factor = memory, losses, factor

    def remember(self, symbol: str, regime: str, pnl: float) -> None:
        """Remember the outcome of a trade in a regime. `InvalidInput` if `pnl` is not a number."""
        if pnl is None or pnl != pnl:  # noqa: PLR0124  NaN
            raise InvalidInput("pnl", f"{pnl!r} is not a number")
        text = f"{'win' if pnl > 0 else 'loss'} in {regime}"
        self._memory.add(outcome_kind(regime), text, score=1.0, symbol=symbol, metadata={"regime": regime, "pnl": pnl})

    def size(self, symbol: str, regime: str) -> RegimeSize:
        """Return the factor on a position's size in a regime."""
        last = [item.metadata["pnl"] for item in self._memory.get_recent(outcome_kind(regime), symbol, n=self._losses)]
        if len(last) < self._losses or any(pnl > 0 for pnl in last):
            return RegimeSize(1.0, "")
        return RegimeSize(self._factor, f"the last {self._losses} trades in the regime {regime} lost: smaller")


def outcome_kind(regime: str) -> str:
    """Return the kind of the outcomes in a regime: one of its own, so that the last ones are found without a scan."""
    return f"{_KIND}:{regime}"
