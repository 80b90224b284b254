"""Stated confidence against the share of true patterns, side by side for several worlds, as a picture."""

from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure

from agent_memory.learning.reliability import Forecasts

_EDGES = tuple(tenth / 10 for tenth in range(11))


def draw_reliability(judged: Mapping[float, Forecasts], path: Path) -> None:
    """Draw one panel for each share of patterns that go on."""
    figure = Figure(figsize=(10, 3.7), layout="constrained")
    panels = figure.subplots(1, len(judged), sharey=True)
    for axes, (share, forecasts) in zip(panels, judged.items(), strict=True):
        bins = list(forecasts.bins(_EDGES))
        stated, true = [one.stated for one in bins], [one.came_true for one in bins]
        below = [one.came_true - one.interval[0] for one in bins]
        above = [one.interval[1] - one.came_true for one in bins]
        axes.plot([0, 1], [0, 1], color="#888888", linewidth=1)
        axes.errorbar(stated, true, yerr=[below, above], fmt="o", color="#1f6feb", markersize=5, linewidth=1.5)
        axes.set(title=f"{share:.0%} of what was found goes on", xlabel="stated", xlim=(0, 1), ylim=(0, 1), aspect=1)
        axes.grid(color="#e5e5e5")
        axes.set_axisbelow(True)
    panels[0].set_ylabel("true")
    figure.savefig(path, dpi=110)
