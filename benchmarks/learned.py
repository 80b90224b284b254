"""`python -m benchmarks.learned [--records N]`: what learning states where the truth is known; writes docs/learned.md.

Takes about three quarters of an hour on one core. Progress, and the seeds of the records that missed, go to stderr.
"""

import argparse
import sys
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from agent_memory.core.clock import DAY_MS
from agent_memory.learning.calibration import Forecasts
from agent_memory.learning.evidence_table import build_tables
from agent_memory.learning.identification import build_datasets, identify_in_datasets, identify_patterns
from agent_memory.learning.intervals import wilson_interval
from agent_memory.learning.monitoring import DriftMonitor, claimed_log_odds, evaluate
from agent_memory.learning.outcome_delays import hold_back, learn_delays, mature
from agent_memory.learning.patterns import NIGHTLY_ERROR_RATE, Identification, Pattern, PatternThresholds
from agent_memory.model.evidence import Evidence
from agent_memory.nightly.evidence import known_evidence
from benchmarks.demo_statements import count_statements, demo_evidence
from benchmarks.evidence_files import write_evidence
from benchmarks.few_facts_worlds import PAIR, pair_record, random_copies_record
from benchmarks.late_outcomes import WORLDS as LATE_WORLDS
from benchmarks.late_outcomes import record as late_record
from benchmarks.learned_worlds import (
    FOUR_SINGLES,
    MIXED_FACT,
    ONE_AND_PAIRS,
    Copies,
    Life,
    Statement,
    copies_record,
    drift_record,
    effects_record,
    horizons_record,
    life_record,
    own_luck_record,
    questions_record,
    rate_record,
    seasons_record,
)
from benchmarks.measured_page import write_measured
from benchmarks.nightly import measure_search
from benchmarks.synthetic_records import LASTING, PLANTED, START_MS, null_record, planted_record, regimes_record

PAGE = Path(__file__).parents[1] / "docs" / "learned.md"
_RECORDS = 40
# Each of these is searched 180 times.
_NIGHTLY_SHARE = 1 / 4
# Of fewer, the worst of five bins is luck: a bin has statements on few effects.
_LIVES_SHARE = 16
# Whether 90 % are found cannot be told from 40 records.
_FOUND_SHARE = 5

_JOBS, _FIRST_JOB = 180, 6
_WINDOW_MS = 90 * DAY_MS
_NIGHTLY = PatternThresholds(familywise_error_rate=NIGHTLY_ERROR_RATE)
_AT_MOST_FALSE = "false in ≤ 5 %"

