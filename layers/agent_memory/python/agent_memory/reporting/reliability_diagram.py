"""A reliability diagram: forecast probabilities against the share of forecasts that came true."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agent_memory.reporting.formatting import count, percent
from agent_memory.reporting.svg import GRID, MUTED, REFERENCE, SMALL, Canvas, add_axes, draw_estimate, new_figure, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SIDE, _NARROW_SIDE = 400, 276
_LEFT, _ABOVE, _BELOW = 52, 34, 52
_NEAR_EDGE = 0.9
_TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


def draw_reliability_diagram(bins: Sequence[Mapping[str, Any]], canvas: Canvas) -> "Figure":
    """One dot per bin with its 95 % interval and number of forecasts; the diagonal is perfect calibration."""
    side = _NARROW_SIDE if canvas.narrow else _SIDE
    figure = new_figure(canvas, _ABOVE + side + _BELOW)
    axes = add_axes(figure, _LEFT, _ABOVE, side, side)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    pixel = 1 / side
    _draw_frame(axes, pixel)
    for row in bins:
        x, y, low, high = row["stated"], row["came_true"], row["low"], row["high"]
        draw_estimate(axes, (x, y), ((x, low), (x, high)), differs=not low <= x <= high)
        # The count is on the side away from the diagonal, but inside the frame.
        is_right = y < x < _NEAR_EDGE or x < 1 - _NEAR_EDGE
        offset, alignment = (10 * pixel, "left") if is_right else (-10 * pixel, "right")
        write(axes, x + offset, y, count(row["count"]), color=MUTED, fontsize=SMALL, ha=alignment)
    return figure


def _draw_frame(axes: "Axes", pixel: float) -> None:
    for tick in _TICKS:
        axes.plot([tick, tick], [0, 1], color=GRID, linewidth=1, zorder=0)
        axes.plot([0, 1], [tick, tick], color=GRID, linewidth=1, zorder=0)
        write(axes, tick, -8 * pixel, percent(tick, 0), fontsize=SMALL, color=MUTED, ha="center", va="top")
        write(axes, -8 * pixel, tick, percent(tick, 0), fontsize=SMALL, color=MUTED, ha="right")
    axes.plot([0, 1], [0, 1], color=REFERENCE, linewidth=1.5, zorder=1)
    write(axes, 0.5, -38 * pixel, "forecast probability", fontsize=SMALL, ha="center")
    write(axes, -_LEFT * pixel, 1 + 20 * pixel, "share that came true", fontsize=SMALL)
