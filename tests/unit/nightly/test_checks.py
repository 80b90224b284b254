"""What the nightly report finds unusual about an agent: outcomes or learning that stopped, behavior that changed."""

import random
from datetime import date, timedelta

import pytest

from agent_memory.core.clock import FixedClock, day_start_ms
from agent_memory.core.ids import decision_id_for
from agent_memory.decisions.log import DecisionLog
from agent_memory.nightly.activity import read_activity
from agent_memory.nightly.consolidation import consolidate
from agent_memory.nightly.summary import summarize_day
from agent_memory.storage.factory import in_memory_stores

AGENT = "market-hunter"
FIRST = date(2026, 7, 1)
NOTHING = {"outcomes_stopped": [], "learning_stopped": None, "behavior_changed": []}


class Run:
    """An agent that makes decisions, day after day, each followed by its nightly job."""

    def __init__(self, seed=1):
        self.clock = FixedClock(day_start_ms(FIRST))
        self.stores = in_memory_stores(self.clock)
        self.log = DecisionLog(AGENT, self.stores, self.clock)
        self.chance = random.Random(seed)
        self.day = FIRST
        self.pending = {}

    def day_without_job(
        self, *, kind="QUERY", per_day=24, success=0.6, confidence=0.7, outcome_after=0, constant=False
    ):
        """One day: decisions, and the outcomes that are due (None: never)."""
        inputs = []
        for k in range(per_day):
            ms = day_start_ms(self.day) + 3_600_000 + k * 60_000
            volatility = "high" if constant or k % 2 else "low"
            one = decision_id_for(kind, ms / 1000, f"{kind} {k}")
            inputs.append(
                {
                    "decision_id": one,
                    "decision_type": kind,
                    "context": {"market": {"volatility": volatility}},
                    "reasoning": {"confidence": confidence},
                }
            )
        self.clock.advance(86_399_000)  # a job knows what was known when its day ended
        if inputs:
            self.log.log(inputs)
        if outcome_after is not None:
            self.pending.setdefault(self.day + timedelta(days=outcome_after), []).extend(
                {"decision_id": one["decision_id"], "outcome": {}, "success": self.chance.random() < success}
                for one in inputs
            )
        due = [one for day in [one for one in self.pending if one <= self.day] for one in self.pending.pop(day)]
        if due:
            self.log.record_outcomes(due)
        self.clock.advance(1_000)
        self.day += timedelta(days=1)

    def next_day(self, **settings):
        """One day, its job, and what its report finds."""
        self.day_without_job(**settings)
        consolidate(AGENT, self.day - timedelta(days=1), self.stores)
        return summarize_day(AGENT, self.day - timedelta(days=1), self.stores)["checks"]

    def days(self, count, **settings):
        return [self.next_day(**settings) for _ in range(count)]


@pytest.mark.slow
def test_a_healthy_agent_is_not_unusual():
    run = Run()
    assert run.days(50) == [NOTHING] * 50


@pytest.mark.slow
def test_outcomes_that_stop_are_found_by_type_the_next_day():
    run = Run()
    run.days(10)
    found = run.next_day(outcome_after=None)
    since = (run.day - timedelta(days=1)).isoformat()
    assert found["outcomes_stopped"] == [{"decision_type": "QUERY", "since": since, "due": 24}]
    for later in run.days(20, outcome_after=None):
        assert later["outcomes_stopped"][0]["since"] == since
    assert run.next_day()["outcomes_stopped"] == []


@pytest.mark.slow
def test_outcomes_that_usually_take_days_have_not_stopped_before():
    run = Run()
    assert all(found["outcomes_stopped"] == [] for found in run.days(20, outcome_after=3))
    stopped = [bool(found["outcomes_stopped"]) for found in run.days(6, outcome_after=None)]
    assert stopped == [False, False, False, True, True, True]


