"""What a trading memory holds, how it fades, and what was recalled for which decision and what came of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from agent_memory.core.ids import is_decision_id, timestamp_of
from trading_agents.memory import TradingMemoryItem, TradingMemoryStore
from trading_agents.tuning.durations import duration_name
from trading_agents.tuning.memories import outcomes


@dataclass(frozen=True, slots=True)
class KindContents:
    """The items of one kind, which share a half-life.

    Importance fades by half in each half-life; `left` and `forgotten_after` say what that means.

    Attributes:
        kind: of the items.
        items: how many there are.
        symbols: of the items, in order of the alphabet.
        oldest: time of the oldest item, UTC.
        newest: time of the newest item, UTC.
        half_life: in words.
        importance: of all items together at the time of the newest item of the memory.
        left: fraction of the importance that is left after each of `AGES`, 0 to 1.
        forgotten_after: when an item of score 1 falls to 0.1 and is removed by a cleanup, in words.
    """

    kind: str
    items: int
    symbols: tuple[str, ...]
    oldest: datetime
    newest: datetime
    half_life: str
    importance: float
    left: tuple[float, ...]
    forgotten_after: str


@dataclass(frozen=True, slots=True)
class RecalledDecision:
    """A vote, what was recalled for it, and what came of it.

    Attributes:
        at: when it was made, UTC.
        symbol: of the instrument.
        signal: long, short or neutral.
        confidence: with memory, 0 to 1.
        without_memory: of the same vote without memory; None if it was not recorded.
        recalled: the items that were recalled for it, in words; empty if none were, or none were recorded.
        profit: of the trade that followed from it; None without one that has ended and is remembered.
    """

    at: datetime
    symbol: str
    signal: str
    confidence: float
    without_memory: float | None
    recalled: tuple[str, ...]
    profit: float | None


LEAST_IMPORTANCE = 0.1
_LATEST_DECISIONS = 50
_HOUR, _DAY = 3_600.0, 86_400.0
# Ages at which the page shows how much importance is left, in seconds.
AGES = (_HOUR, 8 * _HOUR, _DAY, 7 * _DAY, 30 * _DAY)


def contents(store: TradingMemoryStore) -> list[KindContents]:
    """Return what a memory holds by kind, the kind with the most importance first."""
    by_kind: dict[str, list[TradingMemoryItem]] = {}
    for item in store.all_items():
        by_kind.setdefault(item.kind, []).append(item)
    found = [_kind(store, kind, items) for kind, items in by_kind.items()]
    return sorted(found, key=lambda one: (-one.importance, one.kind))


def recalled_decisions(store: TradingMemoryStore, latest: int = _LATEST_DECISIONS) -> list[RecalledDecision]:
    """Return the latest votes for a direction, latest first, with what was recalled and what came of each.

    An outcome belongs to the vote whose decision id it names, by the time in that id.
    """
    profits = {}
    for item in outcomes(store):
        trade_id = str(item.metadata.get("trade_id", ""))
        if is_decision_id(trade_id):
            profits[item.symbol, timestamp_of(trade_id)] = float(item.metadata["pnl"])
    votes = [item for item in store.all_items() if item.kind == "signal" and item.metadata.get("signal") != "neutral"]
    votes = sorted(votes, key=lambda item: -item.timestamp)[:latest]
    return [_decision(item, profits.get((item.symbol, round(1000 * item.timestamp)))) for item in votes]


def _kind(store: TradingMemoryStore, kind: str, items: Sequence[TradingMemoryItem]) -> KindContents:
    half_life = store.half_lives.get(kind, store.decay_half_life)
    times = [item.timestamp for item in items]
    return KindContents(
        kind=kind,
        items=len(items),
        symbols=tuple(sorted({item.symbol for item in items})),
        oldest=datetime.fromtimestamp(min(times), UTC),
        newest=datetime.fromtimestamp(max(times), UTC),
        half_life=duration_name(half_life),
        importance=sum(store.importance(item) for item in items),
        left=tuple(0.5 ** (age / half_life) for age in AGES),
        forgotten_after=duration_name(round(math.log2(1 / LEAST_IMPORTANCE) * half_life, -2)),
    )


def _decision(item: TradingMemoryItem, profit: float | None) -> RecalledDecision:
    data = item.metadata
    return RecalledDecision(
        at=datetime.fromtimestamp(item.timestamp, UTC),
        symbol=item.symbol,
        signal=str(data.get("signal", "")),
        confidence=float(data.get("confidence", item.score)),
        without_memory=data.get("without_memory"),
        recalled=tuple(str(text) for text in data.get("recalled", ())),
        profit=profit,
    )
