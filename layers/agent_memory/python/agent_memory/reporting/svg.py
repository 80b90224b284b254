"""Matplotlib figures as inline SVG whose colours and fonts come from the page's style sheet.

Figures are drawn in CSS pixels with placeholder colours, which become CSS variables in the SVG: one drawing serves
light mode, dark mode and print. Text stays text, so that it can be read aloud, searched and copied.
"""

import re
import warnings
from collections.abc import Mapping
from html import escape
from io import StringIO
from typing import TYPE_CHECKING, NamedTuple

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.text import Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CSS_PIXELS_PER_INCH = 72  # Matplotlib's SVG unit is the point; the page shows one unit as one CSS pixel

# Placeholders that no palette contains by accident, each replaced by a CSS variable of the page.
INK, MUTED, GRID, SURFACE = "#010203", "#010204", "#010205", "#010206"
ACCENT, NEUTRAL, REFERENCE = "#010207", "#010208", "#010209"
SERIES = ("#010211", "#010212", "#010213", "#010214", "#010215", "#010216")

_VARIABLES: Mapping[str, str] = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--grid)",
    SURFACE: "var(--surface)",
    ACCENT: "var(--accent)",
    NEUTRAL: "var(--neutral)",
    REFERENCE: "var(--reference)",
    **{color: f"var(--series-{number})" for number, color in enumerate(SERIES, start=1)},
}


class Canvas(NamedTuple):
    """A drawing surface: its name and its width in CSS pixels."""

    name: str
    width: int

    @property
    def narrow(self) -> bool:
        """Whether it is for a phone, with labels above their rows instead of beside them."""
        return self.name == "narrow"


WIDE = Canvas("wide", 960)
NARROW = Canvas("narrow", 340)
CANVASES = (WIDE, NARROW)


def new_figure(canvas: Canvas, height: float) -> Figure:
    """An empty, transparent figure of the canvas' width and a height in CSS pixels."""
    figure = Figure(figsize=(canvas.width / _CSS_PIXELS_PER_INCH, height / _CSS_PIXELS_PER_INCH))
    figure.patch.set_alpha(0)
    return figure


def add_axes(figure: Figure, left: float, top: float, width: float, height: float) -> "Axes":
    """Bare axes in CSS pixels from the figure's top left corner."""
    total_width = figure.get_figwidth() * _CSS_PIXELS_PER_INCH
    total_height = figure.get_figheight() * _CSS_PIXELS_PER_INCH
    bottom = total_height - top - height
    axes = figure.add_axes((left / total_width, bottom / total_height, width / total_width, height / total_height))
    axes.patch.set_alpha(0)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    return axes


FONT_SIZE = 13.0
SMALL = 12.0


def write(axes: "Axes", x: float, y: float, text: str, **style: object) -> Text:
    """Write text at data coordinates, without interpreting dollar signs as mathematics."""
    defaults: dict[str, object] = {"color": INK, "fontsize": FONT_SIZE, "va": "center", "parse_math": False}
    label = axes.text(x, y, _printable(text), clip_on=False)
    label.set(**(defaults | style))
    return label


def draw_estimate(
    axes: "Axes",
    at: tuple[float, float],
    ends: tuple[tuple[float, float], tuple[float, float]] | None,
    *,
    differs: bool,
) -> None:
    """Draw a dot at a point, with its interval between two points if there is one.

    Whether the estimate differs from its reference is shown by shape as well as by colour: a filled dot, or a hollow
    one.
    """
    color = ACCENT if differs else NEUTRAL
    if ends is not None:
        xs, ys = zip(*ends, strict=True)
        axes.plot(xs, ys, color=color, linewidth=2.5, zorder=2, solid_capstyle="round", clip_on=False)
    axes.plot(
        [at[0]],
        [at[1]],
        "o",
        color=color if differs else SURFACE,
        markeredgecolor=color,
        markeredgewidth=2,
        markersize=8,
        zorder=4,
        clip_on=False,  # a dot at 100 % is as round as the others
    )


def inline_svg(figure: Figure, *, prefix: str, description: str, css_class: str) -> str:
    """Return the figure as an `<svg>` element for inclusion in HTML.

    Args:
        figure: created by `new_figure`.
        prefix: prepended to its ids, so that they are unique in the page.
        description: alternative text for readers who cannot see it.
        css_class: class of the element.
    """
    output = StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": prefix}), warnings.catch_warnings():
        # Widths are measured in Matplotlib's own font; the reader's font has glyphs that it lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(output, format="svg", metadata={"Date": None})
    return _element(output.getvalue(), prefix, description, css_class)


def _element(document: str, prefix: str, description: str, css_class: str) -> str:
    """Convert a stand-alone SVG document to an element of the page."""
    opening = re.search(r'<svg[^>]*viewBox="([^"]*)"[^>]*>', document)
    if opening is None:
        raise RuntimeError("Matplotlib wrote no <svg> element with a viewBox")
    body = document[opening.end() :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r"<style\b.*?</style>", "", body, flags=re.DOTALL)  # its rules would apply to the whole page
    body = _prefix_ids(body, prefix)
    body = re.sub(r"#0102[01]\d", lambda match: _VARIABLES[match.group()], body)
    body = re.sub(r"font: [^;\"]*?([\d.]+)px[^;\"]*", r"font-size: \1px", body)
    body = re.sub(r"\s*\n\s*", "\n", body)
    attributes = f'class="{css_class}" role="img" aria-label="{escape(description)}"'
    return f'<svg {attributes} viewBox="{opening.group(1)}">{body}'.strip()


def _prefix_ids(body: str, prefix: str) -> str:
    """Drop ids that nothing refers to and prefix the others."""
    body = re.sub(r'\bxlink:href="#', 'href="#', body)
    used = set(re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', body))
    referred = {name for pair in used for name in pair if name}

    def renamed(match: re.Match[str]) -> str:
        return f' id="{prefix}-{match.group(1)}"' if match.group(1) in referred else ""

    body = re.sub(r'\sid="([^"]*)"', renamed, body)
    body = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", body)
    return re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', body)


def _printable(text: str) -> str:
    """Replace characters that XML or UTF-8 cannot represent, and line breaks, by spaces."""
    return "".join(char if char.isprintable() else " " for char in text)
