"""One's own record: the outcomes of trades in order of time, from a trading memory or from the decision log."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from agent_memory.core.clock import parse_instant
from trading_agents.core.arrays import FloatArray
from trading_agents.tuning.memories import NamedMemory, outcomes


@dataclass(frozen=True, slots=True, eq=False)
class TradeRecord:
    """The trades of one agent in one symbol, in order of time; columns have the shape (trades,).

    Attributes:
        name: agent and symbol.
        decided: when each trade was decided, in seconds since the epoch.
        ended: when its outcome was known, in seconds since the epoch.
        profit: of each trade, in one unit throughout.
        score: importance of its outcome when it was remembered.
    """

    name: str
    decided: FloatArray
    ended: FloatArray
    profit: FloatArray
    score: FloatArray

    def __len__(self) -> int:
        return len(self.profit)


def record_of_memory(memory: NamedMemory) -> list[TradeRecord]:
    """Return the record of every symbol of a memory.

    A memory holds when outcomes became known, not when trades were decided: each trade counts as decided when its
    outcome came, and knows only earlier outcomes.
    """
    by_symbol: dict[str, list[Any]] = {}
    for item in outcomes(memory.store):
        by_symbol.setdefault(item.symbol, []).append(item)
    return [
        _record(
            ", ".join(filter(None, (memory.name, symbol))),
            [(item.timestamp, item.timestamp, float(item.metadata["pnl"]), float(item.score)) for item in items],
        )
        for symbol, items in by_symbol.items()
    ]


def record_of_log(decisions: Iterable[Mapping[str, Any]]) -> list[TradeRecord]:
    """Return the record of every symbol from logged trades whose outcome at the horizon `exit` has a `net_return`.

    `decisions` are as `query_decisions` returns them; others are left out.
    """
    by_symbol: dict[str, list[tuple[float, float, float, float]]] = {}
    for decision in decisions:
        for net, recorded_at in _exits(decision):
            decided, ended = (parse_instant(text, "timestamp") / 1000 for text in (decision["timestamp"], recorded_at))
            symbol = str((decision.get("context") or {}).get("symbol", ""))
            by_symbol.setdefault(symbol, []).append((decided, ended, net, 1.0))
    return [_record(symbol or "trades", sorted(rows)) for symbol, rows in by_symbol.items()]


def _exits(decision: Mapping[str, Any]) -> Iterator[tuple[float, str]]:
    """Yield net return and time of a decision's outcome at the horizon `exit`, if it has one."""
    headline = {name: decision.get(name) for name in ("horizon", "outcome")}
    for one in ({**headline, "recorded_at": decision.get("outcome_recorded_at")}, *decision.get("other_outcomes", ())):
        net = (one["outcome"] or {}).get("net_return") if one["horizon"] == "exit" else None
        if net is not None:
            yield float(net), str(one["recorded_at"])


def _record(name: str, rows: list[tuple[float, float, float, float]]) -> TradeRecord:
    table = np.array([row for row in rows if math.isfinite(row[2])], dtype=np.float64).reshape(-1, 4)
    return TradeRecord(name, *(table[:, column] for column in range(4)))
