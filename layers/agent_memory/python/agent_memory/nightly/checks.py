"""What is unusual about an agent, compared with its own past: nightly, from its `activity`.

These checks are about the agent, not about the machinery, which other alarms watch. The analytics function turns them
into the metrics of three alarms and logs the reasons.
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import pairwise, takewhile
from typing import Any

from agent_memory.learning.self_comparison import Change, changed_average, changed_count, changed_share
from agent_memory.nightly.activity import Activity, JobFigures
from agent_memory.nightly.evidence import LOOK_BACK_DAYS

_DAY = timedelta(days=1)
# As many outcomes as were due and missed. If outcomes were independent, chance would do this once in 20,000 (e^-10).
_MIN_MISSED_OUTCOMES = 10
# An age counts as that of a type's outcomes if half of its decisions have one by then.
_MOST = 0.5
_MIN_REFERENCE_DAYS = 7
_MIN_RECENT_DECISIONS = 10
_DAYS_WITHOUT_LEARNING = 7
_DAYS_BEFORE_FIRST_OUTCOME = 30

Checks = dict[str, Any]


def check_agent(activity: Activity, day: date) -> Checks:
    """Compare an agent with its own past at the end of a day.

    Returns:
        `outcomes_stopped`: decision types whose outcomes have stopped, each with the first day without them and the
        number that was due. `learning_stopped`: why nothing is learned, or None. `behavior_changed`: the figures that
        are far from the agent's past, each with its `usual` and `recent` value per day.
    """
    stopped = [found for one in activity.decision_types if (found := _outcomes_stopped(activity, one, day))]
    return {
        "outcomes_stopped": stopped,
        "learning_stopped": _learning_stopped(activity, day),
        "behavior_changed": [found for one in activity.decision_types for found in _changes(activity, one, day)],
    }


def _outcomes_stopped(activity: Activity, decision_type: str, day: date) -> dict[str, Any] | None:
    """The first day whose outcomes are missing, and how many were due; None if they arrive, or never did."""
    age = _usual_age(activity, decision_type, day)
    if age is None:
        return None
    read = _days_read(activity, decision_type, day, age)
    missing = list(takewhile(lambda one: not activity.of(decision_type, one).outcomes[age][1], reversed(read)))
    due = sum(activity.of(decision_type, one).decisions for one in missing) * _coverage(
        activity, decision_type, read[: len(read) - len(missing)], age
    )
    if due < _MIN_MISSED_OUTCOMES or _has_outcomes_since(activity, decision_type, missing[-1]):
        return None
    return {"decision_type": decision_type, "since": missing[-1].isoformat(), "due": round(due)}


def _has_outcomes_since(activity: Activity, decision_type: str, first: date) -> bool:
    """Whether any decision of a type has had an outcome since a day, late ones included."""
    figures = [types.get(decision_type) for one, types in activity.days.items() if one >= first]
    return any(count for one in figures if one for _, count in one.outcomes.values())


def _usual_age(activity: Activity, decision_type: str, day: date) -> int | None:
    """The age in days by which most decisions of a type used to have an outcome; None if there is none.

    Days without outcomes at the end do not count: they may be what a check looks for.
    """
    for age in LOOK_BACK_DAYS:
        read = _days_read(activity, decision_type, day, age)
        while read and not activity.of(decision_type, read[-1]).outcomes[age][1]:
            read.pop()
        if len(read) >= _MIN_REFERENCE_DAYS and _coverage(activity, decision_type, read, age) >= _MOST:
            return age
    return None


def _days_read(activity: Activity, decision_type: str, day: date, age: int) -> list[date]:
    """The days with decisions of a type that were read at this age, in order."""
    last = day - age * _DAY
    return [
        one
        for one, types in activity.days.items()
        if one <= last and decision_type in types and age in types[decision_type].outcomes
    ]


def _coverage(activity: Activity, decision_type: str, days: list[date], age: int) -> float:
    """The share of decisions that had an outcome at an age, 0 to 1."""
    figures = [activity.of(decision_type, one) for one in days]
    return sum(one.outcomes[age][1] for one in figures) / max(1, sum(one.decisions for one in figures))


def _learning_stopped(activity: Activity, day: date) -> str | None:
    """Why nothing is learned of an agent that makes decisions; None if something is."""
    jobs = {one: figures for one, figures in activity.jobs.items() if one <= day}
    recent = [day - n * _DAY for n in range(_DAYS_WITHOUT_LEARNING)]
    if not jobs:
        return None
    if max(jobs) <= day - _DAYS_WITHOUT_LEARNING * _DAY:
        return f"no day after {max(jobs)} was learned"
    made = sum(figures.decisions for one in recent for figures in activity.days.get(one, {}).values())
    if made < _MIN_RECENT_DECISIONS:
        return None
    if not any(figures.new_outcomes for figures in jobs.values()):
        days = (day - min(jobs)).days + 1
        return f"in {days} days no decision had an outcome" if days >= _DAYS_BEFORE_FIRST_OUTCOME else None
    reasons: tuple[tuple[Callable[[JobFigures], int], str], ...] = (
        (lambda figures: figures.new_outcomes, "no new outcome since"),
        (lambda figures: figures.candidates_tried, "no pattern was tested since"),
    )
    for figure, reason in reasons:
        since = _stopped_since(jobs, day, figure)
        if since is not None:
            return f"{reason} {since}"
    return None


def _stopped_since(jobs: dict[date, JobFigures], day: date, figure: Callable[[JobFigures], int]) -> date | None:
    """The last day on which a figure was not zero, if that is a week ago and twice its longest gap before."""
    days = sorted(one for one, figures in jobs.items() if figure(figures))
    if not days:
        return None
    longest = max(((later - earlier).days for earlier, later in pairwise(days)), default=1)
    return days[-1] if (day - days[-1]).days >= max(_DAYS_WITHOUT_LEARNING, 2 * longest) else None


def _changes(activity: Activity, decision_type: str, day: date) -> Iterator[dict[str, Any]]:
    """The figures of a decision type that are far from their own past."""
    first = activity.first_day(decision_type)
    if first is None:
        return
    days = [first + n * _DAY for n in range((day - first).days + 1)]
    figures = [activity.of(decision_type, one) for one in days]
    yield from _found(decision_type, "decisions", changed_count([one.decisions for one in figures]))
    yield from _found(decision_type, "confidence", changed_average([one.confidence for one in figures]))
    age = _usual_age(activity, decision_type, day)
    if age is None:
        return
    read = figures[: len(figures) - age]
    outcomes = [one.outcomes.get(age, (0, 0)) for one in read]
    yield from _found(decision_type, "success", changed_share(outcomes))
    with_outcome = [
        (share[1], one.decisions if age in one.outcomes else 0) for one, share in zip(read, outcomes, strict=True)
    ]
    yield from _found(decision_type, "with_outcome", changed_share(with_outcome))


def _found(decision_type: str, figure: str, change: Change | None) -> Iterator[dict[str, Any]]:
    if change is not None:
        yield {
            "decision_type": decision_type,
            "figure": figure,
            "usual": round(change.usual, 3),
            "recent": round(change.recent, 3),
        }