_COPIES = {
    "2 copies over 24 h, 12 positions open at once": Copies(copies=2, over_hours=24),
    "3 copies over 48 h, 24 open": Copies(copies=3, over_hours=48),
    "5 copies at the same time": Copies(copies=5, over_hours=0),
    "5 copies over 24 h, 12 open": Copies(copies=5, over_hours=24),
    "5 copies over 24 h, 1 open": Copies(copies=5, over_hours=24, every_hours=24),
    "5 copies over 72 h, 7 open": Copies(copies=5, over_hours=72, every_hours=10),
    "30 copies over 72 h, 36 open": Copies(copies=30, over_hours=72, positions=200),
    "30 copies over 72 h, 3 open": Copies(copies=30, over_hours=72, positions=200, every_hours=24),
    "5 copies over 24 h, 4 open; market facts last two days": Copies(
        copies=5, over_hours=24, every_hours=6, dwell_hours=48
    ),
    "5 copies over 72 h, 7 open; market facts last five days": Copies(
        copies=5, over_hours=72, every_hours=10, dwell_hours=120
    ),
    "30 copies over 72 h, 36 open; decisions name their hour": Copies(
        copies=30, over_hours=72, positions=200, has_hours=True
    ),
    "5 copies over 48 h, 24 open; decisions name their position": Copies(copies=5, over_hours=48, is_named=True),
    "30 copies over 72 h, 36 open; decisions name their position": Copies(
        copies=30, over_hours=72, positions=200, is_named=True
    ),
}
# Searched in their first weeks, when there is little to tell copies from other decisions by.
_EARLY_COPIES = {
    "3 copies over 48 h, 12 open": Copies(copies=3, over_hours=48, every_hours=4, positions=240, dwell_hours=48),
    "5 copies over 48 h, 24 open": Copies(copies=5, over_hours=48, positions=480, dwell_hours=24),
    "5 copies over 72 h, 36 open": Copies(copies=5, over_hours=72, positions=480, dwell_hours=6),
    "10 copies over 72 h, 12 open": Copies(copies=10, over_hours=72, every_hours=6, positions=160, dwell_hours=12),
}
_EARLY_JOBS = 40
_DWELL_DAYS = (2, 5, 10, 20)
_FEW_FACTS_DAYS, _FEW_FACTS_HOURS = (17, 31), 6
_LASTING_HOURS = {"six hours": 6, "a day": 24, "three days": 72, "five days": 120}
_LATE = (
    *(f"losses of one strategy later, mean {mean} days" for mean in (3, 7, 14, 30)),
    "losses of one strategy never",
)
_MEAN_LIFE_DAYS = (60.0, 150.0, inf)
_LIFE_DAYS, _FIRST_CHECK, _CHECK_EVERY, _FINAL_DAYS = 170, 20, 5, 2
_CONFIDENCE_EDGES = (0.0, 0.5, 0.8, 0.9, 0.95, 1.0)
# A bin with fewer forecasts is luck.
_LEAST_SHARE_OF_BIN = 0.02
_DEMO_RATES = (0.05, 0.5, 0.9)
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a table: the world, how many records of it were tried, the result, and the goal if there is one."""

    world: str
    records: int
    result: str
    goal: str = ""


def false_promotions(records: int) -> Iterator[Line]:
    """Records in which one search states anything although no fact has an effect."""
    for name, how in _COPIES.items():
        yield _false(f"copies of one position: {name}", records, partial(copies_record, how=how))
    world = "copies of one position, all at random: 2 to 5 copies over up to 72 h, up to 20 open, two to five facts"
    yield _false(world, round(records * _FOUND_SHARE), random_copies_record)
    for days in _DWELL_DAYS:
        record = partial(regimes_record, per_hour=2, dwell_hours=days * 24)
        yield _false(f"market facts and fortune that last {days} days, 6,000 decisions", records, record)
        record = partial(record, count=2_000, spread=0.3)
        yield _false(f"the same, {days} days, 2,000 decisions, larger changes", records, record)
    yield _false("independent outcomes", records, null_record)
    for rate in (0.02, 0.05, 0.95):
        yield _false(f"a success rate of {rate:.0%}", records, partial(rate_record, rate=rate))
    yield _false("a success rate that drifts by 20 points", records, drift_record)
    yield _false("four versions, one after the other", records, partial(drift_record, versions=4, drift=0.0))
    yield _false("four versions, and a drift of 20 points", records, partial(drift_record, versions=4))
    yield _false("seasons by hour and weekday", records, seasons_record)
    for days in (5, 10):
        record = partial(own_luck_record, days=days)
        yield _false(f"symbols with luck of their own that lasts {days} days", records, record)
    yield _false("questions of unequal difficulty, asked of sources unequally", records, questions_record)
    yield _opposite_within_questions(records)
    for share in (0.2, 0.5):
        record = partial(questions_record, unnamed=share)
        yield _false(
            f"questions of unequal difficulty, which {share:.0%} of the decisions do not name", records, record
        )


def repeated_false_positives(records: int) -> Iterator[Line]:
    """Records in which any of many nightly searches states anything although no fact has an effect."""
    for days in _DWELL_DAYS:
        world = f"market facts and fortune that last {days} days, 24 decisions a day; {_JOBS} searches"
        record = partial(regimes_record, count=24 * _JOBS, per_hour=1, dwell_hours=days * 24)
        yield _rate(world, range(records), partial(_is_ever_promoted, record, START_MS), _AT_MOST_FALSE)
    for name, how in _EARLY_COPIES.items():
        world = f"copies of one position, each with the market facts of its own time: {name}; {_EARLY_JOBS} searches"
        record = partial(copies_record, how=replace(how, follows_market=True))
        happens = partial(_is_ever_promoted, record, START_MS, jobs=_EARLY_JOBS)
        yield _rate(world, range(2 * records), happens, _AT_MOST_FALSE)
    world = f"long and short positions of an hour, a day and a week, at random; {_JOBS} searches"
    yield _rate(world, range(records), partial(_is_ever_promoted, horizons_record, START_MS), _AT_MOST_FALSE)


def late_outcomes(records: int) -> Iterator[Line]:
    """Records in which any of 180 nightly searches states that one of two equal strategies is better."""
    for name in _LATE:
        record = partial(late_record, *LATE_WORLDS[name])
        yield _rate(name, range(records), partial(_is_ever_promoted, record, 0), _AT_MOST_FALSE)


def found_effects(records: int) -> Iterator[Line]:
    """Records in which the planted effect is stated, and how soon, and by how many statements."""
    many = round(records * _FOUND_SHARE)
    record = partial(planted_record, count=3_000, planted=600, effect=0.10, per_hour=2)
    yield _found("+10 points on 20 % of 3,000", many, record, "found in ≥ 60 %")
    record = partial(regimes_record, per_hour=2, dwell_hours=120, planted=1_200, effect=0.10)
    yield _found("+10 points on 20 % of 6,000, five-day regimes", many, record, "found in ≥ 90 %")
    record = partial(planted_record, count=3_000, planted=300, effect=0.15, per_hour=2)
    yield _found("+15 points on 10 % of 3,000", many, record, "found in ≥ 90 %")
    for duration, hours in _LASTING_HOURS.items():
        record = partial(regimes_record, per_hour=2, dwell_hours=hours, spread=0.1, market_effect=0.15)
        world = f"+15 points of a market fact that lasts {duration} on average, as luck does; 6,000"
        yield _found(world, records, record, statement=(LASTING,))
    for days in _FEW_FACTS_DAYS:
        record = partial(pair_record, days=days, dwell_hours=_FEW_FACTS_HOURS)
        world = f"+30 points of two facts together on an eighth of 96 decisions a day with four facts, {days} days"
        yield _found(world, records, record, statement=PAIR)
    yield _days_until_found(range(_at_least_one(records / 2)))
    for name, effects in (("four single facts", FOUR_SINGLES), ("a single fact and three pairs", ONE_AND_PAIRS)):
        yield _statements(name, effects, range(_at_least_one(records / 2)))


def reliability(lives: int) -> Iterator[Line]:
    """Stated confidence of active patterns, against how often their effect lasts at that time.

    The goal is that of all kinds of effects together: no statement about one effect can know how long the others last.
    """
    everything = []
    for mean_days in _MEAN_LIFE_DAYS:
        followed = [_follow(life_record(seed, mean_days=mean_days, days=_LIFE_DAYS), _NIGHTLY) for seed in range(lives)]
        everything += followed
        world = f"effects that last {mean_days:.0f} days on average" if mean_days < inf else "effects that do not end"
        yield _worst_bin(world, followed)
    yield _worst_bin("all of these together", everything, "worst bin ≤ 3 points")


def demo_record() -> Iterator[Line]:
    """What is stated about the demo's record of real bars, at rates of false statements up to more likely than not."""
    evidence = demo_evidence()
    for rate in _DEMO_RATES:
        count, keep = count_statements(evidence, rate)
        result = f"{count} statements, of which {keep} keep their sign within their questions"
        world = f"{len(evidence):,} decisions of the demo, any false statement with a probability of {rate:.0%}"
        yield _progress(Line(world=world, records=1, result=result, goal="≤ 8, all keep their sign"))


