"""A bar chart of how much each memory level holds."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agent_memory.reporting.formatting import count, plural, shortened
from agent_memory.reporting.svg import MUTED, SERIES, SMALL, Canvas, add_axes, new_figure, write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ROW_HEIGHT = 44
_NARROW_ROW_HEIGHT = 58
_LABEL_WIDTH = 210
_NUMBER_WIDTH = 190


def draw_level_bars(levels: Sequence[Mapping[str, Any]], canvas: Canvas) -> "Figure":
    """One bar per level for its decisions; short-term entries are only written beside it."""
    row_height = _NARROW_ROW_HEIGHT if canvas.narrow else _ROW_HEIGHT
    label_width, number_width = (0, 150) if canvas.narrow else (_LABEL_WIDTH, _NUMBER_WIDTH)
    figure = new_figure(canvas, len(levels) * row_height)
    width = canvas.width - label_width - number_width
    axes = add_axes(figure, label_width, 0, width, len(levels) * row_height)
    most = max([1, *(level.get("decisions") or 0 for level in levels)])
    axes.set_xlim(0, most)
    axes.set_ylim(len(levels) - 0.5, -0.5)
    per_pixel = most / width
    for number, level in enumerate(levels):
        decisions = level.get("decisions") or 0
        y = number + (0.16 if canvas.narrow else 0)
        axes.barh([y], [decisions], height=18 / row_height, color=SERIES[0], linewidth=0)
        write(axes, decisions + 8 * per_pixel, y, level_content(level))
        label_x, label_y = (0, number - 0.24) if canvas.narrow else (-label_width * per_pixel, number - 0.16)
        write(axes, label_x, label_y, shortened(str(level["level"]).capitalize(), 11), fontweight="bold")
        where = shortened(f"{level['store']}, {level['age']}", 30)
        if canvas.narrow:
            write(axes, 90 * per_pixel, label_y, where, color=MUTED, fontsize=SMALL)
        else:
            write(axes, label_x, number + 0.2, where, color=MUTED, fontsize=SMALL)
    return figure


def level_content(level: Mapping[str, Any]) -> str:
    """What a level holds as text: `4,176`, or `6 decisions, 11 entries`."""
    entries = level.get("entries")
    decisions = level.get("decisions") or 0
    if not entries:
        return count(decisions)
    return f"{plural(decisions, 'decision')}, {plural(entries, 'entry', 'entries')}"
