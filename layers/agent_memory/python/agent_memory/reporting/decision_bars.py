"""A stacked bar chart of decisions per day, one colour per decision type."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import MaxNLocator

from agent_memory.reporting.formatting import count, short_day
from agent_memory.reporting.svg import GRID, MUTED, SERIES, SMALL, Canvas, add_axes, new_figure, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


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


_MAX_BARS = 200
_DAYS_PER_WEEK = 7
_MIN_SLOTS = 14
_PLOT_HEIGHT = 240
_DATE_WIDTH = 70


def count_by_day(rows: Sequence[Mapping[str, Any]], start: date, end: date) -> BarCounts:
    """Count decisions by day from `start` to `end`, including days without any; by week if there are too many days.

    The most frequent type is first. Beyond the number of colours, the rarest become "other types".
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
    if len(by_type) <= len(SERIES):
        return by_type
    kept = dict(list(by_type.items())[: len(SERIES) - 1])
    rest = [column for name, column in by_type.items() if name not in kept]
    return kept | {"other types": [sum(values) for values in zip(*rest, strict=True)]}


def draw_decision_bars(counts: BarCounts, canvas: Canvas) -> "Figure":
    """The bars, with a few dates below and a few round numbers to the left."""
    left, top, below = 48, 12, 28
    figure = new_figure(canvas, top + _PLOT_HEIGHT + below)
    width = canvas.width - left - 8
    axes = add_axes(figure, left, top, width, _PLOT_HEIGHT)
    slots = max(counts.bars, _MIN_SLOTS)  # so that a single day does not fill the width
    axes.set_xlim(-(slots - counts.bars) / 2, counts.bars + (slots - counts.bars) / 2)
    axes.set_ylim(0, max(1, *counts.totals) * 1.04 if counts.totals else 1)
    _grid(axes)
    base = np.zeros(counts.bars)
    gap = 0.3 if counts.bars <= canvas.width / 12 else 0.12
    for color, column in zip(SERIES, counts.by_type.values(), strict=False):
        heights = np.asarray(column, dtype=float)
        axes.add_patch(PathPatch(_bars(base, heights, gap), facecolor=color, linewidth=0, zorder=2))
        base = base + heights
    bars_width = width * counts.bars / slots
    for bar, label in _dates(counts, max_labels=max(1, int(bars_width // _DATE_WIDTH))):
        write(axes, bar + 0.5, 0, label, color=MUTED, fontsize=SMALL, ha="center", va="top").set_y(
            -0.03 * axes.get_ylim()[1]
        )
    return figure


def _bars(base: "np.ndarray[Any, Any]", heights: "np.ndarray[Any, Any]", gap: float) -> Path:
    """All bars of one type as one path, which keeps the page small."""
    drawn = [
        Path([(left, low), (left, high), (right, high), (right, low), (left, low)], closed=True)
        for left, right, low, high in (
            (bar + gap / 2, bar + 1 - gap / 2, base[bar], base[bar] + heights[bar]) for bar in np.flatnonzero(heights)
        )
    ]
    return Path.make_compound_path(*drawn) if drawn else Path(np.empty((0, 2)))


def _grid(axes: "Axes") -> None:
    low, high = axes.get_xlim()
    ticks = MaxNLocator(nbins=4, integer=True).tick_values(0, axes.get_ylim()[1])
    for tick in (tick for tick in ticks if 0 <= tick <= axes.get_ylim()[1]):
        axes.plot([low, high], [tick, tick], color=GRID, linewidth=1, zorder=1)
        label = write(axes, low, tick, count(tick), color=MUTED, fontsize=SMALL, ha="right")
        label.set_x(low - (high - low) * 0.01)


def _dates(counts: BarCounts, max_labels: int) -> list[tuple[int, str]]:
    """The bars to label with a date: all if they are few, else the first of each month, else at a fixed interval."""
    if counts.bars <= max_labels:
        return [(bar, short_day(day)) for bar, day in enumerate(counts.first_days)]
    months = [bar + 1 for bar, (a, b) in enumerate(pairwise(counts.first_days)) if a.month != b.month]
    if 3 <= len(months) <= max_labels:  # noqa: PLR2004
        return [(bar, short_day(counts.first_days[bar])) for bar in months]
    step = -(-counts.bars // max_labels)
    return [(bar, short_day(counts.first_days[bar])) for bar in range(0, counts.bars, step)]
