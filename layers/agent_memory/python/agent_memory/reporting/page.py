"""Renders the performance report as one HTML page."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment
from markupsafe import Markup

from agent_memory.core.retention import ARCHIVE_AFTER_DAYS, HOT_DAYS
from agent_memory.reporting import content, formatting
from agent_memory.reporting.confidence_trend import draw_confidence_trend
from agent_memory.reporting.day_counts import BarCounts, bars_text, count_by_day
from agent_memory.reporting.decision_bars import draw_decision_bars
from agent_memory.reporting.environment import new_environment
from agent_memory.reporting.interval_plot import Panel, draw_intervals
from agent_memory.reporting.level_bars import draw_level_bars, level_content
from agent_memory.reporting.reliability_diagram import draw_reliability_diagram
from agent_memory.reporting.svg import CANVASES, Canvas, inline_svg
from agent_memory.reporting.trend_text import trend_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def render_report(report: Mapping[str, Any]) -> str:
    """Return the report as a self-contained HTML page, without scripts or external resources, under a megabyte.

    Args:
        report: as `MemoryAnalytics.generate_performance_report` returns it, optionally with a `cost` section, as
            `pricing.Cost.as_dict` returns it; rates and confidences are 0 to 1, times ISO 8601.
    """
    return _environment().get_template("report.html.j2").render(_content(report))


@cache
def _environment() -> Environment:
    filters = (
        formatting.context,
        formatting.count,
        formatting.day,
        formatting.days,
        formatting.dollars,
        formatting.interval,
        formatting.date_time,
        formatting.name,
        formatting.percent,
        formatting.certainty,
        formatting.plural,
        formatting.points,
    )
    return new_environment("agent_memory.reporting", ".", filters)


def _content(report: Mapping[str, Any]) -> dict[str, Any]:
    contexts = content.context_panels(report)
    sources = content.source_panels(report)
    patterns = [content.pattern_panel(report)]
    counts = _counts(report)
    costs = content.cost_lines(report)
    return {
        "report": report,
        "main_type": content.main_type(report),
        "totals": report["totals"],
        "counts": counts,
        "days_heading": _days_heading(counts),
        "days_plot": _days_plot(counts),
        "contexts": contexts,
        "contexts_left_out": content.count_contexts_left_out(report),
        "compared_contexts": content.count_differing(contexts)[1],
        "contexts_heading": content.differing_heading(contexts, "rates by context", "that of their type"),
        "context_rows": content.with_outcomes(report["success_by_context"]),
        "contexts_plot": _intervals_plot(contexts, "contexts", "Success rate by context and decision type"),
        "are_selections": content.are_selections(report),
        "sources_heading": content.differing_heading(sources, "rates by source", "that of all sources"),
        "sources_plot": _intervals_plot(sources, "sources", "Success rate by source"),
        "patterns_heading": content.patterns_heading(report),
        "active_patterns": content.active_patterns(report),
        "emerging_patterns": content.emerging_patterns(report),
        "deprecated_patterns": content.deprecated_patterns(report),
        "untested_patterns": content.untested_patterns(report),
        "patterns_plot": _intervals_plot(patterns, "patterns", "Success rate of each pattern and its base rate"),
        "trends": [{**row, "plot": _trend_plot(n, row, report)} for n, row in enumerate(content.trends(report))],
        "reliability": content.reliability_sentences(report),
        "reliability_plot": _reliability_plot(report),
        "control": content.control_sentences(report),
        "influence": content.influence_sentences(report),
        "experiments": content.experiment_sentences(report),
        "archive_after_days": ARCHIVE_AFTER_DAYS,
        "hot_days": HOT_DAYS,
        "levels_plot": _levels_plot(report),
        "cost_heading": content.cost_heading(report),
        "has_cost": bool(costs),
        "largest_cost": max([line["monthly_usd"] for line in costs], default=0),
    }


def _counts(report: Mapping[str, Any]) -> BarCounts | None:
    """Counts over the whole range; None without any decision."""
    rows = report["decisions_per_day"]
    if not rows:
        return None
    start, end = (datetime.fromisoformat(time).date() for time in report["time_range"])
    return count_by_day(rows, start, end)


def _days_heading(counts: BarCounts | None) -> str:
    if counts is None:
        return "No decision in this range"
    days = sum(total > 0 for total in counts.totals)
    total = formatting.plural(sum(counts.totals), "decision")
    if counts.days_per_bar > 1:
        return f"{total} in {formatting.plural(counts.bars, 'week')}"
    per_day = "" if days <= 1 else f", about {sum(counts.totals) / days:,.0f} per day"
    return f"{total} on {formatting.plural(days, 'day')}{per_day}"


def _days_plot(counts: BarCounts | None) -> Markup:
    if counts is None:
        return Markup("")
    return _plot("days", bars_text(counts), lambda canvas: draw_decision_bars(counts, canvas))


def _intervals_plot(panels: list[Panel], name: str, subject: str) -> Markup:
    if not any(row.rate is not None for panel in panels for row in panel.rows):
        return Markup("")
    description = content.alternative_text(panels, subject)
    return _plot(name, description, lambda canvas: draw_intervals(panels, canvas))


def _trend_plot(number: int, trend: Mapping[str, Any], report: Mapping[str, Any]) -> Markup:
    versions, until = trend["versions"], report["generated_at"]
    return _plot(f"trend-{number}", trend_text(versions), lambda canvas: draw_confidence_trend(versions, until, canvas))


def _reliability_plot(report: Mapping[str, Any]) -> Markup:
    bins = report["reliability"]["bins"]
    if not bins:
        return Markup("")
    rows = ", ".join(
        f"forecast {formatting.percent(row['stated'])}, {formatting.percent(row['came_true'])} "
        f"of {formatting.count(row['count'])} came true"
        for row in bins
    )
    description = f"Reliability of forecasts by patterns: {rows}."
    return _plot("reliability", description, lambda canvas: draw_reliability_diagram(bins, canvas))


def _levels_plot(report: Mapping[str, Any]) -> Markup:
    levels = report["levels"]
    if not levels:
        return Markup("")
    held = ", ".join(f"{level['level']} ({level['store']}) {level_content(level)}" for level in levels)
    return _plot(
        "levels", f"Decisions held by each memory level: {held}.", lambda canvas: draw_level_bars(levels, canvas)
    )


def _plot(name: str, description: str, draw: Callable[[Canvas], "Figure"]) -> Markup:
    """The plot for wide and for narrow screens; the style sheet shows one of the two."""
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
