"""One pattern over time: its confidence as a line, and the interval of the success rate that it rests on as a band."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from agent_memory.reporting.formatting import percent, short_day
from agent_memory.reporting.svg import (
    ACCENT,
    GRID,
    MUTED,
    NEUTRAL,
    REFERENCE,
    SMALL,
    Canvas,
    add_axes,
    new_figure,
    write,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LEFT, _RIGHT, _ABOVE, _BELOW, _HEIGHT = 52, 16, 12, 28, 150
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
_DATE_WIDTH = 64

Version = Mapping[str, Any]


def draw_confidence_trend(versions: Sequence[Version], until: str, canvas: Canvas) -> "Figure":
    """Draw the versions of one pattern, oldest first, each valid until the next one, the last one until `until`."""
    width = canvas.width - _LEFT - _RIGHT
    figure = new_figure(canvas, _ABOVE + _HEIGHT + _BELOW)
    axes = add_axes(figure, _LEFT, _ABOVE, width, _HEIGHT)
    starts = [_days(one["at"]) for one in versions]
    ends = [*starts[1:], max(_days(until), starts[-1])]
    first, last = starts[0], max(ends[-1], starts[0] + 1)
    axes.set_xlim(first, last)
    axes.set_ylim(0, 1)
    _draw_frame(axes, versions, first, last, width)
    for one, start, end in zip(versions, starts, ends, strict=True):
        if one["removed"]:
            continue
        if one["low"] is not None and one["high"] is not None:
            axes.fill_between([start, end], one["low"], one["high"], color=NEUTRAL, alpha=0.25, linewidth=0, zorder=1)
        if one["success_rate"] is not None:
            axes.plot([start, end], [one["success_rate"]] * 2, color=NEUTRAL, linewidth=1.5, zorder=2)
        if one["base_rate"] is not None:
            axes.plot([start, end], [one["base_rate"]] * 2, color=REFERENCE, linewidth=1.5, zorder=2)
    _draw_confidence(axes, versions, starts, ends)
    return figure


def _draw_confidence(axes: "Axes", versions: Sequence[Version], starts: Sequence[float], ends: Sequence[float]) -> None:
    """A line in steps, interrupted where the pattern was removed or stated none."""
    before: tuple[float, float] | None = None
    for one, start, end in zip(versions, starts, ends, strict=True):
        value = None if one["removed"] else one["confidence"]
        if value is not None:
            xs, ys = [start, end], [value, value]
            if before is not None:
                xs, ys = [before[0], *xs], [before[1], *ys]
            axes.plot(xs, ys, color=ACCENT, linewidth=2.5, zorder=3, solid_capstyle="round", clip_on=False)
        before = None if value is None else (end, value)


def _draw_frame(axes: "Axes", versions: Sequence[Version], first: float, last: float, width: float) -> None:
    for tick in _TICKS:
        axes.plot([first, last], [tick, tick], color=GRID, linewidth=1, zorder=0)
        left = first - (last - first) * 8 / width
        write(axes, left, tick, percent(tick, 0), fontsize=SMALL, color=MUTED, ha="right")
    below = -8 / _HEIGHT
    labels = max(2, min(6, int(width // (2 * _DATE_WIDTH)), round(last - first) + 1))
    for n in range(labels):
        at = first + (last - first) * n / (labels - 1)
        alignment = "left" if n == 0 else "right" if n == labels - 1 else "center"
        day = short_day(datetime.fromtimestamp(at * 86_400, tz=_parsed(versions[0]["at"]).tzinfo).date())
        write(axes, at, below, day, fontsize=SMALL, color=MUTED, ha=alignment, va="top")


def _days(at: str) -> float:
    return _parsed(at).timestamp() / 86_400


def _parsed(at: str) -> datetime:
    return datetime.fromisoformat(at)
