"""Each alarm on metric data: data that its own declaration defines, and scenarios of a week with a failure.

In the scenarios minute 0 is noon of the day of the first deployment. The nightly job starts ten minutes after midnight.
Agents decide every ten minutes, from half an hour after the deployment on, and pause on days 5 and 6.
"""

import json

import pytest

from agent_memory.api.decision_counts import count_documents
from agent_memory.core.ids import new_decision_id
from agent_memory.model.decisions import Decision
from agent_memory.storage.dynamodb.items import decision_item
from tests.stacks.alarm_evaluation import ALARM, DAY, HOUR, OK, Alarm
from tests.stacks.conftest import build
from tests.stacks.templates import Template

DAYS = 10
QUARTER = 15
WEEKEND = (5 * DAY, 7 * DAY)
FAILURE = 3 * DAY
FIXED = FAILURE + 4 * HOUR
CLOCKS_PUT_BACK, SCHEDULER_RETRIES = HOUR, 2 * HOUR


def start_of_run(n):
    """The minute at which the n-th nightly run starts."""
    return 12 * HOUR + 10 + n * DAY


def per_run(values):
    """One value per nightly run, reported some minutes after its start; None: nothing was reported."""
    return [(start_of_run(n) + 4 + n % 3, float(value)) for n, value in enumerate(values) if value is not None]


def per_cycle(healthy, failing=None, *, pauses=True):
    """Values of each cycle of an agent: `healthy`, and `failing` while something is wrong."""
    minutes = [m for m in range(30, DAYS * DAY, 10) if not (pauses and WEEKEND[0] <= m < WEEKEND[1])]
    return [(m, v) for m in minutes for v in (failing if failing is not None and FAILURE <= m < FIXED else healthy)]


def per_minute(healthy, failing=None):
    return [(m, failing if failing is not None and FAILURE <= m < FIXED else healthy) for m in range(DAYS * DAY)]


TABLES = ("decisions", "memories", "states")
ONE_BAD_RUN = [0, 0, 1, 0, 0, 0, 0, 0, 0, 0]

# Scenarios without a failure: alarm, samples.
HEALTHY = [
    ("nightly-job-failed-critical", []),
    ("nightly-job-failed-critical", per_run([0] * DAYS)),
    ("nightly-job-timed-out-critical", []),
    ("nightly-job-missed-critical", per_run([1] * DAYS)),
    ("nightly-job-start-failed-critical", []),
    ("nightly-job-start-failed-critical", per_minute(0)),
    ("api-errors-critical", per_cycle([0] * 8)),
    (
        "api-errors-critical",
        per_cycle([0] * 8, [1] + [0] * 7),
    ),  # one of eight requests fails: only the warning is for that
    ("api-errors-warning", per_cycle([0] * 8)),
    ("api-errors-warning", [(m, 1.0) for m in range(90, DAYS * DAY, 2 * HOUR)]),
    ("api-slow-warning", per_cycle([90] * 8)),
    ("api-slow-warning", [*[(m, 2500.0) for m in range(30, DAYS * DAY, 3 * HOUR)]]),  # cold starts now and then
    ("cache-memory-high-warning", per_minute(40)),
    ("cache-memory-high-warning", [(m, 95.0 if m % HOUR < 5 else 80.0) for m in range(DAY)]),
    ("cache-evictions-warning", per_minute(0)),
    ("cache-unavailable-critical", []),
    ("cache-unavailable-critical", [(m, 9.0) for m in range(DAY - 1, DAY + 2)]),  # a short outage over a boundary
    ("cache-hit-rate-low-warning", per_cycle([80.0])),
    (
        "cache-hit-rate-low-warning",
        [(m, 0.0 if m in {30, WEEKEND[1]} else 80.0) for m, _ in per_cycle([80.0])],
    ),  # an empty cache
    ("archive-backlog-warning", per_run([0] * DAYS)),
    ("archive-backlog-warning", per_run(ONE_BAD_RUN)),
    ("archive-backlog-warning", []),
    ("archive-rewrite-blocked-warning", per_run([0, 1, 1, 0, 1, 1, 0, 0, 0, 0])),
    ("archive-damaged-critical", per_run([0] * DAYS)),
    *(
        (f"{name}-warning", samples)
        for name in ("outcomes-stopped", "learning-stopped", "behavior-changed", "memory-crowded")
        for samples in (per_run([0] * DAYS), per_run([0, 0, None, 0, 0, None, None, 0, 0, 0]))  # nights without a run
    ),
    ("decisions-stopped-critical", per_cycle([6], pauses=False)),
    (
        "decisions-stopped-critical",
        [(m, v) for m, v in per_cycle([6], pauses=False) if m > 20 * HOUR],
    ),  # agents come later
    *((f"{table}-{kind}s-throttled-warning", []) for table in TABLES for kind in ("read", "write")),
]

