"""A plot of rates with their confidence intervals and the reference that they are compared with."""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent_memory.reporting.formatting import percent, shortened
from agent_memory.reporting.svg import GRID, MUTED, REFERENCE, SMALL, Canvas, add_axes, draw_estimate, new_figure, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Estimate:
    """A rate with its interval, both 0 to 1.

    Attributes:
        label: the row's label.
        rate: the rate; None leaves the row empty.
        low: lower end of the interval.
        high: upper end of the interval.
        reference: the reference of this row alone; None for the panel's.
        note: text at the row's right end.
    """

    label: str
    rate: float | None
    low: float | None
    high: float | None
    reference: float | None = None
    note: str = ""

    def differs_from(self, panel_reference: float | None) -> bool:
        """Whether the interval excludes the reference."""
        reference = self.reference if self.reference is not None else panel_reference
        if reference is None or self.low is None or self.high is None:
            return False
        return not self.low <= reference <= self.high


@dataclass(frozen=True, slots=True)
class Panel:
    """Rows that share an axis and a reference."""

    title: str
    rows: Sequence[Estimate]
    reference: float | None = None
    reference_label: str = ""


_CHARACTER_WIDTH = 6.6  # of the page's fonts at the labels' size, on average
_BOLD_CHARACTER_WIDTH = 8.0
_MIN_LABEL_WIDTH, _MAX_LABEL_WIDTH = 120, 440
_NOTE_WIDTH = 70
_TITLE_HEIGHT = 22
_REFERENCE_HEIGHT = 20
_TOP_MARGIN = 6
_FOOTER_HEIGHT = 26
_PANEL_SPACING = 18
_COLUMN_SPACING = 28
_MAX_COLUMNS = 4
_ROW_HEIGHT = 30
_NARROW_ROW_HEIGHT = 42
_NARROW_LABEL_CHARACTERS = 40
_LINE_HEIGHT = 16
_MAX_LINES = 6
_TICK_WIDTH = 56
_MAX_PANEL_WIDTH = 640


def draw_intervals(panels: Sequence[Panel], canvas: Canvas) -> "Figure":
    """Draw the panels side by side with shared row labels, or one below the other on a narrow canvas.

    Every panel must have the same row labels in the same order.
    """
    limits = _limits(panels)
    return _stacked(panels, canvas, limits) if canvas.narrow else _side_by_side(panels, canvas, limits)


def _side_by_side(panels: Sequence[Panel], canvas: Canvas, limits: tuple[float, float]) -> "Figure":
    """Up to four panels per line."""
    rows = panels[0].rows
    label_width = _label_width(rows)
    notes = len(panels) == 1 and any(row.note for row in rows)
    available = canvas.width - label_width - (_NOTE_WIDTH if notes else 0)
    columns = min(len(panels), _MAX_COLUMNS)
    width = min(_MAX_PANEL_WIDTH, available / columns - _COLUMN_SPACING)
    header = max(_header_height(panel) for panel in panels)
    characters = int(label_width / _CHARACTER_WIDTH)
    lines_of_labels = max((len(_wrapped(row.label, characters)) for row in rows), default=1)
    height = len(rows) * (_ROW_HEIGHT + (lines_of_labels - 1) * _LINE_HEIGHT)
    line_height = header + height + _FOOTER_HEIGHT
    lines = math.ceil(len(panels) / columns)
    figure = new_figure(canvas, lines * line_height + (lines - 1) * _PANEL_SPACING)
    for number, panel in enumerate(panels):
        line, column = divmod(number, columns)
        left = label_width + _COLUMN_SPACING / 2 + column * (width + _COLUMN_SPACING)
        top = line * (line_height + _PANEL_SPACING) + header
        axes = _draw_panel(figure, panel, limits, box=(left, top, width, height))
        _write_title(axes, panel, width, height)
        if column == 0:
            _write_row_labels(axes, rows, (width, height), label_width, notes=notes)
    return figure


def _stacked(panels: Sequence[Panel], canvas: Canvas, limits: tuple[float, float]) -> "Figure":
    lines = max(len(_wrapped(row.label, _NARROW_LABEL_CHARACTERS)) for panel in panels for row in panel.rows)
    row_height = _NARROW_ROW_HEIGHT + (lines - 1) * _LINE_HEIGHT
    heights = [len(panel.rows) * row_height for panel in panels]
    spacing = sum(_header_height(panel) + _FOOTER_HEIGHT for panel in panels) + _PANEL_SPACING * (len(panels) - 1)
    figure = new_figure(canvas, sum(heights) + spacing)
    top = 0.0
    for panel, height in zip(panels, heights, strict=True):
        top += _header_height(panel)
        box = (12, top, canvas.width - 24, height)
        axes = _draw_panel(figure, panel, limits, box=box, dot_from_bottom=14)
        _write_title(axes, panel, canvas.width - 24, height)
        for number, row in enumerate(panel.rows):
            for line, text in enumerate(_wrapped(row.label, _NARROW_LABEL_CHARACTERS)):
                y = number - 0.5 + (_LINE_HEIGHT * (line + 0.5) + 3) / row_height
                write(axes, limits[0], y, text, fontsize=SMALL)
                if line == 0:
                    write(axes, limits[1], y, row.note, fontsize=SMALL, color=MUTED, ha="right")
        top += height + _FOOTER_HEIGHT + _PANEL_SPACING
    return figure


def _header_height(panel: Panel) -> float:
    title = _TITLE_HEIGHT if panel.title else 0
    return _TOP_MARGIN + title + (_REFERENCE_HEIGHT if panel.reference_label else 0)


