"""The reliability diagram: what was stated against what came true."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agent_memory.reporting.drawing import (
    APART,
    GRID,
    MUTED,
    PLAIN,
    REFERENCE,
    SMALL,
    SURFACE,
    Canvas,
    add_axes,
    new_figure,
    write,
)
from agent_memory.reporting.words import count, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SIDE, _NARROW_SIDE = 400, 276
_LEFT, _ABOVE, _BELOW = 52, 34, 52
_NEAR_EDGE = 0.9
_TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


def draw_reliability(bins: Sequence[Mapping[str, Any]], canvas: Canvas) -> "Figure":
    """One dot a bin, with the 95 % interval of what came true and the number of forecasts; the line is perfect."""
    side = _NARROW_SIDE if canvas.narrow else _SIDE
    figure = new_figure(canvas, _ABOVE + side + _BELOW)
    axes = add_axes(figure, _LEFT, _ABOVE, side, side)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    pixel = 1 / side
    _frame(axes, pixel)
    for row in bins:
        is_apart = not row["low"] <= row["stated"] <= row["high"]
        color = APART if is_apart else PLAIN
        at = row["stated"]
        axes.plot([at, at], [row["low"], row["high"]], color=color, linewidth=2.5, zorder=2, solid_capstyle="round")
        face = color if is_apart else SURFACE
        axes.plot([at], [row["came_true"]], "o", color=face, markeredgecolor=color, markeredgewidth=2, markersize=8)
        # Away from the line, but inside the frame.
        is_right = row["came_true"] < at < _NEAR_EDGE or at < 1 - _NEAR_EDGE
        beside, alignment = (10 * pixel, "left") if is_right else (-10 * pixel, "right")
        write(axes, at + beside, row["came_true"], count(row["count"]), color=MUTED, fontsize=SMALL, ha=alignment)
    return figure


def _frame(axes: "Axes", pixel: float) -> None:
    for tick in _TICKS:
        axes.plot([tick, tick], [0, 1], color=GRID, linewidth=1, zorder=0)
        axes.plot([0, 1], [tick, tick], color=GRID, linewidth=1, zorder=0)
        write(axes, tick, -8 * pixel, percent(tick, 0), fontsize=SMALL, color=MUTED, ha="center", va="top")
        write(axes, -8 * pixel, tick, percent(tick, 0), fontsize=SMALL, color=MUTED, ha="right")
    axes.plot([0, 1], [0, 1], color=REFERENCE, linewidth=1.5, zorder=1)
    write(axes, 0.5, -38 * pixel, "chance that was stated", fontsize=SMALL, ha="center")
    write(axes, -_LEFT * pixel, 1 + 20 * pixel, "share that came true", fontsize=SMALL)
