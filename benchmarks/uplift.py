"""`python -m benchmarks.uplift [--lives N]`: what advice earns where rules are known; writes docs/does-memory-pay.md.

A hunter selects three of six sources every hour, with the advice of last night's estimates or without; the market and
the luck are the same. One life of each run goes through the nightly job itself, and has to choose alike.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from agent_memory.core.clock import DAY_MS, FixedClock, Span
from agent_memory.learning.estimate_update import RecentResult, with_recent
from agent_memory.learning.estimates import EstimateModel, ResultRows, best_half_life, fit_estimates
from agent_memory.learning.evidence_table import build_tables
from agent_memory.learning.expected_results import expected_result
from agent_memory.learning.patterns import PatternThresholds
from agent_memory.memory.long_term import LongTermMemory
from agent_memory.nightly.estimates import update_estimates
from agent_memory.nightly.stored_memories import StoredMemories
from agent_memory.storage.factory import in_memory_stores
from benchmarks.measured_page import write_measured
from benchmarks.synthetic_records import START_MS
from benchmarks.uplift_worlds import CYCLES_PER_DAY, DAYS, FACTS, SOURCES, Array, Codes, World, world

PAGE = Path(__file__).parents[1] / "docs" / "does-memory-pay.md"
LIVES = 16
SELECTED = 3
_EVIDENCE_DAYS = 90
_FIRST_DAYS = 20
_LEARNING_RATE, _EXPLORATION, _INITIAL_SCORE = 0.1, 0.2, 0.5
_NORMAL_95 = 1.96
_CHECKED_DAYS = (5, 10, 20, 60, 100, 119)

Estimate = Mapping[str, object]
"""The data of an estimate, as the nightly job stores it."""
Table = tuple[Array, Array]
"""The expected result of each source in each context, and its standard deviation; shape (27, 6)."""
_CONTEXTS = [(a, b, c) for a in range(3) for b in range(3) for c in range(3)]


def nightly_estimates(life: World, days: Sequence[int] = range(1, DAYS)) -> dict[int, Estimate]:
    """The estimate of each nightly job, by the day that it is for, from the arrays of a life."""
    return {day: _data(fit_estimates(rows, best_half_life(rows))) for day in days for rows in [_rows(life, day)]}


def nightly_table(life: World, day: int) -> Table:
    """The same from the nightly job's own functions: evidence, tables, the stored memory and how advice reads it."""
    end_ms = START_MS + day * DAY_MS
    span = Span(end_ms - _EVIDENCE_DAYS * DAY_MS, end_ms)
    seen = (one for one in life.evidence() if span.start_ms <= one.timestamp_ms < end_ms and one.known_ms < end_ms)
    stores = in_memory_stores(FixedClock(end_ms))
    long_term = LongTermMemory("hunter", stores.memories, stores.clock)
    update_estimates(StoredMemories(long_term), build_tables(seen), ("reasoning.source",), PatternThresholds(), end_ms)
    (memory,) = long_term.find("ESTIMATE")
    return table_of(memory.data)


