"""`python -m benchmarks.late_outcomes [RECORDS]`: false promotions where outcomes come late or never, on one side.

Two strategies are equally good. Outcomes of one kind come later for one of them, or never; every third day of half a
year the evidence of the last 90 days is searched. A record is false if any search promotes anything.
"""

import random
import sys
from collections.abc import Callable, Iterator
from multiprocessing import get_context

from agent_memory.core.clock import DAY_MS
from agent_memory.learning.evidence_table import build_tables
from agent_memory.learning.identification import build_datasets, identify_in_datasets
from agent_memory.learning.outcome_delays import hold_back, learn_delays, mature
from agent_memory.model.evidence import Evidence
from agent_memory.nightly.evidence import known_evidence
from benchmarks.tables import Row, print_table

_JOBS, _FIRST_JOB, _EVERY = 180, 15, 3
_WINDOW_MS = 90 * DAY_MS
_NEVER = 10_000 * DAY_MS
_GOAL = 0.05

Delay = Callable[[random.Random, str, bool], float]
"""The delay in days of an outcome, by strategy and success."""


def _late(mean: float, *, of: bool | None = False, strategy: str | None = "a") -> Delay:
    """Exponential delays of outcomes of one kind (None: of both) of a strategy (None: of both)."""

    def delay(chance: random.Random, name: str, success: bool) -> float:
        is_late = strategy in (None, name) and of in (None, success)
        return chance.expovariate(1 / mean) if is_late else 0.0

    return delay


def _never(share: float, *, of: bool | None = False, strategy: str | None = "a") -> Delay:
    def delay(chance: random.Random, name: str, success: bool) -> float:
        is_missing = strategy in (None, name) and of in (None, success) and chance.random() < share
        return _NEVER / DAY_MS if is_missing else 0.0

    return delay


WORLDS: dict[str, tuple[Delay, float]] = {
    "outcomes at once": (_late(1e-6), 0.0),
    **{f"losses of one strategy later, mean {mean} days": (_late(mean), 0.0) for mean in (3, 7, 14, 30, 60)},
    "wins of one strategy later, mean 14 days": (_late(14, of=True), 0.0),
    "losses of both strategies later, mean 14 days": (_late(14, strategy=None), 0.0),
    "all outcomes of one strategy later, mean 14 days": (_late(14, of=None), 0.0),
    "losses of one strategy never": (_never(1.0), 0.0),
    "half the losses of one strategy never": (_never(0.5), 0.0),
    "a tenth of its losses never": (_never(0.1), 0.0),
    "+15 points, outcomes at once": (_late(1e-6), 0.15),
    "+15 points, all later, mean 7 days": (_late(7, of=None, strategy=None), 0.15),
    "+15 points, a tenth never": (_never(0.1, of=None, strategy=None), 0.15),
}


def record(delay: Delay, effect: float, seed: int, per_day: int = 24) -> list[Evidence]:
    """The decisions of half a year, with the time at which each outcome became known."""
    chance = random.Random(seed)  # noqa: S311  a simulation
    rows = []
    for n in range(_JOBS * per_day):
        at = int((n + chance.random()) * DAY_MS / per_day)
        strategy = chance.choice("ab")
        success = chance.random() < 0.5 + effect * (strategy == "a")
        facts = [f"metadata.strategy={strategy}"]
        facts += [f"context.market.f{k}={chance.randrange(3)}" for k in range(6)]
        known = at + int(delay(chance, strategy, success) * DAY_MS)
        rows.append(Evidence(f"d-{n}", "SIGNAL_GENERATION", at, success, tuple(sorted(facts)), known))
    return rows


def promoted(world: tuple[str, int]) -> tuple[bool, bool]:
    """Whether any search of a record promotes something: as it is, and without regard to lateness."""
    name, seed = world
    delay, effect = WORLDS[name]
    rows = record(delay, effect, seed)
    careful = plain = False
    for job in range(_FIRST_JOB, _JOBS + 1, _EVERY):
        end_ms = job * DAY_MS
        window = [row for row in rows if end_ms - _WINDOW_MS <= row.timestamp_ms < end_ms]
        tables = build_tables(known_evidence(window, end_ms))
        plain = plain or bool(identify_in_datasets(build_datasets(tables)).patterns)
        delays = [learn_delays(table, end_ms) for table in tables]
        old = [mature(table, one.mature_before_ms) for table, one in zip(tables, delays, strict=True)]
        found = identify_in_datasets(build_datasets([table for table in old if len(table)]))
        careful = careful or bool(hold_back(found, old, delays).patterns)
        if careful and plain:
            break
    return careful, plain


def rows(records: int) -> Iterator[Row]:
    """Records with a promotion, of each world."""
    worlds = [(name, seed) for name in WORLDS for seed in range(records)]
    with get_context("spawn").Pool(1) as pool:
        results = dict(zip(worlds, pool.map(promoted, worlds, chunksize=4), strict=True))
    for name, (_, effect) in WORLDS.items():
        careful, plain = (sum(results[name, seed][n] for seed in range(records)) for n in (0, 1))
        goal = "" if effect else f"≤ {_GOAL:.0%}"
        yield name, f"{careful} of {records}; otherwise {plain}", goal


if __name__ == "__main__":
    print_table("Records in which a search promotes", list(rows(int(sys.argv[1]) if len(sys.argv) > 1 else 20)))
