"""What an agent did on each of the last 90 days, by decision type, as one state of the agent.

`nightly.consolidation` counts it in the decisions that it reads anyway. `nightly.checks` compares the last days with
those before them. A decision is read at several ages, and the outcomes at each are kept: those of one day after a
minute can only be compared with those of other days after a minute.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from agent_memory.core.clock import DAY_MS, Span, date_of, day_start_ms, parse_date
from agent_memory.core.keys import ACTIVITY
from agent_memory.core.retention import EVIDENCE_DAYS
from agent_memory.nightly.evidence import LOOK_BACK_DAYS, KnownSuccess
from agent_memory.nightly.reading import ReadDecision
from agent_memory.ports.states import StateStore

MAX_TYPES = 20
"""The decision types whose figures are kept for a day, the most frequent ones; the state is one item."""

Share = tuple[int, int]
"""A part, and of how many."""

DecisionRead = tuple[ReadDecision, bool | None]
"""A decision, and its success as it was known at the end of the job's day; None without an outcome."""

DayRead = tuple[date, list[DecisionRead]]
"""A day, and all its decisions as a job has read them."""


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One decision type on one day.

    Attributes:
        decisions: how many were made.
        confidence: sum and number of the values from 0 to 1 in `reasoning.confidence`.
        outcomes: successes and outcomes at each of the ages in days at which the day was read.
    """

    decisions: int = 0
    confidence: tuple[float, int] = (0.0, 0)
    outcomes: Mapping[int, Share] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobFigures:
    """What the nightly job of a day learned from: outcomes that it saw first, and candidates that it tested."""

    new_outcomes: int = 0
    candidates_tried: int = 0


@dataclass(frozen=True, slots=True)
class Activity:
    """The figures of an agent by day and decision type, and of its jobs by day."""

    days: Mapping[date, Mapping[str, DayFigures]] = field(default_factory=dict)
    jobs: Mapping[date, JobFigures] = field(default_factory=dict)

    def of(self, decision_type: str, day: date) -> DayFigures:
        """The figures of a type on a day; a day without decisions has zeros."""
        return self.days.get(day, {}).get(decision_type, DayFigures())

    def first_day(self, decision_type: str) -> date | None:
        """The first day on which there were decisions of a type."""
        return min((day for day, types in self.days.items() if decision_type in types), default=None)

    @property
    def decision_types(self) -> list[str]:
        """The types that there are figures of, sorted."""
        return sorted({decision_type for types in self.days.values() for decision_type in types})

    def with_job(self, day: date, read: Sequence[DayRead], candidates_tried: int) -> "Activity":
        """The activity after the job of a day that read these days; the same job again changes nothing."""
        found = {one: _figures(made, (day - one).days, self.days.get(one, {})) for one, made in read}
        days = {one: types for one, types in {**self.days, **found}.items() if types}
        new = sum(_outcomes(types) - _outcomes(self.days.get(one, {})) for one, types in found.items())
        before = self.jobs.get(day, JobFigures())
        jobs = {**self.jobs, day: JobFigures(max(0, before.new_outcomes + new), candidates_tried)}
        oldest = day - timedelta(days=EVIDENCE_DAYS - 1)
        return Activity(
            {one: days[one] for one in sorted(days) if one >= oldest},
            {one: jobs[one] for one in sorted(jobs) if one >= oldest},
        )


def read_activity(states: StateStore, agent_id: str) -> Activity:
    """The activity of an agent; an empty one before its first nightly job."""
    state = states.get(agent_id, ACTIVITY)
    return _from_data(state.data) if state else Activity()


def update_activity(
    states: StateStore, agent_id: str, day: date, read: Sequence[DayRead], *, candidates_tried: int
) -> None:
    """Store what the job of a day read. Raises `Conflict` if another job came first."""
    state = states.get(agent_id, ACTIVITY)
    before = _from_data(state.data) if state else Activity()
    after = before.with_job(day, read, candidates_tried)
    if after != before:
        now_ms, version = day_start_ms(day) + DAY_MS, state.version if state else 0
        states.put(agent_id, ACTIVITY, _as_data(after), expected_version=version, now_ms=now_ms)


def days_read(decisions: Sequence[ReadDecision], spans: Sequence[Span], known: KnownSuccess) -> list[DayRead]:
    """The decisions of every day of the spans, also of days without any."""
    days: dict[date, list[DecisionRead]] = {
        date_of(start): [] for span in spans for start in range(span.start_ms, span.end_ms, DAY_MS)
    }
    for one in decisions:
        days[date_of(one.timestamp_ms)].append((one, known.success_of(one.decision_id)))
    return sorted(days.items())


def _figures(decisions: Sequence[DecisionRead], age: int, before: Mapping[str, DayFigures]) -> dict[str, DayFigures]:
    """The figures of one day by type, with the outcomes at earlier ages as they were."""
    # A job that makes up for missed days reads at other ages; what it finds counts for the last age that has passed.
    read_at = max(one for one in LOOK_BACK_DAYS if one <= age)
    types = [name for name, _ in Counter(one.decision_type for one, _ in decisions).most_common(MAX_TYPES)]
    return {
        name: _type_figures([one for one in decisions if one[0].decision_type == name], read_at, before.get(name))
        for name in sorted(types)
    }


def _type_figures(decisions: Sequence[DecisionRead], age: int, before: DayFigures | None) -> DayFigures:
    outcomes = [success for _, success in decisions if success is not None]
    confidences = [one.confidence for one, _ in decisions if one.confidence is not None]
    earlier = {one: share for one, share in (before.outcomes if before else {}).items() if one < age}
    return DayFigures(
        len(decisions),
        (round(sum(confidences), 6), len(confidences)),
        {**earlier, age: (sum(outcomes), len(outcomes))},
    )


def _outcomes(types: Mapping[str, DayFigures]) -> int:
    """How many outcomes were known when the day was read last."""
    return sum(one.outcomes[max(one.outcomes)][1] for one in types.values() if one.outcomes)


def _as_data(activity: Activity) -> dict[str, Any]:
    return {
        "days": {
            day.isoformat(): {
                name: {
                    "decisions": one.decisions,
                    "confidence": list(one.confidence),
                    "outcomes": {str(age): list(share) for age, share in one.outcomes.items()},
                }
                for name, one in types.items()
            }
            for day, types in activity.days.items()
        },
        "jobs": {day.isoformat(): [one.new_outcomes, one.candidates_tried] for day, one in activity.jobs.items()},
    }


def _from_data(data: Mapping[str, Any]) -> Activity:
    return Activity(
        {
            parse_date(day): {
                name: DayFigures(
                    one["decisions"],
                    (float(one["confidence"][0]), one["confidence"][1]),
                    {int(age): (share[0], share[1]) for age, share in one["outcomes"].items()},
                )
                for name, one in types.items()
            }
            for day, types in data["days"].items()
        },
        {parse_date(day): JobFigures(*figures) for day, figures in data["jobs"].items()},
    )
