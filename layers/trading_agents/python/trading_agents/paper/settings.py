"""The settings of a paper trader, which cannot change between its first and its last bar."""

import math
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from agent_memory import InvalidInput


@dataclass(frozen=True, slots=True)
class PaperSettings:
    """Settings of one instrument's trading.

    Attributes:
        symbol: of the instrument.
        bar_seconds: duration of a bar; decisions have the time of its end.
        bars_per_day: bars on a trading day; by default as many as fit into a day (7 for hourly bars of a US stock).
        costs_bp: costs per side, in basis points of the price; bars with bid and ask cost half their spread instead.
        hold_bars: maximum holding time: a position ends at the open of this many bars after its entry.
        bracket: distance of stop and target from the entry price, in ATR20 of the decision's bar.
        capital: of a position with size 1, in quote currency; profits are remembered in this currency.
        trade_from: bars that begin earlier only warm up the features; no decisions are made on them.
        cost_gate: open no position while the quoted spread is far above its median (`CostGate`).
        advice: votes and weights follow what the agent's memory advises, which needs an adviser.
        size_by_regime: half the size while the last five positions in the market's condition lost (`RegimeLosses`).
        switch_by_regime: only the agent with the best record in the market's condition has a say (`RegimeSwitch`).
        volume_by_regime: Liquidity learns the typical volume of each hour and regime (`VolumePatterns`). All three are
            off, since none of them helped where it was measured (decision record 0073).

    Raises:
        InvalidInput: a setting is invalid; names it.
    """

    symbol: str = "SPY"
    bar_seconds: float = 3_600.0
    bars_per_day: float | None = None
    costs_bp: float = 1.0
    hold_bars: int = 24
    bracket: float = 3.0
    capital: float = 10_000.0
    trade_from: datetime | None = None
    cost_gate: bool = False
    advice: bool = False
    size_by_regime: bool = False
    switch_by_regime: bool = False
    volume_by_regime: bool = False

    def __post_init__(self) -> None:
        if not self.symbol:
            raise InvalidInput("symbol", "is empty")
        for name in ("bar_seconds", "hold_bars", "bracket", "capital"):
            if not 0 < getattr(self, name) < math.inf:
                raise InvalidInput(name, f"{getattr(self, name)!r:.40} is not a number above 0")
        if not 0 <= self.costs_bp < math.inf:
            raise InvalidInput("costs_bp", f"{self.costs_bp!r:.40} is not a number of 0 or more")
        if self.bars_per_day is not None and not 0 < self.bars_per_day < math.inf:
            raise InvalidInput("bars_per_day", f"{self.bars_per_day!r:.40} is not a number above 0")
        if self.trade_from is not None and self.trade_from.tzinfo is None:
            raise InvalidInput("trade_from", f"{self.trade_from} has no UTC offset")

    @property
    def daily_bars(self) -> float:
        """`bars_per_day`, or by default as many as fit into a day."""
        return self.bars_per_day or max(1.0, 86_400 / self.bar_seconds)

    def to_state(self) -> dict[str, Any]:
        """Return the settings as plain JSON data."""
        return {**asdict(self), "trade_from": self.trade_from.isoformat() if self.trade_from else None}


def settings_from_state(state: dict[str, Any]) -> PaperSettings:
    """Return the settings that `to_state` described."""
    trade_from = state["trade_from"]
    return replace(
        PaperSettings(**{**state, "trade_from": None}),
        trade_from=datetime.fromisoformat(trade_from) if trade_from else None,
    )
