"""What the design of this system expected of memory, and what a backtest says of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from trading_agents.backtest.study.assessment import Assessment
from trading_agents.backtest.study.run import Study

Verdict = Literal["holds", "does not hold", "chance does as well", "cannot be told"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

ENOUGH_DAYS, ENOUGH_TRADES = 250, 100


@dataclass(frozen=True, slots=True)
class Claim:
    """An expected improvement.

    Attributes:
        title: in words.
        measure: name of the difference it is about.
        at_least: smallest improvement that was claimed, in that difference's unit and sign.
        scale: from that unit to the one that is shown.
        unit: that is shown.
        decimals: that are shown.
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
    Claim("trade quality, 15 to 20% better", "quality", 0.15, 100, "%", 1),
)


class Case(NamedTuple):
    """One memory on one file, judged by one claim."""

    study: Study
    assessment: Assessment
    verdict: Verdict


def verdict(claim: Claim, study: Study, assessment: Assessment) -> Verdict:
    """Judge a claim.

    - `does not hold`: the whole interval falls short of the claim's lower end.
    - `holds`: the estimate reaches the claim's lower end, the interval excludes no change, and both nulls are beaten.
    - `chance does as well`: the interval lies on the better side of no change, but a null is not beaten.
    - `cannot be told`: all else, and everything on a file that says too little.
    """
    sign = -1 if claim.at_least < 0 else 1
    limits = [sign * limit for limit in assessment.intervals[claim.measure]]
    if not says_enough(study) or math.isnan(limits[0]):
        return "cannot be told"
    if max(limits) < sign * claim.at_least:
        return "does not hold"
    if min(limits) > 0 and not assessment.beats_chance(claim.measure):
        return "chance does as well"
    reaches = sign * getattr(assessment.changes, claim.measure) >= sign * claim.at_least
    return "holds" if min(limits) > 0 and reaches else "cannot be told"


def says_enough(study: Study) -> bool:
    """Whether a file has 250 scored days and 100 scored trades, and its instruments passed their controls."""
    return study.days >= ENOUGH_DAYS and study.trades >= ENOUGH_TRADES and study.controls.passed


def sentence(claim: Claim, studies: Sequence[Study]) -> str:
    """What the files that say enough say of a claim, in plain words."""
    judged = [
        Case(study, one, verdict(claim, study, one))
        for study in studies
        if says_enough(study)
        for one in study.assessments
    ]
    holding = [case for case in judged if case.verdict == "holds"]
    counts = {name: sum(case.verdict == name for case in judged) for name in VERDICTS}
    if holding:
        overall = "holds for " + ", ".join(f"{case.assessment.memory.name} on {case.study.name}" for case in holding)
    elif judged and counts["does not hold"] == len(judged):
        overall = "does not hold"
    else:
        overall = "cannot be told from this many trades"
    told = ", ".join(f"{name} in {count}" for name, count in counts.items())
    return f"{claim.title[0].upper()}{claim.title[1:]}: {overall}. Of {len(judged)} pairs of memory and file: {told}."


def beyond_chance(studies: Sequence[Study]) -> list[str]:
    """One sentence for each memory and measure that chance does not explain, on the files that say enough."""
    found: dict[tuple[str, str], list[str]] = {}
    for study in filter(says_enough, studies):
        for one in study.assessments:
            for measure, title in _MEASURES.items():
                if one.beats_chance(measure):
                    found.setdefault((one.memory.name, title), []).append(study.name)
    return [f"{memory}: {title} on {', '.join(names)}" for (memory, title), names in found.items()]


def comparisons(studies: Sequence[Study]) -> int:
    """How many pairs of memory and measure were compared on the files that say enough."""
    return len(_MEASURES) * sum(len(study.assessments) for study in filter(says_enough, studies))


def best_when_agents_break(studies: Sequence[Study]) -> str | None:
    """Which memory saves most when agents break, and what it costs sound ones, on the files that say enough."""
    told = [study for study in studies if says_enough(study)]
    tables = [{one.memory: one for one in study.breakdowns} for study in told]
    common = [name for name in (tables[0] if tables else ()) if all(name in table for table in tables)]
    if not common:
        return None
    best = max(common, key=lambda name: sum(table[name].breaking for table in tables))
    changes = ", ".join(
        f"{table[best].breaking:+.2f} on {study.name} ({round(table[best].sound, 2) + 0.0:+.2f} for sound agents)"
        for study, table in zip(told, tables, strict=True)
    )
    return f"{best}: saves most when agents break, as planted below. Sharpe ratio {changes}"


_MEASURES = {
    "sharpe": "higher Sharpe ratio",
    "drawdown": "smaller drawdown",
    "shortfall": "smaller losses on the worst 1% of days",
    "win_rate": "higher win rate",
    "net": "more made a trade",
    "quality": "better trades",
}
