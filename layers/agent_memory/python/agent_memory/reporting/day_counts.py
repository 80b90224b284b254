"""Decisions per day or week by type, as the bars of the report and of the console show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from agent_memory.reporting import formatting

MAX_TYPES = 6
"""Colours of the style sheet; beyond them, the rarest types are counted together."""
_MAX_BARS = 200
_DAYS_PER_WEEK = 7


@dataclass(frozen=True, slots=True)
class BarCounts:
    """Decisions per bar: the first day of each bar, the days per bar, and for each type one count per bar."""

    first_days: Sequence[date]
    days_per_bar: int
    by_type: Mapping[str, Sequence[int]]

    @property
    def bars(self) -> int:
        """Number of bars."""
        return len(self.first_days)

    @property
    def totals(self) -> list[int]:
        """Decisions of all types, one count per bar."""
        return [sum(column) for column in zip(*self.by_type.values(), strict=True)]


def count_by_day(rows: Sequence[Mapping[str, Any]], start: date, end: date) -> BarCounts:
    """Count decisions by day from `start` to `end`, including days without any; by week if there are too many days.

    The most frequent type is first. Beyond `MAX_TYPES`, the rarest become "other types".
    """
    dates = [date.fromisoformat(str(row["date"])) for row in rows]
    start, end = min([start, *dates]), max([end, *dates])
    days = (end - start).days + 1
    days_per_bar = 1 if days <= _MAX_BARS else _DAYS_PER_WEEK
    bars = -(-days // days_per_bar)
    by_type: dict[str, list[int]] = {}
    for row, day in zip(rows, dates, strict=True):
        column = by_type.setdefault(str(row["decision_type"]), [0] * bars)
        column[(day - start).days // days_per_bar] += int(row["decisions"])
    first = [start + timedelta(days=bar * days_per_bar) for bar in range(bars)]
    ordered = dict(sorted(by_type.items(), key=lambda item: -sum(item[1])))
    return BarCounts(first, days_per_bar, _merge_rare_types(ordered))


def _merge_rare_types(by_type: dict[str, list[int]]) -> dict[str, list[int]]:
    if len(by_type) <= MAX_TYPES:
        return by_type
    kept = dict(list(by_type.items())[: MAX_TYPES - 1])
    rest = [column for name, column in by_type.items() if name not in kept]
    return kept | {"other types": [sum(values) for values in zip(*rest, strict=True)]}


def bars_text(counts: BarCounts) -> str:
    """The bars as text, for readers who cannot see them."""
    types = ", ".join(
        f"{formatting.name(key)} {formatting.count(sum(column))}" for key, column in counts.by_type.items()
    )
    per = "day" if counts.days_per_bar == 1 else "week"
    first, last = formatting.day(counts.first_days[0]), formatting.day(counts.first_days[-1])
    return (
        f"Stacked bars of decisions per {per} and type, {first} to {last}. In total: {types}. "
        f"Most in one {per}: {formatting.count(max(counts.totals))}."
    )