def _rows(life: World, day: int) -> ResultRows:
    first, end = max(0, day - _EVIDENCE_DAYS) * CYCLES_PER_DAY, day * CYCLES_PER_DAY
    cycles = np.repeat(np.arange(first, end), len(SOURCES))
    return ResultRows(
        options=SOURCES,
        facts=FACTS,
        option_codes=np.tile(np.arange(len(SOURCES)), end - first),
        fact_codes=life.facts[cycles],
        shares=np.ones(len(cycles)),
        ages=(end - cycles) / CYCLES_PER_DAY,
        results=life.right[first:end].ravel().astype(np.float64),
        days=(START_MS // DAY_MS) + cycles // CYCLES_PER_DAY,
    )


def _data(model: EstimateModel) -> Estimate:
    return {"facts": [list(one) for one in FACTS], "success": model.as_data()}


def table_of(data: Estimate) -> Table:
    """What an estimate says of each source in each context."""
    read = [
        [expected_result(data, "success", source, {FACTS[k][v] for k, v in enumerate(context)}) for source in SOURCES]
        for context in _CONTEXTS
    ]
    return np.array([[one.mean for one in row] for row in read]), np.array(
        [[one.deviation for one in row] for row in read]
    )


# --- policies: which sources each cycle selects --------------------------------------------------------------------


def advised(
    life: World, tables: Mapping[int, Table], chance: np.random.Generator, *, rule: str, exploration: float = 0.0
) -> Codes:
    """The selection by advice; at random before the first night, and among equal ones."""
    context = life.facts @ np.array([9, 3, 1])
    scores = chance.random(life.rates.shape) * 1e-9
    for day, (means, deviations) in tables.items():
        cycles = slice(day * CYCLES_PER_DAY, (day + 1) * CYCLES_PER_DAY)
        now = context[cycles]
        draws = chance.standard_normal((len(now), len(SOURCES))) if rule == "thompson" else 0.0
        scores[cycles] += means[now] + deviations[now] * draws
    ranked = np.argsort(-scores, axis=1, kind="stable")
    return _explored(ranked, chance, exploration)


def with_recent_results(life: World, estimates: Mapping[int, Estimate], chance: np.random.Generator) -> Codes:
    """The selection by advice that counts the results of the day so far.

    As the shipped hunter does, it selects by own scores until there is an estimate, and logs the results of a cycle
    at the end of the following one.
    """
    ranked = by_own_scores(life, chance).copy()
    facts = [frozenset(of_key[code] for of_key, code in zip(FACTS, row, strict=True)) for row in life.facts.tolist()]
    for day, estimate in estimates.items():
        for cycle in range(day * CYCLES_PER_DAY, (day + 1) * CYCLES_PER_DAY):
            known = cycle - 2
            if known >= day * CYCLES_PER_DAY - 1:
                results = zip(SOURCES, life.right[known].tolist(), strict=True)
                recent = [RecentResult(source, facts[known], float(right)) for source, right in results]
                estimate = with_recent(estimate, "success", recent)  # noqa: PLW2901  grows with the day
            means = [expected_result(estimate, "success", source, facts[cycle]).mean for source in SOURCES]
            ranked[cycle] = np.argsort(-np.array(means), kind="stable")[:SELECTED]
    return ranked


def by_own_scores(life: World, chance: np.random.Generator) -> Codes:
    """The hunter without memory: a score of each source in each market, moved by a tenth towards each judgement.

    Its market is trend and volatility; the trading hours are another part of the context.
    """
    scores = np.full((9, len(SOURCES)), _INITIAL_SCORE)
    ranked = np.empty(life.rates.shape, dtype=np.int64)
    for cycle, context in enumerate(life.facts[:, :2] @ np.array([3, 1])):
        ranked[cycle] = np.argsort(-scores[context], kind="stable")
        scores[context] += _LEARNING_RATE * (life.right[cycle] - scores[context])
    return _explored(ranked, chance, _EXPLORATION)


def _explored(ranked: Codes, chance: np.random.Generator, exploration: float) -> Codes:
    """The first sources of a ranking; with a probability the last of them is replaced by one of the others."""
    selected = ranked[:, :SELECTED].copy()
    explores = np.flatnonzero(chance.random(len(ranked)) < exploration)
    others = chance.integers(SELECTED, len(SOURCES), len(explores))
    selected[explores, -1] = ranked[explores, others]
    return selected


def earned(life: World, selected: Codes) -> Array:
    """The mean rate of the selected sources in each cycle, in points."""
    return np.asarray(100 * np.take_along_axis(life.rates, selected, axis=1).mean(axis=1), dtype=np.float64)


# --- the measurement -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Uplift:
    """Points of success over the same hunter without memory, in one life."""

    against_random: dict[str, Array]
    against_own_scores: dict[str, Array]


def one_life(seed: int, kind: str) -> Uplift:
    """Every policy in one life; cycle by cycle."""
    life = world(seed, kind)
    estimates = nightly_estimates(life)
    tables = {day: table_of(one) for day, one in estimates.items()}
    chance = np.random.default_rng(10_000 + seed)
    oracle = earned(life, np.argsort(-life.rates, axis=1, kind="stable")[:, :SELECTED])
    policies = {
        "advice with the results of the day, as the hunter": earned(
            life, with_recent_results(life, estimates, np.random.default_rng(20_000 + seed))
        ),
        "advice, greedy": earned(life, advised(life, tables, chance, rule="greedy")),
        "advice, greedy with 20 % exploration": earned(
            life, advised(life, tables, chance, rule="greedy", exploration=_EXPLORATION)
        ),
        "advice, Thompson sampling": earned(life, advised(life, tables, chance, rule="thompson")),
        "own scores in each market, without memory": earned(life, by_own_scores(life, chance)),
        "oracle": oracle,
    }
    at_random = 100 * life.rates.mean(axis=1)
    own = policies["own scores in each market, without memory"]
    return Uplift(
        {name: one - at_random for name, one in policies.items()},
        {name: one - own for name, one in policies.items()},
    )


def report(lives: int, workers: int) -> Iterator[str]:
    """Yield the measured part of the page."""
    yield from _checked(world(0, "rules"))
    titles = {
        "rules": "Rules that hold",
        "turned": "Rules that turn at half-time",
        "none": "No rules at all",
    }
    for kind, title in titles.items():
        with ProcessPoolExecutor(workers) as pool:
            found = list(pool.map(partial(one_life, kind=kind), range(lives)))
        yield f"\n### {title}\n\n"
        yield "| policy | over random selection | over own scores | the same, first 20 days | of the oracle's gain |\n"
        yield "|---|---|---|---|---|\n"
        for name in found[0].against_random:
            over = [float(one.against_random[name].mean()) for one in found]
            early = [float(one.against_own_scores[name][: _FIRST_DAYS * CYCLES_PER_DAY].mean()) for one in found]
            over_own = [float(one.against_own_scores[name].mean()) for one in found]
            oracle = [float(one.against_random["oracle"].mean()) for one in found]
            share = f"{np.sum(over) / np.sum(oracle):.0%}" if kind != "none" else ""
            line = f"| {name} | {_interval(over)} | {_interval(over_own)} | {_interval(early)} | {share} |\n"
            sys.stderr.write(line)
            yield line


def _checked(life: World) -> Iterator[str]:
    """Compare the fast path with the nightly job's functions on some days of a life; the greatest difference."""
    difference = 0.0
    for day in _CHECKED_DAYS:
        fast, real = table_of(nightly_estimates(life, [day])[day]), nightly_table(life, day)
        difference = max(difference, *(float(np.max(np.abs(a - b))) for a, b in zip(fast, real, strict=True)))
    if difference > 1e-3:  # noqa: PLR2004  the stored figures have five digits
        raise AssertionError(f"the nightly job's estimates differ by {difference}")
    yield f"On {len(_CHECKED_DAYS)} days of one life the nightly job's own functions led to the same expectations "
    yield f"(greatest difference {difference:.1e}).\n"


def _interval(values: Sequence[float]) -> str:
    """The mean over lives, with its 95 % interval."""
    mean, margin = float(np.mean(values)), _NORMAL_95 * float(np.std(values, ddof=1)) / len(values) ** 0.5
    return f"{mean:+.1f} [{mean - margin:+.1f}, {mean + margin:+.1f}]"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.uplift", description=__doc__.splitlines()[0])
    parser.add_argument("--lives", type=int, default=LIVES, help="of each world, 2 or more (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default: %(default)s)")
    arguments = parser.parse_args()
    measured = "".join(report(arguments.lives, arguments.workers))
    write_measured(PAGE, "benchmarks.uplift", measured.strip() + "\n")
    sys.stdout.write(measured)
