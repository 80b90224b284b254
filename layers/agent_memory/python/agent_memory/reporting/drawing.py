"""Matplotlib figures as inline SVG whose colours and fonts belong to the page's style sheet.

Figures are drawn in CSS pixels with stand-in colours, which become CSS variables in the SVG: one drawing
serves light mode, dark mode and print. Text stays text, so that it can be read aloud, searched and copied.
"""

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from io import StringIO
from typing import TYPE_CHECKING

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.text import Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CSS_PIXELS_PER_INCH = 72  # Matplotlib's SVG unit is the point; the page shows one unit as one CSS pixel

# Colours that no palette holds by accident, each a CSS variable of the page.
INK, MUTED, GRID, SURFACE = "#010203", "#010204", "#010205", "#010206"
APART, PLAIN, REFERENCE = "#010207", "#010208", "#010209"
SERIES = ("#010211", "#010212", "#010213", "#010214", "#010215", "#010216")

_VARIABLES: Mapping[str, str] = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--grid)",
    SURFACE: "var(--surface)",
    APART: "var(--apart)",
    PLAIN: "var(--plain)",
    REFERENCE: "var(--reference)",
    **{color: f"var(--series-{number})" for number, color in enumerate(SERIES, start=1)},
}

FONT_SIZE = 13.0
SMALL = 12.0


@dataclass(frozen=True, slots=True)
class Canvas:
    """A drawing surface: its name, its width in CSS pixels, and whether it is meant for a phone."""

    name: str
    width: int

    @property
    def narrow(self) -> bool:
        """Whether labels stand above their rows, not beside them."""
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


def write(axes: "Axes", x: float, y: float, text: str, **style: object) -> Text:
    """Text at data coordinates, never read as mathematics: a dollar sign is a dollar sign."""
    defaults: dict[str, object] = {"color": INK, "fontsize": FONT_SIZE, "va": "center", "parse_math": False}
    label = axes.text(x, y, _printable(text), clip_on=False)
    label.set(**(defaults | style))
    return label


def inline_svg(figure: Figure, *, prefix: str, description: str, css_class: str) -> str:
    """The figure as an `<svg>` element to stand in HTML.

    Args:
        figure: What to draw; made by `new_figure`.
        prefix: Makes its ids unique in the page.
        description: What a reader who cannot see it should be told.
        css_class: Class of the element.
    """
    output = StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": prefix}), warnings.catch_warnings():
        # Widths are measured in Matplotlib's own font; the reader's font has glyphs that it lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(output, format="svg", metadata={"Date": None})
    return _adopt(output.getvalue(), prefix, description, css_class)


def _adopt(document: str, prefix: str, description: str, css_class: str) -> str:
    """Turn a stand-alone SVG document into an element of the page."""
    opening = re.search(r'<svg[^>]*viewBox="([^"]*)"[^>]*>', document)
    if opening is None:
        raise RuntimeError("Matplotlib wrote no <svg> element with a viewBox")
    body = document[opening.end() :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r"<style\b.*?</style>", "", body, flags=re.DOTALL)  # its rules are for *, the whole page
    body = _own_ids(body, prefix)
    body = re.sub(r"#0102[01]\d", lambda match: _VARIABLES[match.group()], body)
    body = re.sub(r"font: [^;\"]*?([\d.]+)px[^;\"]*", r"font-size: \1px", body)
    body = re.sub(r"\s*\n\s*", "\n", body)
    attributes = f'class="{css_class}" role="img" aria-label="{escape(description)}"'
    return f'<svg {attributes} viewBox="{opening.group(1)}">{body}'.strip()


def _own_ids(body: str, prefix: str) -> str:
    """Drop ids that nothing refers to and put the prefix before the others."""
    body = re.sub(r'\bxlink:href="#', 'href="#', body)
    used = set(re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', body))
    referred = {name for pair in used for name in pair if name}

    def renamed(match: re.Match[str]) -> str:
        return f' id="{prefix}-{match.group(1)}"' if match.group(1) in referred else ""

    body = re.sub(r'\sid="([^"]*)"', renamed, body)
    body = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", body)
    return re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', body)


def _printable(text: str) -> str:
    """Text without characters that XML or UTF-8 cannot carry, on one line."""
    return "".join(char if char.isprintable() else " " for char in text)