def speed() -> Iterator[Line]:
    """Time and memory of one search of a million decisions in a process of its own."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "evidence.parquet"
        write_evidence(path, _MILLION)
        measured = measure_search(path)
    seconds = measured["read_seconds"] + measured["search_seconds"]
    result = f"{seconds:.0f} s of one core, of which reading {measured['read_seconds']:.0f} s"
    world = f"{_MILLION:,} decisions with 41 facts, {measured['candidates']:,} combinations"
    yield _progress(Line(world=world, records=1, result=result, goal="≤ 60 s"))
    memory = f"{measured['resident_bytes'] / 1e6:,.0f} MB"
    yield _progress(Line(world="the same, peak resident memory", records=1, result=memory, goal="≤ 1,000 MB"))


def report(records: int) -> Iterator[str]:
    """Yield the measured part of the page."""
    nightly, lives = _at_least_one(records * _NIGHTLY_SHARE), _at_least_one(records * _LIVES_SHARE)
    yield from _table("One search, nothing to be found", false_promotions(records))
    yield from _table("Nightly searches, nothing to be found", repeated_false_positives(nightly))
    yield from _table("180 nightly searches, outcomes late or never", late_outcomes(nightly))
    yield from _table("Something to be found", found_effects(records))
    yield from _table("Confidence of active patterns", reliability(lives))
    yield from _table("The demo's record", demo_record())
    yield from _table("Time and memory", speed())


def learn_until(rows: Sequence[Evidence], end_ms: int, thresholds: PatternThresholds = _NIGHTLY) -> Identification:
    """What the nightly job that ends at this time states: from the last 90 days, as they were known by then.

    Args:
        rows: all evidence, oldest first.
        end_ms: end of the job's day.
        thresholds: of the search.
    """
    first, last = (bisect_left(rows, time, key=_time) for time in (end_ms - _WINDOW_MS, end_ms))
    tables = build_tables(known_evidence(rows[first:last], end_ms))
    delays = [learn_delays(table, end_ms) for table in tables]
    old_enough = [mature(table, one.mature_before_ms) for table, one in zip(tables, delays, strict=True)]
    datasets = build_datasets([table for table in old_enough if len(table)], thresholds)
    return hold_back(identify_in_datasets(datasets, thresholds), old_enough, delays)


def _time(row: Evidence) -> int:
    return row.timestamp_ms


def _is_ever_promoted(record: Callable[[int], list[Evidence]], start_ms: int, seed: int, *, jobs: int = _JOBS) -> bool:
    """Whether any nightly search of a record states anything."""
    rows = record(seed)
    ends = (start_ms + job * DAY_MS for job in range(_FIRST_JOB, jobs + 1))
    return any(learn_until(rows, end_ms).patterns for end_ms in ends)


def _opposite_within_questions(records: int) -> Line:
    """Records in which a fact that is worse within each question is stated as better, or another fact is stated."""
    right = 0

    def is_misjudged(seed: int) -> bool:
        nonlocal right
        patterns = identify_patterns(questions_record(seed, effect=-0.10)).patterns
        right += any(MIXED_FACT in pattern.features and pattern.effect < 0 for pattern in patterns)
        return any(map(_is_false, patterns))

    world = "the same; a source family is 10 points worse within each question, and looks 4 points better otherwise"
    line = _rate(world, range(records), is_misjudged, _AT_MOST_FALSE)
    return replace(line, result=f"{line.result}; stated as worse in {right}")


def _is_false(pattern: Pattern) -> bool:
    is_about_families = any(one.partition("=")[0] == MIXED_FACT.partition("=")[0] for one in pattern.features)
    return not is_about_families or (MIXED_FACT in pattern.features and pattern.effect > 0)


def _false(world: str, records: int, record: Callable[[int], list[Evidence]]) -> Line:
    return _rate(world, range(records), lambda seed: bool(identify_patterns(record(seed)).patterns), _AT_MOST_FALSE)


def _found(
    world: str,
    records: int,
    record: Callable[[int], list[Evidence]],
    goal: str = "",
    *,
    statement: Statement = (PLANTED,),
) -> Line:
    """In how many records the effect is stated as it is, and in how many something that has none of its facts is."""
    others = 0

    def is_found(seed: int) -> bool:
        nonlocal others
        stated = [pattern.features for pattern in identify_patterns(record(seed)).patterns]
        others += any(set(statement).isdisjoint(features) for features in stated)
        return statement in stated

    line = _rate(world, range(records), is_found, goal, missing=True)
    return replace(line, result=f"{line.result}; anything else in {others}")


def _rate(
    world: str, seeds: Sequence[int], happens: Callable[[int], bool], goal: str, *, missing: bool = False
) -> Line:
    """In how many records something happens, with a 95 % Wilson interval.

    Args:
        world: name of the line.
        seeds: of the records.
        happens: whether it happens in the record of a seed.
        goal: as text.
        missing: whether it is the records in which it does not happen whose seeds are worth knowing.
    """
    hits = [seed for seed in seeds if happens(seed)]
    low, high = wilson_interval(len(hits) / len(seeds), len(seeds))
    result = f"{len(hits)} of {len(seeds)}: {len(hits) / len(seeds):.0%} [{low:.0%}, {high:.0%}]"
    notable = sorted(set(seeds) - set(hits)) if missing else hits
    return _progress(Line(world=world, records=len(seeds), result=result, goal=goal), notable)


def _days_until_found(seeds: Sequence[int]) -> Line:
    """The median day at whose end +15 points are first stated."""
    days = []
    for seed in seeds:
        rows = planted_record(seed, count=60 * 48, planted=60 * 48 // 5, effect=0.15, per_hour=2)
        ends = ((day, START_MS + day * DAY_MS) for day in range(_FIRST_JOB, 61))
        days.append(next((day for day, end_ms in ends if _states_planted(learn_until(rows, end_ms))), inf))
    quarter, median, three_quarters = np.quantile(days, (0.25, 0.5, 0.75), method="higher")
    result = f"{median:.0f} (half of the records: {quarter:.0f} to {three_quarters:.0f})"
    world = "days until +15 points on 20 % of 48 decisions a day are stated"
    return _progress(Line(world=world, records=len(seeds), result=result, goal="median ≤ 24"))


def _states_planted(found: Identification) -> bool:
    return any(pattern.features == (PLANTED,) for pattern in found.patterns)


def _statements(name: str, effects: dict[Statement, float], seeds: Sequence[int]) -> Line:
    """How many statements describe a world with four effects, and how many of them are exactly these."""
    counts, exact = [], []
    for seed in seeds:
        stated = {pattern.features for pattern in identify_patterns(effects_record(seed, effects)).patterns}
        counts.append(len(stated))
        exact.append(len(stated & effects.keys()))
    result = f"{np.mean(counts):.2f} statements, {np.mean(exact):.2f} of them exactly true"
    return _progress(
        Line(world=f"the truth is {name}, 6,000 decisions", records=len(seeds), result=result, goal="≤ 4.5 statements")
    )


@dataclass(frozen=True, slots=True)
class _Followed:
    """An active pattern, followed until it is deprecated.

    Attributes:
        stated: its confidence at each check, and whether its effect lasted.
        days_to_alarm: from the end of the effect to its deprecation, negative if it had not ended; None without one.
    """

    stated: list[tuple[float, bool]]
    days_to_alarm: float | None


def _follow(life: Life, thresholds: PatternThresholds) -> _Followed:
    """Let the nightly job find the planted effect, then state its confidence every few days."""
    stated: list[tuple[float, bool]] = []
    pattern: Pattern | None = None
    for day in range(_FIRST_CHECK, _LIFE_DAYS, _CHECK_EVERY):
        end_ms = START_MS + day * DAY_MS
        first, last = (bisect_left(life.evidence, time, key=_time) for time in (end_ms - _WINDOW_MS, end_ms))
        [dataset] = build_datasets(build_tables(life.evidence[first:last]), thresholds)
        if pattern is None:
            found = identify_in_datasets([dataset], thresholds).patterns
            pattern = next((one for one in found if one.features == (PLANTED,)), None)
            if pattern is None:
                if day > life.ends_day:
                    break
                continue
            monitor = DriftMonitor(log_odds=claimed_log_odds(pattern, thresholds), through_ms=end_ms)
        state = evaluate(
            dataset,
            pattern.features,
            monitor,
            judged_from_ms=pattern.newest_begins_ms,
            final_before_ms=end_ms - _FINAL_DAYS * DAY_MS,
            thresholds=thresholds,
        )
        monitor = state.monitor
        if state.has_alarm:
            return _Followed(stated, day - life.ends_day)
        stated.append((state.confidence, day <= life.ends_day))
    return _Followed(stated, None)


def _worst_bin(world: str, followed: Sequence[_Followed], goal: str = "") -> Line:
    """The bin of stated confidence that is furthest from the truth, and how soon ended effects are given up."""
    pairs = [pair for one in followed for pair in one.stated]
    forecasts = Forecasts(np.array([one for one, _ in pairs]), np.array([lasts for _, lasts in pairs]))
    bins = list(forecasts.bins(_CONFIDENCE_EDGES))
    errors = [
        100 * abs(one.mean_probability - one.frequency)
        for one in bins
        if one.count >= _LEAST_SHARE_OF_BIN * len(forecasts)
    ]
    listed = ", ".join(f"{one.mean_probability:.0%} → {one.frequency:.0%} ({one.count:,})" for one in bins)
    result = f"worst bin {max(errors):.1f} points; stated → true (statements): {listed}"
    delays = [one.days_to_alarm for one in followed if one.days_to_alarm is not None]
    ended = [days for days in delays if days >= 0]
    if ended:
        result += f"; given up {np.median(ended):.0f} days after the end"
    result += f"; given up before it: {len(delays) - len(ended)} of {len(followed)}"
    return _progress(Line(world=world, records=len(followed), result=result, goal=goal))


def _table(title: str, lines: Iterator[Line]) -> Iterator[str]:
    yield f"### {title}\n\n| world | records | false or found | goal |\n|---|---|---|---|\n"
    yield from (f"| {one.world} | {one.records} | {one.result} | {one.goal} |\n" for one in lines)
    yield "\n"


def _progress(line: Line, seeds: Sequence[int] = ()) -> Line:
    note = f" (seeds {', '.join(map(str, seeds))})" if seeds else ""
    sys.stderr.write(f"{line.world}: {line.result}{note}\n")
    return line


def _at_least_one(count: float) -> int:
    return max(1, round(count))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.learned", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--records", type=int, default=_RECORDS, help="of each world that is searched once (default: %(default)s)"
    )
    measured = "".join(report(parser.parse_args().records))
    write_measured(PAGE, "benchmarks.learned", measured.strip() + "\n")
    sys.stdout.write(measured)