def test_an_agent_that_stops_has_not_lost_its_outcomes():
    run = Run()
    run.days(10)
    assert all(found == NOTHING for found in run.days(10, per_day=0))


@pytest.mark.slow
def test_one_type_among_several_is_named():
    run = Run()
    for n in range(12):
        run.next_day(kind="QUERY", outcome_after=0 if n < 10 else None)
        run.day -= timedelta(days=1)
        run.clock.advance(-86_400_000)
        found = run.next_day(kind="SIGNAL_GENERATION")
    assert [one["decision_type"] for one in found["outcomes_stopped"]] == ["QUERY"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("healthy", "stopped", "reason"),
    [
        ({}, {"outcome_after": None}, "no new outcome since 2026-07-20"),
        ({"outcome_after": 0}, {"outcome_after": 60}, "no new outcome since 2026-07-20"),
    ],
)
def test_learning_that_stops_is_found_after_a_week(healthy, stopped, reason):
    run = Run()
    assert all(found["learning_stopped"] is None for found in run.days(20, **healthy))
    found = [one["learning_stopped"] for one in run.days(9, **stopped)]
    assert found == [None] * 6 + [reason] * 3


@pytest.mark.slow
def test_an_agent_that_never_records_an_outcome_is_found_after_a_month():
    run = Run()
    found = [one["learning_stopped"] for one in run.days(31, outcome_after=None)]
    assert found == [None] * 29 + ["in 30 days no decision had an outcome", "in 31 days no decision had an outcome"]


@pytest.mark.slow
def test_outcomes_that_always_came_in_once_a_week_are_learning():
    run = Run()
    for week in range(6):
        for n in range(7):
            assert run.next_day(outcome_after=6 - n)["learning_stopped"] is None, (week, n)


@pytest.mark.slow
def test_a_change_of_rate_success_or_confidence_names_what_changed():
    for settings, figures in (
        ({"per_day": 6}, {"decisions"}),
        ({"success": 0.0}, {"success"}),
        ({"confidence": 0.99}, {"confidence"}),
        ({"per_day": 120, "confidence": 0.2, "success": 1.0}, {"decisions", "confidence", "success"}),
    ):
        run = Run()
        assert all(found["behavior_changed"] == [] for found in run.days(42))
        found = run.days(7, **settings)[-1]["behavior_changed"]
        assert {one["figure"] for one in found} == figures, settings
        assert all(one["decision_type"] == "QUERY" for one in found)


def test_a_job_that_is_run_again_changes_no_figure():
    run = Run()
    run.days(5, outcome_after=1)
    before = read_activity(run.stores.states, AGENT)
    assert before.jobs[run.day - timedelta(days=1)].new_outcomes == 24
    consolidate(AGENT, run.day - timedelta(days=1), run.stores)
    assert read_activity(run.stores.states, AGENT) == before


@pytest.mark.slow
def test_only_ninety_days_are_kept_and_the_state_fits_into_an_item():
    run = Run()
    run.days(3)
    run.day += timedelta(days=100)
    run.clock.advance(100 * 86_400_000)
    run.next_day()
    activity = read_activity(run.stores.states, AGENT)
    assert min(activity.days) > FIRST + timedelta(days=3)


def test_a_job_that_runs_late_counts_what_was_known_when_its_day_ended():
    def run_jobs(late):
        run = Run()
        for _ in range(4):
            run.day_without_job(outcome_after=1)
            if not late:
                consolidate(AGENT, run.day - timedelta(days=1), run.stores)
        for n in range(4) if late else ():
            consolidate(AGENT, FIRST + timedelta(days=n), run.stores)
        return read_activity(run.stores.states, AGENT)

    in_time, late = run_jobs(late=False), run_jobs(late=True)
    assert {day: types["QUERY"].outcomes.get(0) for day, types in in_time.days.items()} == dict.fromkeys(
        in_time.days, (0, 0)
    )
    assert late == in_time
