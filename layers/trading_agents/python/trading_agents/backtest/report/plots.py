"""The plots of the report: as PNG files for the Markdown page, and as drawings within the HTML page.

A drawing takes its colours from the page's style sheet, for light and dark mode, and comes in a wide and a narrow form.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from agent_memory.reporting import svg
from trading_agents.backtest.report.chapters import Chapter
from trading_agents.backtest.study.claims import CLAIMS, Claim
from trading_agents.backtest.study.run import Study

_SHOWN = ("volatility", "retire, recent", "cost gate", "all together")
_DPI = 110
_MAX_CLAIMS = 8  # a panel extends to at most this multiple of the claim
_POINTS_PER_INCH = 72


@dataclass(frozen=True, slots=True)
class Look:
    """How plots look in one place: the width in inches, colours, and sizes of text in points.

    `stacked` puts the panels below one another, for a phone.
    """

    width: float
    ink: str
    muted: str
    grid: str
    claim: str
    colors: tuple[str, ...]
    size: float
    small: float
    stacked: bool = False
    is_transparent: bool = False

    def figure(self, height: float) -> Figure:
        """An empty figure of a height in inches."""
        figure = Figure(figsize=(self.width, height), layout="constrained")
        figure.patch.set_alpha(0.0 if self.is_transparent else 1.0)
        return figure


_OF_PNG = Look(
    width=11,
    ink="#1f2933",
    muted="#6b7785",
    grid="#e3e7eb",
    claim="#f3d9a4",
    colors=("#1f6fb2", "#d1495b", "#2e8b57", "#7b5ea7", "#b8860b", "#00838f", "#8d6e63"),
    size=9,
    small=8,
)


def _of_page(canvas: svg.Canvas) -> Look:
    return Look(
        width=canvas.width / _POINTS_PER_INCH,
        ink=svg.INK,
        muted=svg.MUTED,
        grid=svg.GRID,
        claim=svg.REFERENCE,
        colors=svg.SERIES,
        size=svg.FONT_SIZE,
        small=svg.SMALL,
        stacked=canvas.narrow,
        is_transparent=True,
    )


@dataclass(frozen=True, slots=True)
class Plot:
    """One plot of the report.

    Attributes:
        path: of its PNG file, relative to the report.
        description: for readers who cannot see it.
        draw: draws it with a look.
    """

    path: str
    description: str
    draw: Callable[[Look], Figure]

    def save(self, folder: Path) -> None:
        """Write the PNG file."""
        self.draw(_OF_PNG).savefig(folder / self.path, dpi=_DPI)

    def drawings(self) -> str:
        """The plot for wide and for narrow screens, as HTML; the style sheet shows one of the two."""
        name = Path(self.path).stem
        return "\n".join(
            svg.inline_svg(
                self.draw(_of_page(canvas)),
                prefix=f"{name}-{canvas.name}",
                description=self.description,
                css_class=f"plot {canvas.name}",
            )
            for canvas in svg.CANVASES
        )


def plots_of(chapter: Chapter) -> Iterator[Plot]:
    """The plots of a chapter: the changes by all rules, and the summed returns on each file."""
    names = ", ".join(study.name for study in chapter.shown)
    yield Plot(
        f"images/{chapter.slug}.png",
        f"Changes by each rule on {names}, with 95 % intervals, a panel for each claim; the tables have the numbers.",
        lambda look: draw_changes(chapter.shown, look),
    )
    for study in chapter.shown:
        yield _returns_plot(chapter, study)


def _returns_plot(chapter: Chapter, study: Study) -> Plot:
    ends = ", ".join(f"{label} {100 * days.sum():+.0f} %" for label, days in _returns(study))
    description = f"Summed daily returns of all agents on {study.name}, in % of capital. At the end: {ends}."
    return Plot(f"images/{chapter.slug}-{study.name}.png", description, lambda look: draw_summed_returns(study, look))


def draw_changes(studies: Sequence[Study], look: Look) -> Figure:
    """Draw the changes by all rules on all files with their intervals, one panel per claim."""
    rules = list(dict.fromkeys(one.rule.name for study in studies for one in study.assessments))
    height = 0.9 + 0.24 * len(rules) * max(len(studies), 2)
    rows, columns = (len(CLAIMS), 1) if look.stacked else (1, len(CLAIMS))
    figure = look.figure(height * rows)
    panels = np.atleast_1d(figure.subplots(rows, columns, sharey=True))
    for panel, claim in zip(panels, CLAIMS, strict=True):
        _draw_claim(panel, claim, studies, rules, look)
    panels[0].set_yticks(range(len(rules)), rules)
    panels[0].invert_yaxis()
    _add_legend(figure, panels[0], look, columns=1 if look.stacked else 4)
    return figure


def _draw_claim(panel: Axes, claim: Claim, studies: Sequence[Study], rules: Sequence[str], look: Look) -> None:
    panel.axvline(0, color=look.muted, linewidth=0.8)
    panel.axvline(claim.at_least * claim.scale, color=look.claim, linewidth=5, alpha=0.5, zorder=0)
    for number, study in enumerate(studies):
        offset = 0.7 * ((number + 0.5) / len(studies) - 0.5)
        rows = [(rules.index(one.rule.name) + offset, one) for one in study.assessments]
        heights = [height for height, _ in rows]
        values = np.array([getattr(one.change, claim.measure) for _, one in rows]) * claim.scale
        limits = np.array([one.intervals[claim.measure] for _, one in rows]) * claim.scale
        color = look.colors[number % len(look.colors)]
        panel.hlines(heights, limits[:, 0], limits[:, 1], color=color, linewidth=1.4)
        panel.plot(values, heights, "o", color=color, markersize=4, label=study.name)
    widest = _MAX_CLAIMS * abs(claim.at_least * claim.scale)
    panel.set_xlim(max(panel.get_xlim()[0], -widest), min(panel.get_xlim()[1], widest))
    panel.set_title(claim.title.replace(", ", ",\n", 1), fontsize=look.size, color=look.ink)
    unit = f"change, {claim.unit.strip()}" if claim.unit else "change"
    panel.set_xlabel(unit, fontsize=look.small, color=look.ink)
    _tidy(panel, look)


def _returns(study: Study) -> list[tuple[str, np.ndarray]]:
    """Daily returns without memory and with the rules for risk, at equal exposure."""
    record = study.record
    shown = [one for one in study.assessments if one.rule.name in _SHOWN]
    return [
        ("no memory", record.daily_returns(np.ones(len(record.trades)))),
        *((one.rule.name, record.paired_days(one.multipliers)[:, 1]) for one in shown),
    ]


def draw_summed_returns(study: Study, look: Look) -> Figure:
    """Draw summed daily returns without memory and with the rules for risk, at equal exposure."""
    figure = look.figure(4.4)
    panel = figure.subplots()
    record = study.record
    dates = np.unique(record.bars.time.astype("datetime64[D]"))[record.first_day :]
    for (label, days), color in zip(_returns(study), (look.ink, *look.colors), strict=False):
        panel.plot(dates, 100 * np.cumsum(days), color=color, linewidth=1.1, label=label)
    title = f"{study.name}: summed returns of all agents,\n% of capital, equal exposure"
    panel.set_title(title if look.stacked else title.replace("\n", " "), fontsize=look.size, color=look.ink)
    _add_legend(figure, panel, look, columns=2 if look.stacked else 5)
    _tidy(panel, look)
    panel.tick_params(axis="x", rotation=30 if look.stacked else 0)
    return figure


def _add_legend(figure: Figure, panel: Axes, look: Look, *, columns: int) -> None:
    handles, labels = panel.get_legend_handles_labels()
    legend = figure.legend(handles, labels, loc="outside lower center", ncols=columns, frameon=False)
    for text in legend.get_texts():
        text.set(fontsize=look.small, color=look.ink)


def _tidy(panel: Axes, look: Look) -> None:
    panel.patch.set_alpha(0.0)
    panel.grid(axis="x", color=look.grid, linewidth=0.6)
    panel.set_axisbelow(True)
    panel.tick_params(labelsize=look.small, colors=look.ink, length=0)
    panel.spines["bottom"].set_color(look.muted)
    for side in ("top", "right", "left"):
        panel.spines[side].set_visible(False)
