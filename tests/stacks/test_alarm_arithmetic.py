"""Each alarm on metric data: an ordinary week with a quiet weekend, the failure, and its end.

Minute 0 is noon of the day of the first deployment. Nights begin ten minutes after midnight. Agents decide every ten
minutes, from half an hour after the deployment on, and rest for days 5 and 6.
"""

import json

import pytest

from tests.stacks.alarm_evaluation import ALARM, DAY, HOUR, OK, Alarm
from tests.stacks.conftest import build
from tests.stacks.templates import Template

DAYS = 10
QUARTER = 15
WEEKEND = (5 * DAY, 7 * DAY)
BREAKS = 3 * DAY
MENDED = BREAKS + 4 * HOUR
CLOCKS_PUT_BACK, SCHEDULER_TRIES = HOUR, 2 * HOUR


def night(n):
    return 12 * HOUR + 10 + n * DAY


def nights(values):
    """A value a night, reported a few minutes after its beginning; None: nothing was reported."""
    return [(night(n) + 4 + n % 3, float(value)) for n, value in enumerate(values) if value is not None]


def cycles(well, broken=None, *, rests=True):
    """Values of each cycle: `well`, and `broken` while something is."""
    minutes = [m for m in range(30, DAYS * DAY, 10) if not (rests and WEEKEND[0] <= m < WEEKEND[1])]
    return [(m, v) for m in minutes for v in (broken if broken is not None and BREAKS <= m < MENDED else well)]


def every_minute(well, broken=None):
    return [(m, broken if broken is not None and BREAKS <= m < MENDED else well) for m in range(DAYS * DAY)]


ONE_NIGHT = [0, 0, 1, 0, 0, 0, 0, 0, 0, 0]

# What is no failure: name, samples.
WELL = [
    ("night-failed-critical", []),
    ("night-failed-critical", nights([0] * DAYS)),
    ("night-timed-out-critical", []),
    ("night-missed-critical", nights([1] * DAYS)),
    ("night-not-started-critical", []),
    ("night-not-started-critical", every_minute(0)),
    ("api-errors-critical", cycles([0] * 8)),
    ("api-errors-critical", cycles([0] * 8, [1] + [0] * 7)),  # one of eight requests fails: the warning's business
    ("api-errors-recur-warning", cycles([0] * 8)),
    ("api-errors-recur-warning", [(m, 1.0) for m in range(90, DAYS * DAY, 2 * HOUR)]),
    ("api-slow-warning", cycles([90] * 8)),
    ("api-slow-warning", [*[(m, 2500.0) for m in range(30, DAYS * DAY, 3 * HOUR)]]),  # cold starts now and then
    ("cache-almost-full-warning", every_minute(40)),
    ("cache-almost-full-warning", [(m, 95.0 if m % HOUR < 5 else 80.0) for m in range(DAY)]),
    ("cache-evicts-warning", every_minute(0)),
    ("cache-unanswered-critical", []),
    ("cache-unanswered-critical", [(m, 9.0) for m in range(DAY - 1, DAY + 2)]),  # a short outage over a boundary
    ("hit-rate-low-warning", cycles([80.0])),
    (
        "hit-rate-low-warning",
        [(m, 0.0 if m in {30, WEEKEND[1]} else 80.0) for m, _ in cycles([80.0])],
    ),  # an empty cache
    ("archive-behind-warning", nights([0] * DAYS)),
    ("archive-behind-warning", nights(ONE_NIGHT)),
    ("archive-behind-warning", []),
    ("archive-postponed-warning", nights([0, 1, 1, 0, 1, 1, 0, 0, 0, 0])),
    ("decisions-stopped-critical", cycles([6], rests=False)),
    ("decisions-stopped-critical", [(m, v) for m, v in cycles([6], rests=False) if m > 20 * HOUR]),  # agents come later
    ("decisions-writes-throttled-warning", []),
]

