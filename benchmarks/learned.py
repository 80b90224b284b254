"""`python -m benchmarks.learned`: how often learning is right where the truth is known; writes it into the docs.

Some four minutes on one core.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from math import isinf
from pathlib import Path

import numpy as np

from agent_memory.learning.controls import shuffled
from agent_memory.learning.patterns import identify_patterns
from agent_memory.learning.reliability import Forecasts
from agent_memory.model.evidence import Evidence
from benchmarks.calibration import CHANCES, judged_patterns
from benchmarks.lives import Life, life_after
from benchmarks.reliability_plot import draw_reliability
from benchmarks.worlds import PLANTED, planted_world

PAGE = Path(__file__).parents[1] / "docs" / "decisions" / "how-a-pattern-is-learned.md"
PLOT = PAGE.parents[1] / "images" / "confidence.png"
BEGIN, END = "<!-- measured by benchmarks.learned -->\n", "<!-- end of what is measured -->\n"

_RECORDS = 200
_PLANTED = ((0.15, 600, 6_000), (0.10, 600, 6_000), (0.15, 300, 3_000), (0.10, 300, 3_000), (0.10, 1_200, 12_000))
_AFTERWARDS = (("goes on at +15 points", 0.70), ("ends", 0.55), ("turns around to −15 points", 0.40))
_LIFE_DECISIONS = 3_000
_JUDGED = 10_000
_LASTING = (0.0, 0.5, 1.0)


def report() -> Iterator[str]:
    """The lines of the measured part of the page."""
    yield f"| Planted in {_RECORDS} records | decisions matching | promoted | emerging |\n|---|---|---|---|\n"
    for effect, planted, count in _PLANTED:
        worlds = (planted_world(seed, count=count, planted=planted, effect=effect) for seed in range(_RECORDS))
        active, emerging = _found(worlds)
        matching = f"{planted:,} of {count:,}"
        yield f"| +{effect * 100:.0f} points, one fact | {matching} | {_share(active)} | {_share(emerging)} |\n"
    _progress("planted")
    world = planted_world(1, count=3_000, planted=600, effect=0.3)
    taught = sum(bool(identify_patterns(shuffled(world, seed)).patterns) for seed in range(_RECORDS))
    yield f"\nOf {_RECORDS} shuffles of the outcomes of a record with +30 points, {taught} taught anything.\n"
    _progress("shuffled")
    yield from _lives()
    _progress("lives")
    judged = {share: judged_patterns(1, _JUDGED, lasting=share) for share in _LASTING}
    draw_reliability(judged, PLOT)
    yield f"\n### Confidence\n\n![Stated confidence against the share of true patterns](../images/{PLOT.name})\n\n"
    yield from _scores(judged)
    yield "\nStated and true, where half of what was found goes on:\n\n"
    yield from _calibration(judged[0.5])


def _found(worlds: Iterable[list[Evidence]]) -> tuple[int, int]:
    """In how many worlds the planted fact is promoted, and in how many it is emerging."""
    active = emerging = 0
    for world in worlds:
        found = identify_patterns(world)
        active += any(pattern.features == (PLANTED,) for pattern in found.patterns)
        emerging += any(pattern.features == (PLANTED,) for pattern in found.emerging)
    return active, emerging


def _lives() -> Iterator[str]:
    yield "\n| Once learned (+15 points on 600 of 6,000) it … | "
    yield f"given up within {_LIFE_DECISIONS:,} of its decisions | on average after | 95 % by | declared bound |\n"
    yield "|---|---|---|---|---|\n"
    for what, rate in _AFTERWARDS:
        lives = [life for seed in range(_RECORDS) if (life := life_after(seed, rate=rate, decisions=_LIFE_DECISIONS))]
        alarms = np.array([life.alarm_after for life in lives if not isinf(life.alarm_after)])
        share = f"{len(alarms)} of {len(lives)}"
        if _is_gone(rate):
            declared = _mean(lives, lambda life: life.declared)
            yield f"| {what} | {share} | {alarms.mean():.0f} | {np.quantile(alarms, 0.95):.0f} | {declared:.0f} |\n"
        else:
            held = _mean(lives, lambda life: life.held_to)
            yield f"| {what} (held to {held * 100:.0f} % at a base of 55 %) | {share} | | | |\n"


def _is_gone(rate: float) -> bool:
    return rate < _AFTERWARDS[0][1]


def _mean(lives: list[Life], of: Callable[[Life], float]) -> float:
    return float(np.mean([of(life) for life in lives]))


def _scores(judged: Mapping[float, Forecasts]) -> Iterator[str]:
    yield "| of what was found … goes on | Brier score | of the base rate | mean distance of stated and true |\n"
    yield "|---|---|---|---|\n"
    for share, one in judged.items():
        distance = one.calibration_error(CHANCES) * 100
        yield f"| {share * 100:.0f} % | {one.brier:.3f} | {one.brier_of_base_rate:.3f} | {distance:.1f} points |\n"


def _calibration(judged: Forecasts) -> Iterator[str]:
    yield "| stated | patterns | stated on average | true |\n|---|---|---|---|\n"
    for one in judged.bins(CHANCES):
        yield f"| {one.low:g} to {one.high:g} | {one.count:,} "
        yield f"| {one.stated * 100:.1f} % | {one.came_true * 100:.1f} % |\n"


def _share(found: int) -> str:
    return f"{found / _RECORDS * 100:.1f} %"


def _progress(done: str) -> None:
    sys.stderr.write(f"measured: {done}\n")


if __name__ == "__main__":
    measured = "".join(report())
    before, _, rest = PAGE.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{measured}\n{END}{after}")
    sys.stdout.write(measured)
