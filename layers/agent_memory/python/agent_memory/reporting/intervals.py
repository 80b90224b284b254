"""Dot-and-interval plots: a rate, how sure we are of it, and what it is compared with."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
from agent_memory.reporting.words import percent, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CHARACTER_WIDTH = 6.6  # of the page's fonts at the labels' size, on average
_BOLD_CHARACTER_WIDTH = 8.0
_NARROWEST_LABELS, _WIDEST_LABELS = 120, 440
_NOTE_WIDTH = 70
_TITLE_HEIGHT = 22
_REFERENCE_HEIGHT = 20
_EDGE = 6
_FOOTER_HEIGHT = 26
_BETWEEN = 18
_GAP = 28
_MOST_ABREAST = 4
_ROW_HEIGHT = 30
_NARROW_ROW_HEIGHT = 42
_NARROW_LABEL_CHARACTERS = 40
_LINE_HEIGHT = 16
_WIDEST_PANEL = 640


@dataclass(frozen=True, slots=True)
class Estimate:
    """A rate with its interval, both 0 to 1.

    Attributes:
        label: What the rate is of.
        rate: The rate; None leaves the row empty.
        low: Lower end of the interval.
        high: Upper end of the interval.
        reference: What this row alone is compared with; None takes the panel's.
        note: What stands at the row's right end.
    """

    label: str
    rate: float | None
    low: float | None
    high: float | None
    reference: float | None = None
    note: str = ""

    def is_apart_from(self, reference: float | None) -> bool:
        """Whether the interval leaves the reference outside."""
        compared = self.reference if self.reference is not None else reference
        if compared is None or self.low is None or self.high is None:
            return False
        return not self.low <= compared <= self.high


@dataclass(frozen=True, slots=True)
class Panel:
    """Rows that share an axis, and the rate that they are compared with."""

    title: str
    rows: Sequence[Estimate]
    reference: float | None = None
    reference_label: str = ""


def draw_intervals(panels: Sequence[Panel], canvas: Canvas) -> "Figure":
    """Panels side by side with shared row labels, or one below the other where there is little room.

    Side by side, every panel must have the same row labels in the same order.
    """
    limits = _limits(panels)
    return _stacked(panels, canvas, limits) if canvas.narrow else _side_by_side(panels, canvas, limits)


def _side_by_side(panels: Sequence[Panel], canvas: Canvas, limits: tuple[float, float]) -> "Figure":
    """Up to four panels beside each other, the next four below."""
    rows = panels[0].rows
    label_width = _label_width(rows)
    notes = len(panels) == 1 and any(row.note for row in rows)
    room = canvas.width - label_width - (_NOTE_WIDTH if notes else 0)
    abreast = min(len(panels), _MOST_ABREAST)
    width = min(_WIDEST_PANEL, room / abreast - _GAP)
    header = max(_header_height(panel) for panel in panels)
    height = len(rows) * _ROW_HEIGHT
    block = header + height + _FOOTER_HEIGHT
    blocks = math.ceil(len(panels) / abreast)
    figure = new_figure(canvas, blocks * block + (blocks - 1) * _BETWEEN)
    for number, panel in enumerate(panels):
        below, beside = divmod(number, abreast)
        left = label_width + _GAP / 2 + beside * (width + _GAP)
        top = below * (block + _BETWEEN) + header
        axes = _panel(figure, panel, limits, box=(left, top, width, height))
        _name_panel(axes, panel, width, height)
        if beside == 0:
            _write_beside(axes, rows, width, label_width, notes=notes)
    return figure


def _stacked(panels: Sequence[Panel], canvas: Canvas, limits: tuple[float, float]) -> "Figure":
    lines = max(len(_wrapped(row.label)) for panel in panels for row in panel.rows)
    row_height = _NARROW_ROW_HEIGHT + (lines - 1) * _LINE_HEIGHT
    heights = [len(panel.rows) * row_height for panel in panels]
    around = sum(_header_height(panel) + _FOOTER_HEIGHT for panel in panels) + _BETWEEN * (len(panels) - 1)
    figure = new_figure(canvas, sum(heights) + around)
    top = 0.0
    for panel, height in zip(panels, heights, strict=True):
        top += _header_height(panel)
        box = (12, top, canvas.width - 24, height)
        axes = _panel(figure, panel, limits, box=box, dot_from_bottom=14)
        _name_panel(axes, panel, canvas.width - 24, height)
        for number, row in enumerate(panel.rows):
            for line, text in enumerate(_wrapped(row.label)):
                y = number - 0.5 + (_LINE_HEIGHT * (line + 0.5) + 3) / row_height
                write(axes, limits[0], y, text, fontsize=SMALL)
                if line == 0:
                    write(axes, limits[1], y, row.note, fontsize=SMALL, color=MUTED, ha="right")
        top += height + _FOOTER_HEIGHT + _BETWEEN
    return figure


def _header_height(panel: Panel) -> float:
    title = _TITLE_HEIGHT if panel.title else 0
    return _EDGE + title + (_REFERENCE_HEIGHT if panel.reference_label else 0)


def _wrapped(label: str) -> list[str]:
    """A label in one line, or two, the second cut where it is too long."""
    whole = " ".join(label.split())
    if len(whole) <= _NARROW_LABEL_CHARACTERS:
        return [whole]
    first = shortened(whole, _NARROW_LABEL_CHARACTERS).rstrip("…")
    return [first, shortened(whole[len(first) :].lstrip(" ,;:"), _NARROW_LABEL_CHARACTERS)]


def _panel(
    figure: "Figure",
    panel: Panel,
    limits: tuple[float, float],
    box: tuple[float, float, float, float],
    dot_from_bottom: float | None = None,
) -> "Axes":
    """Grid, reference and rows; dots in the middle of their rows, or so many pixels above the lower edge."""
    axes = add_axes(figure, *box)
    rows, bottom = len(panel.rows), len(panel.rows) - 0.5
    row_height = box[3] / rows
    axes.set_xlim(*limits)
    axes.set_ylim(bottom, -0.5)
    for tick in _ticks(limits, box[2]):
        axes.plot([tick, tick], [-0.5, bottom], color=GRID, linewidth=1, zorder=0)
        below = bottom + 6 / row_height
        write(axes, tick, below, percent(tick, 0), fontsize=SMALL, color=MUTED, ha="center", va="top")
    offset = 0.0 if dot_from_bottom is None else 0.5 - dot_from_bottom / row_height
    if panel.reference is not None:
        # Where labels stand above the dots, the line is cut, so that it does not run through them.
        pieces = [(-0.5, bottom)] if dot_from_bottom is None else _cut(rows, offset - 10 / row_height)
        for ends in pieces:
            axes.plot([panel.reference] * 2, ends, color=REFERENCE, linewidth=1.5, zorder=1)
    for number, row in enumerate(panel.rows):
        _draw(axes, row, number + offset, panel.reference, tick=8 / row_height)
    return axes


def _cut(rows: int, top: float) -> list[tuple[float, float]]:
    """One piece of a vertical line in each row, from `top` (of a row whose middle is 0) to its lower edge."""
    return [(number + top, number + 0.5) for number in range(rows)]


def _draw(axes: "Axes", row: Estimate, y: float, reference: float | None, *, tick: float) -> None:
    if row.rate is None:
        write(axes, axes.get_xlim()[0], y, "no outcome", color=MUTED, fontsize=SMALL)
        return
    apart = row.is_apart_from(reference)
    color = APART if apart else PLAIN
    if row.low is not None and row.high is not None:
        axes.plot([row.low, row.high], [y, y], color=color, linewidth=2.5, zorder=2, solid_capstyle="round")
    if row.reference is not None:
        axes.plot([row.reference] * 2, [y - tick, y + tick], color=REFERENCE, linewidth=2, zorder=3)
    # Apart is told by shape as well as colour: a full dot, or a hollow one.
    axes.plot(
        [row.rate],
        [y],
        "o",
        color=color if apart else SURFACE,
        markeredgecolor=color,
        markeredgewidth=2,
        markersize=8,
        zorder=4,
    )


def _name_panel(axes: "Axes", panel: Panel, width: float, height: float) -> None:
    limits = axes.get_xlim()
    pixel = len(panel.rows) / height
    if panel.title:
        title = shortened(panel.title, int(width / _BOLD_CHARACTER_WIDTH))
        write(axes, limits[0], -0.5 - (_header_height(panel) - 12) * pixel, title, fontweight="bold")
    if panel.reference is not None and panel.reference_label:
        alignment = _side(panel.reference, limits)
        at = (panel.reference, -0.5 - 11 * pixel)
        write(axes, *at, panel.reference_label, fontsize=SMALL, color=REFERENCE, ha=alignment)


def _side(x: float, limits: tuple[float, float]) -> str:
    """Alignment that keeps a label at `x` inside the panel."""
    share = (x - limits[0]) / (limits[1] - limits[0])
    return "left" if share < 0.25 else "right" if share > 0.75 else "center"  # noqa: PLR2004


def _label_width(rows: Sequence[Estimate]) -> float:
    longest = max(len(row.label) for row in rows)
    return min(_WIDEST_LABELS, max(_NARROWEST_LABELS, longest * _CHARACTER_WIDTH))


def _write_beside(axes: "Axes", rows: Sequence[Estimate], width: float, label_width: float, *, notes: bool) -> None:
    low, high = axes.get_xlim()
    per_pixel = (high - low) / width
    left = low - (label_width + 14) * per_pixel
    for number, row in enumerate(rows):
        write(axes, left, number, shortened(row.label, int(label_width / _CHARACTER_WIDTH)))
        if notes:
            write(axes, high + 14 * per_pixel, number, row.note, color=MUTED, fontsize=SMALL)


def _limits(panels: Sequence[Panel]) -> tuple[float, float]:
    """The span of everything drawn, out to the next twentieths and not too narrow."""
    values = [
        value
        for panel in panels
        for row in panel.rows
        for value in (row.rate, row.low, row.high, row.reference, panel.reference)
        if value is not None
    ]
    if not values:
        return (0.0, 1.0)
    low, high = math.floor(min(values) * 20) / 20, math.ceil(max(values) * 20) / 20
    return (low, high) if high - low > 0.15 else (max(0.0, low - 0.05), min(1.0, high + 0.05))  # noqa: PLR2004


def _ticks(limits: tuple[float, float], width: float) -> list[float]:
    """Whole tenths, at most one every forty pixels."""
    tenths = range(math.ceil(limits[0] * 10 - 1e-9), math.floor(limits[1] * 10 + 1e-9) + 1)
    steps = (step for step in (1, 2, 5) if len(tenths) / step * 40 <= width)
    every = next(steps, 10)
    return [tenth / 10 for tenth in tenths if tenth % every == 0]
