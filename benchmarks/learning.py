"""`python -m benchmarks.learning`: error rates of learning where the true effects are known; writes them into the docs.

Takes about four minutes on one core.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from math import inf, isinf
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from agent_memory.learning.calibration import Forecasts
from agent_memory.learning.identification import identify_patterns
from agent_memory.model.evidence import Evidence
from benchmarks.calibration import PROBABILITY_BINS, synthetic_forecasts
from benchmarks.measured_page import write_measured
from benchmarks.monitoring import MonitoredPattern, simulate_monitoring
from benchmarks.synthetic_records import PLANTED, permute_outcomes, planted_record

PAGE = Path(__file__).parents[1] / "docs" / "decisions" / "0001-test-patterns-before-storing-them.md"
PLOT = PAGE.parents[1] / "images" / "confidence.png"

_RECORDS = 200
_PLANTED = ((0.15, 600, 6_000), (0.10, 600, 6_000), (0.15, 300, 3_000), (0.10, 300, 3_000), (0.10, 1_200, 12_000))
_AFTERWARDS = (("persists at +15 points", 0.70), ("ends", 0.55), ("reverses to −15 points", 0.40))
_MONITORED_DECISIONS = 3_000
_SYNTHETIC_EFFECTS = 5_000
_MEAN_DAYS = (60.0, 150.0, inf)
_PLOT_EDGES = tuple(tenth / 10 for tenth in range(11))


def report() -> Iterator[str]:
    """Yield the measured part of the page."""
    yield f"| Planted in {_RECORDS} records | decisions matching | stated | noticed |\n|---|---|---|---|\n"
    for effect, planted, count in _PLANTED:
        records = (planted_record(seed, count=count, planted=planted, effect=effect) for seed in range(_RECORDS))
        stated, noticed = _count_found(records)
        matching = f"{planted:,} of {count:,}"
        yield f"| +{effect * 100:.0f} points, one feature | {matching} | {_share(stated)} | {_share(noticed)} |\n"
    _progress("planted effects")
    record = planted_record(1, count=3_000, planted=600, effect=0.3)
    found = sum(bool(identify_patterns(permute_outcomes(record, seed)).patterns) for seed in range(_RECORDS))
    yield f"\nIn {found} of {_RECORDS} permutations of the outcomes of a record with +30 points, a pattern is found.\n"
    _progress("permutations")
    yield from _monitoring()
    _progress("monitoring")
    forecasts = {days: synthetic_forecasts(1, _SYNTHETIC_EFFECTS, mean_days=days) for days in _MEAN_DAYS}
    _draw_reliability(forecasts, PLOT)
    yield f"\n### Confidence\n\n![Stated confidence and share of effects that last](../images/{PLOT.name})\n\n"
    yield from _scores(forecasts)
    yield f"\nStated and true where {_lifetime(_MEAN_DAYS[1])}:\n\n"
    yield from _calibration(forecasts[_MEAN_DAYS[1]])


def _count_found(records: Iterable[list[Evidence]]) -> tuple[int, int]:
    """In how many records the planted feature is stated, and in how many it is only noticed."""
    stated = noticed = 0
    for record in records:
        found = identify_patterns(record)
        stated += any(pattern.features == (PLANTED,) for pattern in found.patterns)
        noticed += any(pattern.features == (PLANTED,) for pattern in found.emerging)
    return stated, noticed


def _monitoring() -> Iterator[str]:
    yield "\n| An effect of +15 points on 600 of 6,000, once found, … | "
    yield f"deprecated within {_MONITORED_DECISIONS:,} decisions | mean delay | 95 % of delays | bound on the mean |\n"
    yield "|---|---|---|---|---|\n"
    for name, rate in _AFTERWARDS:
        simulated = (simulate_monitoring(seed, rate=rate, decisions=_MONITORED_DECISIONS) for seed in range(_RECORDS))
        found = [one for one in simulated if one]
        delays = np.array([one.decisions_to_alarm for one in found if not isinf(one.decisions_to_alarm)])
        share = f"{len(delays)} of {len(found)}"
        if _has_ended(rate):
            bound = _mean(found, lambda one: one.delay_bound)
            yield f"| {name} | {share} | {delays.mean():.0f} | {np.quantile(delays, 0.95):.0f} | {bound:.0f} |\n"
        else:
            claimed = _mean(found, lambda one: one.claimed_rate)
            yield f"| {name} (claims {claimed * 100:.0f} % at a base rate of 55 %) | {share} | | | |\n"


def _has_ended(rate: float) -> bool:
    return rate < _AFTERWARDS[0][1]


def _mean(found: list[MonitoredPattern], of: Callable[[MonitoredPattern], float]) -> float:
    return float(np.mean([of(one) for one in found]))


def _scores(forecasts: Mapping[float, Forecasts]) -> Iterator[str]:
    yield "| effects | of them last | Brier score | of the base rate | calibration error |\n"
    yield "|---|---|---|---|---|\n"
    for mean_days, one in forecasts.items():
        brier, error = one.brier_score, one.calibration_error(PROBABILITY_BINS) * 100
        yield f"| {_lifetime(mean_days)} | {np.mean(one.happened) * 100:.0f} % "
        yield f"| {brier:.3f} | {one.base_rate_brier_score:.3f} | {error:.1f} points |\n"


def _calibration(forecasts: Forecasts) -> Iterator[str]:
    yield "| stated | effects | mean stated | true |\n|---|---|---|---|\n"
    for one in forecasts.bins(PROBABILITY_BINS):
        yield f"| {one.low:g} to {one.high:g} | {one.count:,} "
        yield f"| {one.mean_probability * 100:.1f} % | {one.frequency * 100:.1f} % |\n"


def _draw_reliability(forecasts: Mapping[float, Forecasts], path: Path) -> None:
    """Draw one reliability diagram for each mean time that effects last."""
    figure = Figure(figsize=(10, 3.7), layout="constrained")
    panels = figure.subplots(1, len(forecasts), sharey=True)
    for axes, (mean_days, of_lifetime) in zip(panels, forecasts.items(), strict=True):
        bins = list(of_lifetime.bins(_PLOT_EDGES))
        stated, true = [one.mean_probability for one in bins], [one.frequency for one in bins]
        # Of all or none, the interval ends at the frequency, to the last digits.
        below = [max(0.0, one.frequency - one.interval[0]) for one in bins]
        above = [max(0.0, one.interval[1] - one.frequency) for one in bins]
        axes.plot([0, 1], [0, 1], color="#888888", linewidth=1)
        axes.errorbar(stated, true, yerr=[below, above], fmt="o", color="#1f6feb", markersize=5, linewidth=1.5)
        axes.set(title=_lifetime(mean_days), xlabel="stated", xlim=(0, 1), ylim=(0, 1), aspect=1)
        axes.grid(color="#e5e5e5")
        axes.set_axisbelow(True)
    panels[0].set_ylabel("true")
    figure.savefig(path, dpi=110)


def _lifetime(mean_days: float) -> str:
    return f"effects last {mean_days:.0f} days on average" if mean_days < inf else "effects do not end"


def _share(found: int) -> str:
    return f"{found / _RECORDS * 100:.1f} %"


def _progress(done: str) -> None:
    sys.stderr.write(f"measured: {done}\n")


if __name__ == "__main__":
    measured = "".join(report())
    write_measured(PAGE, "benchmarks.learning", measured)
    sys.stdout.write(measured)