# Scenarios with one: alarm, samples, and the states that follow, each with its earliest and its latest minute.
FAILURES = [
    (
        "nightly-job-failed-critical",  # two runs in a row: each is announced
        per_run([None, None, 1, 1]),
        [
            (OK, 1, 1),
            (ALARM, start_of_run(2) + 1, start_of_run(2) + 10),
            (OK, start_of_run(2) + 3 * HOUR, start_of_run(2) + 10 * HOUR),
            (ALARM, start_of_run(3) + 1, start_of_run(3) + 10),
            (OK, start_of_run(3) + 3 * HOUR, start_of_run(3) + 10 * HOUR),
        ],
    ),
    (
        "nightly-job-timed-out-critical",
        [(start_of_run(2) + 6 * HOUR, 1.0)],
        [
            (OK, 1, 1),
            (ALARM, start_of_run(2) + 6 * HOUR, start_of_run(2) + 6 * HOUR + 5),
            (OK, start_of_run(2) + 9 * HOUR, start_of_run(2) + 16 * HOUR),
        ],
    ),
    (
        "nightly-job-missed-critical",
        per_run([1, 1, 1, None, 1, 1, 1, 1, 1, 1]),
        [
            (OK, 28 * HOUR, 29 * HOUR),
            (ALARM, start_of_run(2) + 28 * HOUR, start_of_run(2) + 31 * HOUR),
            (OK, start_of_run(4), start_of_run(4) + HOUR),
        ],
    ),
    (
        "nightly-job-missed-critical",  # the job has never run
        [],
        [(ALARM, 28 * HOUR, 29 * HOUR)],
    ),
    (
        "nightly-job-start-failed-critical",
        per_minute(0, 1),
        [(OK, 1, 1), (ALARM, FAILURE, FAILURE + 5), (OK, FIXED, FIXED + 6)],
    ),
    (
        "api-errors-critical",  # all six requests of each cycle; the state does not change between cycles
        per_cycle([0] * 6, [1] * 6),
        [(OK, 1, 1), (ALARM, FAILURE, FAILURE + 11), (OK, FIXED, FIXED + QUARTER)],
    ),
    (
        "api-errors-warning",  # one batch per cycle, too few for the critical alarm
        per_cycle([0], [1]),
        [(OK, 1, 1), (ALARM, FAILURE + 2 * QUARTER, FAILURE + 3 * QUARTER), (OK, FIXED, FIXED + QUARTER)],
    ),
    (
        "api-slow-warning",
        per_cycle([90] * 10, [90] * 8 + [2600] * 2),
        [(OK, 1, 1), (ALARM, FAILURE + 2 * QUARTER, FAILURE + 4 * QUARTER), (OK, FIXED, FIXED + QUARTER)],
    ),
    (
        "cache-memory-high-warning",
        per_minute(40, 93),
        [(OK, 1, 1), (ALARM, FAILURE + 11, FAILURE + 15), (OK, FIXED, FIXED + 6)],
    ),
    (
        "cache-evictions-warning",
        per_minute(0, 3),
        [(OK, 1, 1), (ALARM, FAILURE, FAILURE + 5), (OK, FIXED, FIXED + 3 * QUARTER)],
    ),
    (
        "cache-unavailable-critical",  # reported only when calls fail: no data follows the last failure
        [(m, v) for m, v in per_cycle([0], [4]) if v],
        [(OK, 1, 1), (ALARM, FAILURE + 2 * QUARTER, FAILURE + 3 * QUARTER), (OK, FIXED, FIXED + 3 * QUARTER)],
    ),
    (
        "cache-hit-rate-low-warning",
        per_cycle([80.0], [5.0]),
        [(OK, 1, 1), (ALARM, FAILURE + 2 * HOUR, FAILURE + 3 * HOUR + 5), (OK, FIXED, FIXED + HOUR)],
    ),
    (
        "archive-backlog-warning",
        per_run([0, 0, 2, 1, 0, 0, 0, 0, 0, 0]),
        [
            (OK, start_of_run(0), start_of_run(0) + HOUR),
            (ALARM, start_of_run(3), start_of_run(3) + HOUR),
            (OK, start_of_run(4), start_of_run(4) + HOUR),
        ],
    ),
    (
        "archive-backlog-warning",  # then the job stops: missing data must not reset the alarm
        per_run([0, 0, 2, 1]),
        [(OK, start_of_run(0), start_of_run(0) + HOUR), (ALARM, start_of_run(3), start_of_run(3) + HOUR)],
    ),
    (
        "archive-rewrite-blocked-warning",
        per_run([0, 0, 1, 1, 1, 0, 0, 0, 0, 0]),
        [
            (OK, start_of_run(0), start_of_run(0) + HOUR),
            (ALARM, start_of_run(4), start_of_run(4) + HOUR),
            (OK, start_of_run(5), start_of_run(5) + HOUR),
        ],
    ),
    (
        "archive-damaged-critical",
        per_run([0, 0, 1, 1, 1, 0, 0, 0, 0, 0]),
        [
            (OK, start_of_run(0), start_of_run(0) + HOUR),
            (ALARM, start_of_run(2), start_of_run(2) + HOUR),
            (OK, start_of_run(5), start_of_run(5) + HOUR),
        ],
    ),
    *(
        (
            f"{name}-warning",  # the value of an agent among others, reported minutes apart in one run
            sorted(per_run([0] * DAYS) + per_run([None, None, 1, 1, 1, 0, 0, 0, 0, 0])),
            [
                (OK, start_of_run(0), start_of_run(0) + HOUR),
                (ALARM, start_of_run(2), start_of_run(2) + HOUR),
                (OK, start_of_run(5), start_of_run(5) + HOUR),
            ],
        )
        for name in ("outcomes-stopped", "learning-stopped", "behavior-changed", "memory-crowded")
    ),
    *(
        (
            f"{name}-warning",  # then the job stops: missing data must not reset the alarm
            per_run([0, 0, 1]),
            [(OK, start_of_run(0), start_of_run(0) + HOUR), (ALARM, start_of_run(2), start_of_run(2) + HOUR)],
        )
        for name in ("outcomes-stopped", "learning-stopped", "behavior-changed", "memory-crowded")
    ),
    (
        "decisions-stopped-critical",
        [(m, v) for m, v in per_cycle([6], pauses=False) if not FAILURE <= m < FIXED + 2 * HOUR],
        [(OK, DAY, DAY + 1), (ALARM, FAILURE + HOUR, FAILURE + 4 * HOUR), (OK, FIXED, FIXED + 2 * HOUR + 1)],
    ),
    *(
        (
            f"{table}-{kind}s-throttled-warning",  # missing data of DynamoDB changes nothing: somebody resets the alarm
            [(FAILURE, 7.0)],
            [(ALARM, FAILURE, FAILURE + 5)],
        )
        for table in TABLES
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


def samples_of(alarm, *, bad_from, bad_periods):
    """One value per period: healthy ones, `bad_periods` that breach the threshold, then healthy ones again."""
    healthy, bad = (alarm.threshold, 0.0) if alarm.is_below else (0.0, alarm.threshold)
    periods = range(2 * bad_from + bad_periods + alarm.periods)
    return [(n * alarm.period, bad if bad_from <= n < bad_from + bad_periods else healthy) for n in periods]


def states_around(alarm, *, bad_periods, more_periods):
    """When the threshold is first breached, and the changes of state after a healthy start."""
    bad_from = max(alarm.periods + 2, alarm.warm_up // alarm.period + 2)
    samples = samples_of(alarm, bad_from=bad_from, bad_periods=bad_periods)
    days = samples[-1][0] / DAY
    changes = alarm.transitions(samples, days=days, more_periods=more_periods)
    assert changes[0][1] == OK
    return bad_from * alarm.period, changes[1:]


@pytest.mark.parametrize("more_periods", [0, 2])
def test_every_alarm_goes_off_when_enough_periods_breach_and_returns(alarms, more_periods):
    for name, alarm in alarms.items():
        bad_periods = alarm.periods + 1
        start, changes = states_around(alarm, bad_periods=bad_periods, more_periods=more_periods)
        assert [state for _, state in changes] == [ALARM, OK], name
        (off, _), (back, _) = changes
        assert start <= off - (alarm.periods - 1) * alarm.period <= start + alarm.period + alarm.interval, name
        assert 0 <= back - (start + bad_periods * alarm.period) <= alarm.period + alarm.interval, name


@pytest.mark.parametrize("more_periods", [0, 2])
def test_no_alarm_goes_off_when_one_period_too_few_breaches(alarms, more_periods):
    for name, alarm in alarms.items():
        _, changes = states_around(alarm, bad_periods=alarm.periods - 1, more_periods=more_periods)
        assert changes == [], name


def test_missing_data_is_treated_as_declared(alarms):
    states = {"notBreaching": [OK], "breaching": [ALARM], "ignore": []}
    for name, alarm in alarms.items():
        days = (alarm.warm_up + 2 * alarm.interval) / DAY + 1
        found = [state for _, state in alarm.transitions([], days=days, more_periods=0)]
        assert found == states[alarm.missing], name


def test_every_alarm_is_tried_without_a_failure_and_with_one(alarms):
    assert {name for name, *_ in HEALTHY} == set(alarms)
    assert {name for name, *_ in FAILURES} == set(alarms)


@pytest.mark.parametrize("more_periods", [0, 2])
@pytest.mark.parametrize(("name", "samples"), HEALTHY)
def test_no_alarm_without_a_failure_nor_after_the_first_deployment(alarms, name, samples, more_periods):
    states = [state for _, state in alarms[name].transitions(samples, days=DAYS, more_periods=more_periods)]
    assert states in ([OK], [])
    assert not (states and not samples and alarms[name].missing == "ignore"), "missing data says nothing here"


@pytest.mark.parametrize("more_periods", [0, 2])
@pytest.mark.parametrize(("name", "samples", "expected"), FAILURES)
def test_a_failure_is_announced_once_and_so_is_its_end(alarms, name, samples, expected, more_periods):
    found = alarms[name].transitions(samples, days=DAYS, more_periods=more_periods)
    assert [state for _, state in found] == [state for state, _, _ in expected], found
    for (minute, state), (_, first, last) in zip(found, expected, strict=True):
        assert first <= minute <= last, f"{state} at {minute}, not within {first} and {last}"


def written_directly(minutes):
    """What the function `counter` reports of decisions that the library wrote into the table at these minutes."""
    start_ms, records = 1_795_176_000_000, []
    for minute in minutes:
        at_ms = start_ms + minute * 60_000
        new = Decision("direct", new_decision_id("QUERY", at_ms), "QUERY", at_ms, {}, {})
        image = {"ApproximateCreationDateTime": at_ms // 1000, "NewImage": decision_item(new)}
        records.append({"eventName": "INSERT", "dynamodb": image})
    return [
        ((one["_aws"]["Timestamp"] - start_ms) // 60_000, float(one["DecisionsLogged"]))
        for one in count_documents(records, "BTCAgent/Memory")
    ]


@pytest.mark.parametrize("more_periods", [0, 2])
def test_an_agent_that_logs_directly_keeps_the_alarm_quiet_until_it_stops(alarms, more_periods):
    alarm = alarms["decisions-stopped-critical"]
    thirty = written_directly([DAY + n * 4 for n in range(30)])
    assert sum(value for _, value in thirty) == 30
    quiet = alarm.transitions(thirty, days=1 + 2 / 24, more_periods=more_periods)
    assert [state for _, state in quiet] == [OK] or quiet[-1][1] == OK
    always = written_directly(range(30, 3 * DAY, 10))
    changes = alarm.transitions(always, days=4, more_periods=more_periods)
    assert [state for _, state in changes] == [OK, ALARM]
    assert 3 * DAY + HOUR <= changes[-1][0] <= 3 * DAY + 4 * HOUR


@pytest.mark.parametrize("more_periods", [0, 2])
def test_clocks_that_are_put_back_and_a_retrying_scheduler_do_not_count_as_a_missed_run(alarms, more_periods):
    late = [(start_of_run(n) + (CLOCKS_PUT_BACK + SCHEDULER_RETRIES if n >= 4 else 0), 1.0) for n in range(DAYS)]
    changes = alarms["nightly-job-missed-critical"].transitions(late, days=DAYS, more_periods=more_periods)
    assert [state for _, state in changes] == [OK]


@pytest.mark.parametrize("more_periods", [0, 2])
def test_runs_that_end_before_or_after_the_full_hour_do_not_make_an_alarm_flap(alarms, more_periods):
    backlog = [(start_of_run(n) + 45 + 10 * (n % 2), 1.0 if n >= 2 else 0.0) for n in range(DAYS)]
    changes = alarms["archive-backlog-warning"].transitions(backlog, days=DAYS, more_periods=more_periods)
    assert [state for _, state in changes] == [OK, ALARM]


def test_alarms_on_missing_data_wait_until_data_was_due(alarms):
    waiting = {name: alarm for name, alarm in alarms.items() if alarm.missing == "breaching"}
    assert waiting
    for name, alarm in waiting.items():
        assert alarm.warm_up >= max(DAY, alarm.period * alarm.periods), name
        assert alarm.transitions([], days=alarm.warm_up / DAY - 0.1, more_periods=0) == [], name
