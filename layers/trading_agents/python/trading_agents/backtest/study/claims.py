"""The improvements that the design of the trading memory expected, and the verdict of a study on each."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from trading_agents.backtest.study.assessment import Assessment
from trading_agents.backtest.study.failing_agents import FailureResult
from trading_agents.backtest.study.run import LEARNING_FRACTION, Study
from trading_agents.bars import PriceBars

Verdict = Literal["supported", "not supported", "explained by chance", "inconclusive"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

MIN_DAYS, MIN_TRADES = 250, 100


@dataclass(frozen=True, slots=True)
class Claim:
    """An expected improvement.

    Attributes:
        title: in words.
        measure: field of `PerformanceChange` that it is about.
        at_least: smallest claimed improvement, in the unit and with the sign of that measure.
        scale: from that unit to the displayed one.
        unit: displayed.
        decimals: displayed.
    """

    title: str
    measure: str
    at_least: float
    scale: float = 1.0
    unit: str = ""
    decimals: int = 2


CLAIMS: tuple[Claim, ...] = (
    Claim("win rate, 5 to 10 points higher", "win_rate", 0.05, 100, " points", 1),
    Claim("Sharpe ratio, 0.2 to 0.3 higher", "sharpe", 0.2),
    Claim("maximum drawdown, 10 to 15% smaller", "drawdown", -0.10, 100, "%", 0),
    Claim("trade quality, 15 to 20% better", "profit_factor", 0.15, 100, "%", 1),
)

_IMPROVEMENTS = {
    "sharpe": "higher Sharpe ratio",
    "drawdown": "smaller drawdown",
    "shortfall": "smaller losses on the worst 1% of days",
    "win_rate": "higher win rate",
    "net": "higher return per trade",
    "profit_factor": "better trades",
}


class Case(NamedTuple):
    """One memory rule on one file, judged on one claim."""

    study: Study
    assessment: Assessment
    verdict: Verdict


def verdict(claim: Claim, study: Study, assessment: Assessment) -> Verdict:
    """Judge a claim.

    - `not supported`: the whole interval falls short of the lower end of the claim.
    - `supported`: the estimate reaches the lower end, the interval excludes no change, and both nulls are beaten.
    - `explained by chance`: the interval excludes no change, for the better, but a null is not beaten.
    - `inconclusive`: otherwise, and always on a file that cannot be used.
    """
    sign = -1 if claim.at_least < 0 else 1
    limits = [sign * limit for limit in assessment.intervals[claim.measure]]
    if not is_usable(study) or math.isnan(limits[0]):
        return "inconclusive"
    if max(limits) < sign * claim.at_least:
        return "not supported"
    if min(limits) > 0 and not assessment.beats_chance(claim.measure):
        return "explained by chance"
    reaches_claim = sign * getattr(assessment.change, claim.measure) >= sign * claim.at_least
    return "supported" if min(limits) > 0 and reaches_claim else "inconclusive"


def is_usable(study: Study) -> bool:
    """Return whether a file has enough scored days and trades, and its controls passed."""
    return not any(_problems(study))


def exclusion(study: Study) -> str:
    """Return the name of a file that cannot be used, with the reasons."""
    return f"{study.name} ({', '.join(_problems(study))})"


def _problems(study: Study) -> Iterator[str]:
    if study.days < MIN_DAYS:
        bars = bars_needed(study.record.bars)
        yield f"{study.days} scored days of the {MIN_DAYS} needed, which take about {bars:,} bars like these"
    if not study.controls.passed:
        controls = study.controls
        false = max(controls.false_with_shifts, controls.false_with_shuffles)
        seen = f" and {false} seen where there was none" if false else ""
        yield (
            f"controls failed, with {controls.detected} of {controls.repeats} planted effects found{seen}; it takes "
            "more bars"
        )
    if study.trades < MIN_TRADES:
        yield f"{study.trades} scored trades of the {MIN_TRADES} needed"


def bars_needed(bars: PriceBars) -> int:
    """Return about how many bars like these a verdict takes: enough for the scored days after those of learning."""
    return math.ceil(MIN_DAYS / (1 - LEARNING_FRACTION) * bars.bars_per_day)


def too_few(bars: PriceBars) -> str:
    """Return that a file has too few bars for a verdict, and how many it takes; empty if it has enough."""
    needed = bars_needed(bars)
    if len(bars) >= needed:
        return ""
    return f"{bars.name}: {len(bars):,} bars are too few for a verdict, which takes about {needed:,} bars like these"


def summary(claim: Claim, studies: Sequence[Study]) -> str:
    """Return the verdict of all usable files on a claim, in one sentence."""
    cases = [
        Case(study, one, verdict(claim, study, one))
        for study in filter(is_usable, studies)
        for one in study.assessments
    ]
    title = f"{claim.title[0].upper()}{claim.title[1:]}"
    if not cases:
        return f"{title}: not assessed, since no file can be used."
    supporting = [case for case in cases if case.verdict == "supported"]
    counts = {name: sum(case.verdict == name for case in cases) for name in VERDICTS}
    if supporting:
        names = [f"{case.assessment.rule.name} on {case.study.name}" for case in supporting]
        overall = "supported for " + ", ".join(names)
    elif counts["not supported"] == len(cases):
        overall = "not supported"
    else:
        overall = "inconclusive with this number of trades"
    numbers = ", ".join(f"{count} {name}" for name, count in counts.items())
    files, held = (len({case.study.name for case in some}) for some in (cases, supporting))
    held_on = f"it held on {held} of {files} {_files(files)}"
    return f"{title}: {overall}. Of {len(cases)} pairs of memory and file: {numbers}; {held_on}."


def significant_improvements(studies: Sequence[Study]) -> list[str]:
    """Return one sentence for each rule and measure with an improvement that chance does not explain.

    Each names the files on which it was found, and on how many it was tried.
    """
    found: dict[tuple[str, str], list[str]] = {}
    tried: dict[str, int] = {}
    for study in filter(is_usable, studies):
        for one in study.assessments:
            tried[one.rule.name] = tried.get(one.rule.name, 0) + 1
            for measure, title in _IMPROVEMENTS.items():
                if one.beats_chance(measure):
                    found.setdefault((one.rule.name, title), []).append(study.name)
    return [
        f"{rule}: {title} on {len(names)} of {tried[rule]} {_files(tried[rule])}: {', '.join(names)}"
        for (rule, title), names in found.items()
    ]


def _files(count: int) -> str:
    return "file" if count == 1 else "files"


def comparison_count(studies: Sequence[Study]) -> int:
    """Return the number of pairs of rule and measure compared on the usable files."""
    return len(_IMPROVEMENTS) * sum(len(study.assessments) for study in filter(is_usable, studies))


class Ranked(NamedTuple):
    """A rule by what it gains when agents fail and what it costs when they do not, as means over files.

    Attributes:
        rule: name of the memory rule.
        failing: change of the Sharpe ratio when agents fail midway.
        steady: change of the Sharpe ratio of agents that stay profitable.
        files: number of usable files with the rule.
        held: on how many of them gain and cost add up to more than 0.
    """

    rule: str
    failing: float
    steady: float
    files: int
    held: int


def ranking(studies: Sequence[Study]) -> list[Ranked]:
    """Return every rule of the usable files, that with the largest sum of gain and cost first."""
    results: dict[str, list[FailureResult]] = {}
    for study in filter(is_usable, studies):
        for one in study.failing_agents:
            results.setdefault(one.rule, []).append(one)
    rows = [
        Ranked(
            rule,
            failing=sum(one.failing for one in found) / len(found),
            steady=sum(one.steady for one in found) / len(found),
            files=len(found),
            held=sum(one.failing + one.steady > 0 for one in found),
        )
        for rule, found in results.items()
    ]
    return sorted(rows, key=lambda row: -(row.failing + row.steady))


def best_for_failing_agents(studies: Sequence[Study]) -> str | None:
    """Return the rule with the largest sum of its gain when agents fail and its change for steady agents.

    It is one of the rules that all usable files have; both changes are those of the Sharpe ratio, over the files.
    """
    usable = list(filter(is_usable, studies))
    tables = [{one.rule: one for one in study.failing_agents} for study in usable]
    common = [name for name in (tables[0] if tables else ()) if all(name in table for table in tables)]
    if not common:
        return None
    best = max(common, key=lambda name: sum(table[name].failing + table[name].steady for table in tables))
    changes = ", ".join(
        f"{table[best].failing:+.2f} on {study.name} ({round(table[best].steady, 2) + 0.0:+.2f} for steady agents)"
        for study, table in zip(usable, tables, strict=True)
    )
    return (
        f"`{best}` has the best sum of gain when agents fail and cost when they do not, in the Sharpe ratio: {changes}"
    )