def _wrapped(label: str, characters: int) -> list[str]:
    """A label in lines; only one of more than `_MAX_LINES` lines is cut, since two labels may differ at their ends."""
    lines = textwrap.wrap(" ".join(label.split()), characters) or [""]
    if len(lines) > _MAX_LINES:
        lines[_MAX_LINES - 1 :] = [shortened(" ".join(lines[_MAX_LINES - 1 :]), characters)]
    return lines


def _draw_panel(
    figure: "Figure",
    panel: Panel,
    limits: tuple[float, float],
    box: tuple[float, float, float, float],
    dot_from_bottom: float | None = None,
) -> "Axes":
    """Draw grid, reference and rows, with dots in the middle or `dot_from_bottom` pixels above a row's lower edge."""
    axes = add_axes(figure, *box)
    rows, bottom = len(panel.rows), len(panel.rows) - 0.5
    row_height = box[3] / rows
    axes.set_xlim(*limits)
    axes.set_ylim(bottom, -0.5)
    for tick in _ticks(limits, box[2]):
        axes.plot([tick, tick], [-0.5, bottom], color=GRID, linewidth=1, zorder=0)
        below = bottom + 6 / row_height
        alignment = _tick_alignment(tick, limits)
        write(axes, tick, below, percent(tick, 0), fontsize=SMALL, color=MUTED, ha=alignment, va="top")
    offset = 0.0 if dot_from_bottom is None else 0.5 - dot_from_bottom / row_height
    if panel.reference is not None:
        # Labels above the dots interrupt the line, so that it does not cross them.
        segments = [(-0.5, bottom)] if dot_from_bottom is None else _segments(rows, offset - 10 / row_height)
        for ends in segments:
            axes.plot([panel.reference] * 2, ends, color=REFERENCE, linewidth=1.5, zorder=1)
    for number, row in enumerate(panel.rows):
        _draw_row(axes, row, number + offset, panel.reference, tick=8 / row_height)
    return axes


def _segments(rows: int, top: float) -> list[tuple[float, float]]:
    """One segment of a vertical line per row, from `top` (relative to the row's middle) to its lower edge."""
    return [(number + top, number + 0.5) for number in range(rows)]


def _draw_row(axes: "Axes", row: Estimate, y: float, reference: float | None, *, tick: float) -> None:
    if row.rate is None:
        write(axes, axes.get_xlim()[0], y, "no outcome", color=MUTED, fontsize=SMALL)
        return
    if row.reference is not None:
        axes.plot([row.reference] * 2, [y - tick, y + tick], color=REFERENCE, linewidth=2, zorder=3)
    ends = ((row.low, y), (row.high, y)) if row.low is not None and row.high is not None else None
    draw_estimate(axes, (row.rate, y), ends, differs=row.differs_from(reference))


def _write_title(axes: "Axes", panel: Panel, width: float, height: float) -> None:
    limits = axes.get_xlim()
    pixel = len(panel.rows) / height
    if panel.title:
        title = shortened(panel.title, int(width / _BOLD_CHARACTER_WIDTH))
        write(axes, limits[0], -0.5 - (_header_height(panel) - 12) * pixel, title, fontweight="bold")
    if panel.reference is not None and panel.reference_label:
        alignment = _alignment(panel.reference, limits)
        at = (panel.reference, -0.5 - 11 * pixel)
        write(axes, *at, panel.reference_label, fontsize=SMALL, color=REFERENCE, ha=alignment)


def _tick_alignment(tick: float, limits: tuple[float, float]) -> str:
    """Numbers at the ends of an axis are inside it, so that they do not run into those of the next panel."""
    share = (tick - limits[0]) / (limits[1] - limits[0])
    return "left" if share < 0.02 else "right" if share > 0.98 else "center"  # noqa: PLR2004


def _alignment(x: float, limits: tuple[float, float]) -> str:
    """The alignment that keeps a label at `x` inside the panel."""
    share = (x - limits[0]) / (limits[1] - limits[0])
    return "left" if share < 0.25 else "right" if share > 0.75 else "center"  # noqa: PLR2004


def _label_width(rows: Sequence[Estimate]) -> float:
    max_length = max(len(row.label) for row in rows)
    return min(_MAX_LABEL_WIDTH, max(_MIN_LABEL_WIDTH, max_length * _CHARACTER_WIDTH))


def _write_row_labels(
    axes: "Axes", rows: Sequence[Estimate], size: tuple[float, float], label_width: float, *, notes: bool
) -> None:
    width, height = size
    low, high = axes.get_xlim()
    per_pixel, line = (high - low) / width, _LINE_HEIGHT * len(rows) / height
    left = low - (label_width + 14) * per_pixel
    for number, row in enumerate(rows):
        lines = _wrapped(row.label, int(label_width / _CHARACTER_WIDTH))
        for n, text in enumerate(lines):
            write(axes, left, number + (n - (len(lines) - 1) / 2) * line, text)
        if notes:
            write(axes, high + 14 * per_pixel, number, row.note, color=MUTED, fontsize=SMALL)


def _limits(panels: Sequence[Panel]) -> tuple[float, float]:
    """The range of all values, widened to multiples of 5 % and to at least 15 %."""
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
    """Multiples of 10 %, so far apart that their labels do not touch, also where those at the ends are inside."""
    tenths = range(math.ceil(limits[0] * 10 - 1e-9), math.floor(limits[1] * 10 + 1e-9) + 1)
    steps = (step for step in (1, 2, 5) if len(tenths) / step * _TICK_WIDTH <= width)
    every = next(steps, 10)
    return [tenth / 10 for tenth in tenths if tenth % every == 0]
