"""The plots of the report, as PNG files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trading_agents.backtest.study.claims import CLAIMS, Claim
from trading_agents.backtest.study.run import Study

_INK, _MUTED, _GRID, _CLAIM = "#1f2933", "#6b7785", "#e3e7eb", "#f3d9a4"
_COLORS = ("#1f6fb2", "#d1495b", "#2e8b57", "#7b5ea7", "#b8860b", "#00838f", "#8d6e63")
_SHOWN = ("volatility", "retire, recent", "cost gate", "all together")
_DPI = 110
_MAX_CLAIMS = 8  # a panel extends to at most this multiple of the claim


def plot_changes(studies: Sequence[Study], path: Path) -> None:
    """Plot the changes by all rules on all files with their intervals, one panel per claim."""
    rules = list(dict.fromkeys(one.rule.name for study in studies for one in study.assessments))
    figure = Figure(figsize=(11, 0.9 + 0.24 * len(rules) * max(len(studies), 2)), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(CLAIMS), sharey=True))
    for panel, claim in zip(panels, CLAIMS, strict=True):
        _plot_claim(panel, claim, studies, rules)
    panels[0].set_yticks(range(len(rules)), rules)
    panels[0].invert_yaxis()
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    figure.savefig(path, dpi=_DPI)


def _plot_claim(panel: Axes, claim: Claim, studies: Sequence[Study], rules: Sequence[str]) -> None:
    panel.axvline(0, color=_MUTED, linewidth=0.8)
    panel.axvline(claim.at_least * claim.scale, color=_CLAIM, linewidth=5, zorder=0)
    for number, study in enumerate(studies):
        offset = 0.7 * ((number + 0.5) / len(studies) - 0.5)
        rows = [(rules.index(one.rule.name) + offset, one) for one in study.assessments]
        heights = [height for height, _ in rows]
        values = np.array([getattr(one.change, claim.measure) for _, one in rows]) * claim.scale
        limits = np.array([one.intervals[claim.measure] for _, one in rows]) * claim.scale
        color = _COLORS[number % len(_COLORS)]
        panel.hlines(heights, limits[:, 0], limits[:, 1], color=color, linewidth=1.4)
        panel.plot(values, heights, "o", color=color, markersize=4, label=study.name)
    widest = _MAX_CLAIMS * abs(claim.at_least * claim.scale)
    panel.set_xlim(max(panel.get_xlim()[0], -widest), min(panel.get_xlim()[1], widest))
    panel.set_title(claim.title.replace(", ", ",\n", 1), fontsize=9, color=_INK)
    panel.set_xlabel(f"change, {claim.unit.strip()}" if claim.unit else "change", fontsize=8)
    _tidy(panel)


def plot_summed_returns(study: Study, path: Path) -> None:
    """Plot summed daily returns without memory and with the rules for risk, at equal exposure."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    panel = figure.subplots()
    record = study.record
    dates = np.unique(record.bars.time.astype("datetime64[D]"))[record.first_day :]
    base = record.daily_returns(np.ones(len(record.trades)))
    lines = [("no memory", base, _INK)]
    shown = [one for one in study.assessments if one.rule.name in _SHOWN]
    for one, color in zip(shown, _COLORS, strict=False):
        lines.append((one.rule.name, record.paired_days(one.multipliers)[:, 1], color))
    for label, days, color in lines:
        panel.plot(dates, 100 * np.cumsum(days), color=color, linewidth=1.1, label=label)
    panel.set_title(f"{study.name}: summed returns of all agents, % of capital, equal exposure", fontsize=9, color=_INK)
    panel.legend(frameon=False, fontsize=8)
    _tidy(panel)
    figure.savefig(path, dpi=_DPI)


def _tidy(panel: Axes) -> None:
    panel.grid(axis="x", color=_GRID, linewidth=0.6)
    panel.set_axisbelow(True)
    panel.tick_params(labelsize=8, colors=_INK, length=0)
    for side in ("top", "right", "left"):
        panel.spines[side].set_visible(False)