# What is one: name, samples, and the states that follow, each with the first and the last minute at which it may come.
FAILURES = [
    (
        "night-failed-critical",  # two nights in a row: each is announced
        nights([None, None, 1, 1]),
        [
            (OK, 1, 1),
            (ALARM, night(2) + 1, night(2) + 10),
            (OK, night(2) + 3 * HOUR, night(2) + 10 * HOUR),
            (ALARM, night(3) + 1, night(3) + 10),
            (OK, night(3) + 3 * HOUR, night(3) + 10 * HOUR),
        ],
    ),
    (
        "night-timed-out-critical",
        [(night(2) + 6 * HOUR, 1.0)],
        [
            (OK, 1, 1),
            (ALARM, night(2) + 6 * HOUR, night(2) + 6 * HOUR + 5),
            (OK, night(2) + 9 * HOUR, night(2) + 16 * HOUR),
        ],
    ),
    (
        "night-missed-critical",
        nights([1, 1, 1, None, 1, 1, 1, 1, 1, 1]),
        [
            (OK, 28 * HOUR, 29 * HOUR),
            (ALARM, night(2) + 28 * HOUR, night(2) + 31 * HOUR),
            (OK, night(4), night(4) + HOUR),
        ],
    ),
    (
        "night-missed-critical",  # nights have never run
        [],
        [(ALARM, 28 * HOUR, 29 * HOUR)],
    ),
    (
        "night-not-started-critical",
        every_minute(0, 1),
        [(OK, 1, 1), (ALARM, BREAKS, BREAKS + 5), (OK, MENDED, MENDED + 6)],
    ),
    (
        "api-errors-critical",  # all six requests of each cycle; it does not come and go between cycles
        cycles([0] * 6, [1] * 6),
        [(OK, 1, 1), (ALARM, BREAKS, BREAKS + 11), (OK, MENDED, MENDED + QUARTER)],
    ),
    (
        "api-errors-recur-warning",  # one batch a cycle, too few for the critical one
        cycles([0], [1]),
        [(OK, 1, 1), (ALARM, BREAKS + 2 * QUARTER, BREAKS + 3 * QUARTER), (OK, MENDED, MENDED + QUARTER)],
    ),
    (
        "api-slow-warning",
        cycles([90] * 10, [90] * 8 + [2600] * 2),
        [(OK, 1, 1), (ALARM, BREAKS + 2 * QUARTER, BREAKS + 4 * QUARTER), (OK, MENDED, MENDED + QUARTER)],
    ),
    (
        "cache-almost-full-warning",
        every_minute(40, 93),
        [(OK, 1, 1), (ALARM, BREAKS + 11, BREAKS + 15), (OK, MENDED, MENDED + 6)],
    ),
    (
        "cache-evicts-warning",
        every_minute(0, 3),
        [(OK, 1, 1), (ALARM, BREAKS, BREAKS + 5), (OK, MENDED, MENDED + 3 * QUARTER)],
    ),
    (
        "cache-unanswered-critical",  # reported only where there are any: nothing follows the last
        [(m, v) for m, v in cycles([0], [4]) if v],
        [(OK, 1, 1), (ALARM, BREAKS + 2 * QUARTER, BREAKS + 3 * QUARTER), (OK, MENDED, MENDED + 3 * QUARTER)],
    ),
    (
        "hit-rate-low-warning",
        cycles([80.0], [5.0]),
        [(OK, 1, 1), (ALARM, BREAKS + 2 * HOUR, BREAKS + 3 * HOUR + 5), (OK, MENDED, MENDED + HOUR)],
    ),
    (
        "archive-behind-warning",
        nights([0, 0, 2, 1, 0, 0, 0, 0, 0, 0]),
        [
            (OK, night(0), night(0) + HOUR),
            (ALARM, night(3), night(3) + HOUR),
            (OK, night(4), night(4) + HOUR),
        ],
    ),
    (
        "archive-behind-warning",  # and then nights stop: nothing is better for that
        nights([0, 0, 2, 1]),
        [(OK, night(0), night(0) + HOUR), (ALARM, night(3), night(3) + HOUR)],
    ),
    (
        "archive-postponed-warning",
        nights([0, 0, 1, 1, 1, 0, 0, 0, 0, 0]),
        [
            (OK, night(0), night(0) + HOUR),
            (ALARM, night(4), night(4) + HOUR),
            (OK, night(5), night(5) + HOUR),
        ],
    ),
    (
        "decisions-stopped-critical",
        [(m, v) for m, v in cycles([6], rests=False) if not BREAKS <= m < MENDED + 2 * HOUR],
        [(OK, DAY, DAY + 1), (ALARM, BREAKS + HOUR, BREAKS + 4 * HOUR), (OK, MENDED, MENDED + 2 * HOUR + 1)],
    ),
    *(
        (
            f"{table}-{kind}s-throttled-warning",  # silence of DynamoDB changes nothing: somebody sets it back
            [(BREAKS, 7.0)],
            [(ALARM, BREAKS, BREAKS + 5)],
        )
        for table in ("decisions", "memories", "states")
        for kind in ("read", "write")
    ),
]


