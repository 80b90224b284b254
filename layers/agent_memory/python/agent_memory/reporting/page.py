"""From the performance report to one HTML page."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from agent_memory.core.retention import ARCHIVE_AFTER_DAYS, HOT_DAYS
from agent_memory.reporting import view, words
from agent_memory.reporting.days import Counts, count_by_day, draw_days
from agent_memory.reporting.drawing import CANVASES, Canvas, inline_svg
from agent_memory.reporting.intervals import Panel, draw_intervals
from agent_memory.reporting.levels import draw_levels, holding
from agent_memory.reporting.reliability import draw_reliability

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def render_report(report: Mapping[str, Any]) -> str:
    """The report as a self-contained HTML page: no script, no request to anywhere, under a megabyte.

    Args:
        report: The performance report as the analytics write it; rates and confidences are 0 to 1, times ISO 8601.
    """
    return _environment().get_template("report.html.j2").render(_content(report))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("agent_memory.reporting", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {
        filter_.__name__: filter_
        for filter_ in (
            words.context,
            words.count,
            words.day,
            words.days,
            words.dollars,
            words.interval,
            words.moment,
            words.name,
            words.percent,
            words.certainty,
            words.plural,
            words.points,
        )
    }
    return environment


def _content(report: Mapping[str, Any]) -> dict[str, Any]:
    contexts = view.context_panels(report)
    sources = [view.source_panel(report)]
    patterns = [view.pattern_panel(report)]
    counts = _counts(report)
    costs = report["cost"]["lines"]
    return {
        "report": report,
        "totals": report["totals"],
        "shares": view.shares(report),
        "counts": counts,
        "days_heading": _days_heading(counts),
        "days_plot": _days_plot(counts),
        "contexts": contexts,
        "contexts_left_out": view.contexts_left_out(report),
        "contexts_apart": view.apart(contexts),
        "contexts_heading": view.apart_heading(contexts, "rates by context", "their type’s"),
        "context_rows": view.with_outcomes(report["success_by_context"]),
        "contexts_plot": _intervals_plot(contexts, "contexts", "Success rate by context and decision type"),
        "sources": sources,
        "sources_heading": view.apart_heading(sources, "rates by source", "that of all sources"),
        "sources_plot": _intervals_plot(sources, "sources", "Success rate by source"),
        "patterns_heading": view.patterns_heading(report),
        "patterns_now": view.patterns_now(report),
        "patterns_emerging": view.patterns_emerging(report),
        "patterns_before": view.patterns_before(report),
        "patterns_plot": _intervals_plot(patterns, "patterns", "Success rate of each pattern and its base rate"),
        "reliability": view.reliability_sentences(report),
        "reliability_plot": _reliability_plot(report),
        "control": view.control_sentences(report),
        "archive_after_days": ARCHIVE_AFTER_DAYS,
        "hot_days": HOT_DAYS,
        "levels_plot": _levels_plot(report),
        "cost_heading": view.cost_heading(report),
        "largest_cost": max([line["monthly_usd"] for line in costs], default=0),
    }


def _counts(report: Mapping[str, Any]) -> Counts | None:
    """Bars of the whole range; None where there is no decision to draw."""
    rows = report["decisions_per_day"]
    if not rows:
        return None
    start, end = (_date(moment) for moment in report["time_range"])
    return count_by_day(rows, start, end)


def _date(moment: str) -> date:
    return datetime.fromisoformat(moment).date()


def _days_heading(counts: Counts | None) -> str:
    if counts is None:
        return "No decision in this range"
    days = sum(total > 0 for total in counts.totals)
    total = words.plural(sum(counts.totals), "decision")
    if counts.days_per_bar > 1:
        return f"{total} in {words.plural(counts.bars, 'week')}"
    each = "" if days <= 1 else f", about {sum(counts.totals) / days:,.0f} a day"
    return f"{total} on {words.plural(days, 'day')}{each}"


def _days_plot(counts: Counts | None) -> Markup:
    if counts is None:
        return Markup("")
    types = ", ".join(f"{words.name(key)} {words.count(sum(column))}" for key, column in counts.by_type.items())
    per = "day" if counts.days_per_bar == 1 else "week"
    description = (
        f"Stacked bars of decisions per {per} and type, {words.day(counts.first[0])} to "
        f"{words.day(counts.first[-1])}. In all: {types}. Most in one {per}: {words.count(max(counts.totals))}."
    )
    return _plot("days", description, lambda canvas: draw_days(counts, canvas))


def _intervals_plot(panels: list[Panel], name: str, subject: str) -> Markup:
    if not any(row.rate is not None for panel in panels for row in panel.rows):
        return Markup("")
    description = view.description_of(panels, subject)
    return _plot(name, description, lambda canvas: draw_intervals(panels, canvas))


def _reliability_plot(report: Mapping[str, Any]) -> Markup:
    bins = report["reliability"]["bins"]
    if not bins:
        return Markup("")
    rows = ", ".join(
        f"stated {words.percent(row['stated'])}, came true {words.percent(row['came_true'])} "
        f"of {words.count(row['count'])}"
        for row in bins
    )
    description = f"Reliability of what patterns foretold: {rows}."
    return _plot("reliability", description, lambda canvas: draw_reliability(bins, canvas))


def _levels_plot(report: Mapping[str, Any]) -> Markup:
    levels = report["levels"]
    if not levels:
        return Markup("")
    held = ", ".join(f"{level['level']} ({level['store']}) {holding(level)}" for level in levels)
    return _plot("levels", f"Decisions held by each memory level: {held}.", lambda canvas: draw_levels(levels, canvas))


def _plot(name: str, description: str, draw: Callable[[Canvas], "Figure"]) -> Markup:
    """The same plot for wide and for narrow screens; the style sheet shows one of them."""
    drawings = (
        inline_svg(
            draw(canvas),
            prefix=f"{name}-{canvas.name}",
            description=description,
            css_class=f"plot {canvas.name}",
        )
        for canvas in CANVASES
    )
    return Markup("\n".join(drawings))  # noqa: S704 (Matplotlib escapes text; `inline_svg` the description)
