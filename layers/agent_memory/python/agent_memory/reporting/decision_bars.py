"""A stacked bar chart of decisions per day, one colour per decision type."""

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import MaxNLocator

from agent_memory.reporting.day_counts import BarCounts
from agent_memory.reporting.formatting import count, short_day
from agent_memory.reporting.svg import GRID, MUTED, SERIES, SMALL, Canvas, add_axes, new_figure, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_MIN_SLOTS = 14
_PLOT_HEIGHT = 240
_DATE_WIDTH = 70


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
