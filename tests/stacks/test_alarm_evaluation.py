"""The evaluation with which alarms are tested matches CloudWatch's documentation."""

from dataclasses import replace

import pytest

from tests.stacks.alarm_evaluation import ALARM, DAY, HOUR, OK, UNKNOWN, Alarm

THREE = Alarm(
    period=5, periods=3, bad_periods=3, threshold=1, is_below=False, statistic="Sum", missing="missing", warm_up=0
)
READ = {"0": False, "X": True, "-": None}


# The tables of "How alarm state is evaluated when data is missing"; "before" is the state that is retained.
@pytest.mark.parametrize(
    ("bad_periods", "points", "missing", "ignore", "breaching", "not_breaching"),
    [
        (3, "0 - X - X", OK, OK, OK, OK),
        (3, "0 - - - -", OK, OK, OK, OK),
        (3, "- - - - -", UNKNOWN, "before", ALARM, OK),
        (3, "0 X X - X", ALARM, ALARM, ALARM, ALARM),
        (3, "- - X - -", None, "before", ALARM, OK),  # missing: a special case that no alarm here depends on
        (2, "0 - X - X", ALARM, ALARM, ALARM, ALARM),
        (2, "0 0 X 0 X", ALARM, ALARM, ALARM, ALARM),
        (2, "0 - X - -", OK, OK, ALARM, OK),
        (2, "- - - - 0", OK, OK, ALARM, OK),
    ],
)
def test_the_documentations_tables(bad_periods, points, missing, ignore, breaching, not_breaching):
    expected = {"missing": missing, "ignore": ignore, "breaching": breaching, "notBreaching": not_breaching}
    for treatment, state in expected.items():
        alarm = replace(THREE, bad_periods=bad_periods, missing=treatment)
        if state is not None:
            assert alarm.verdict([READ[one] for one in points.split()], before="before") == state, treatment


def test_the_window_slides_by_the_minute():
    samples = [(m, 1.0) for m in range(7, 30)]
    alarm = replace(THREE, missing="notBreaching")
    assert alarm.transitions(samples, days=1 / 24, more_periods=0) == [(1, OK), (18, ALARM), (35, OK)]


def test_an_alarm_over_days_is_evaluated_at_full_hours_and_a_warm_up_is_waited_for():
    alarm = replace(THREE, period=HOUR, periods=26, bad_periods=26, is_below=True, missing="breaching", warm_up=1600)
    assert alarm.transitions([], days=2, more_periods=0) == [(1620, ALARM)]
    assert alarm.transitions([(10, 1.0), (DAY + 50, 1.0)], days=2.5, more_periods=2) == [(1620, OK), (3180, ALARM)]


def test_statistics():
    values = [float(n) for n in range(1, 11)]
    for statistic, bad in (("p90", 9), ("Average", 5.5), ("Maximum", 10), ("Sum", 55)):
        alarm = replace(THREE, statistic=statistic, threshold=bad)
        assert alarm._is_bad(values)
        assert not replace(alarm, threshold=bad + 0.1)._is_bad(values)