@pytest.fixture(scope="module")
def alarms(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alarms")
    app, _ = build(folder, decisions_expected_hours="2")
    app.synth()
    template = Template(json.loads((folder / "agent-memory-operations.template.json").read_text()))
    return {
        one["AlarmName"].removeprefix("agent-memory-"): Alarm.of(one)
        for one in template.properties("AWS::CloudWatch::Alarm")
    }


def test_every_alarm_is_tested(alarms):
    assert {name for name, _, _ in FAILURES} == set(alarms)


@pytest.mark.parametrize("more_periods", [0, 2])
@pytest.mark.parametrize(("name", "samples"), WELL)
def test_no_alarm_where_all_is_well_nor_after_the_first_deployment(alarms, name, samples, more_periods):
    states = [state for _, state in alarms[name].transitions(samples, days=DAYS, more_periods=more_periods)]
    assert states in ([OK], [])
    assert not (states and not samples and alarms[name].missing == "ignore"), "silence says nothing here"


@pytest.mark.parametrize("more_periods", [0, 2])
@pytest.mark.parametrize(("name", "samples", "expected"), FAILURES)
def test_a_failure_is_told_once_and_so_is_its_end(alarms, name, samples, expected, more_periods):
    found = alarms[name].transitions(samples, days=DAYS, more_periods=more_periods)
    assert [state for _, state in found] == [state for state, _, _ in expected], found
    for (minute, state), (_, first, last) in zip(found, expected, strict=True):
        assert first <= minute <= last, f"{state} at {minute}, not within {first} and {last}"


@pytest.mark.parametrize("more_periods", [0, 2])
def test_clocks_that_are_put_back_and_a_scheduler_that_tries_again_are_no_missed_night(alarms, more_periods):
    late = [(night(n) + (CLOCKS_PUT_BACK + SCHEDULER_TRIES if n >= 4 else 0), 1.0) for n in range(DAYS)]
    changes = alarms["night-missed-critical"].transitions(late, days=DAYS, more_periods=more_periods)
    assert [state for _, state in changes] == [OK]


@pytest.mark.parametrize("more_periods", [0, 2])
def test_nights_that_end_now_before_and_now_after_the_full_hour_flap_nothing(alarms, more_periods):
    behind = [(night(n) + 45 + 10 * (n % 2), 1.0 if n >= 2 else 0.0) for n in range(DAYS)]
    changes = alarms["archive-behind-warning"].transitions(behind, days=DAYS, more_periods=more_periods)
    assert [state for _, state in changes] == [OK, ALARM]


def test_alarms_on_silence_wait_until_something_was_due(alarms):
    waiting = {name for name, alarm in alarms.items() if alarm.missing == "breaching"}
    assert waiting == {"night-missed-critical", "decisions-stopped-critical"}
    for name in waiting:
        assert alarms[name].warm_up >= DAY
        assert alarms[name].transitions([], days=alarms[name].warm_up / DAY - 0.1, more_periods=0) == []
