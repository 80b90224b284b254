from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.demo.replay_fakes import at
from trading_agents import WARM_UP_BARS, Bars
from trading_agents.demo import plan
from trading_agents.demo.bars import sample_bars
from trading_agents.demo.errors import BarsError, CannotContinueError
from trading_agents.demo.progress import ReplayProgress

NOW = at("2026-11-20T10:30:00")


@pytest.fixture(scope="module")
def bars():
    return sample_bars()


def begun(bars, days=3, now=NOW):
    return plan.begin(bars, days, now)


def test_the_last_cycle_is_at_the_full_hour_before_now(bars):
    progress = begun(bars)
    count = plan.cycles_until(progress, bars, NOW)
    assert count == 72
    assert progress.started_at + (count - 1) * plan.HOUR == at("2026-11-20T10:00:00")


def test_days_are_utc_days_and_those_that_are_over_have_jobs(bars):
    progress = begun(bars)
    days = list(plan.days_to_do(progress, 72, NOW))
    assert [(str(d.day), d.decide, d.resolve, d.late, d.job) for d in days] == [
        ("2026-11-17", range(13), range(12), range(0), True),
        ("2026-11-18", range(13, 37), range(13, 36), range(12, 13), True),
        ("2026-11-19", range(37, 61), range(37, 60), range(36, 37), True),
        ("2026-11-20", range(61, 72), range(61, 71), range(60, 61), False),
    ]


@given(
    first=st.integers(0, 60 * 24 * 3),
    steps=st.lists(st.integers(0, 60 * 60), min_size=1, max_size=6),
    days=st.integers(1, 3),
)
def test_over_all_runs_everything_is_done_once(first, steps, days):
    """At any time every cycle is decided once, every outcome but the last logged once, every past day has one job."""
    now = NOW + timedelta(minutes=first)
    progress = ReplayProgress.begin(bars="b", days=days, now=now)
    decided, resolved, jobs = [], [], []
    for step in [0, *steps]:
        now += timedelta(minutes=step)
        count = (now - progress.started_at) // plan.HOUR + 1
        for day in plan.days_to_do(progress, count, now):
            decided += day.decide
            resolved += [*day.late, *day.resolve]
            if day.job:
                jobs.append(day.day)
                progress = progress.after_job(day.day)
            progress = progress.after_cycles(day.decide.stop)
        assert decided == list(range(count))
        assert resolved == list(range(count - 1))
    past = (now.date() - progress.started_at.date()).days
    assert jobs == [progress.started_at.date() + timedelta(days=n) for n in range(past)]


def test_an_interrupted_job_is_all_that_remains_of_its_day(bars):
    progress = begun(bars).after_cycles(72).after_job(at("2026-11-18").date())
    (day,) = plan.days_to_do(progress, 72, NOW)
    assert (str(day.day), list(day.decide), list(day.resolve), list(day.late), day.job) == (
        "2026-11-19",
        [],
        [],
        [],
        True,
    )


def test_a_run_in_the_same_hour_has_nothing_to_do(bars):
    progress = begun(bars).after_cycles(72).after_job(at("2026-11-19").date())
    assert list(plan.days_to_do(progress, 72, NOW)) == []


def test_the_sample_has_bars_in_reserve_for_ten_days(bars):
    progress = begun(bars, days=121)
    assert plan.cycles_until(progress, bars, NOW + timedelta(days=10)) == 131 * 24


def test_running_out_of_bars_is_reported_with_the_time(bars):
    progress = begun(bars, days=121)
    with pytest.raises(CannotContinueError, match=r"began on 2026-07-22 ran out of bars at 2026-11-30 15:00 UTC"):
        plan.cycles_until(progress, bars, NOW + timedelta(days=11))


def test_too_few_bars_say_how_many_days_they_allow(bars):
    with pytest.raises(BarsError, match=r"200 days need 4,921 bars, 121 .*there are 3,270: ask for at most --days 131"):
        begun(bars, days=200)


def test_hardly_any_bars_are_an_error_too():
    one = sample_bars()
    one = Bars(
        one.symbols, one.labels[:1], *(column[:1] for column in (one.open, one.high, one.low, one.close, one.volume))
    )
    with pytest.raises(
        BarsError, match=rf"1 days need {WARM_UP_BARS + 24} bars.*there are 1: use a file with more bars"
    ):
        plan.begin(one, 1, NOW)


def test_other_bars_than_those_of_the_first_run_are_refused(bars):
    other = ReplayProgress.begin(bars="other", days=3, now=NOW)
    with pytest.raises(CannotContinueError, match="a replay of other bars"):
        plan.cycles_until(other, bars, NOW)


def test_a_clock_that_went_back_is_an_error(bars):
    progress = begun(bars).after_cycles(72)
    with pytest.raises(CannotContinueError, match="the clock says 2026-11-20 08:30 UTC"):
        plan.cycles_until(progress, bars, NOW - timedelta(hours=2))
