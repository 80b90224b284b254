import json

import pytest

from tests.stacks.templates import text_of

ALARM = "AWS::CloudWatch::Alarm"


def alarms(synthesized):
    return {p["AlarmName"].removeprefix("agent-memory-"): p for p in synthesized["operations"].properties(ALARM)}


def test_alarms(aws):
    assert set(alarms(aws)) == {
        "night-failed-critical",
        "night-timed-out-critical",
        "night-missed-critical",
        "night-not-started-critical",
        "api-errors-critical",
        "api-slow-warning",
        "cache-almost-full-warning",
        "cache-evicts-warning",
        *(
            f"{table}-{kind}s-throttled-warning"
            for table in ("decisions", "memories", "states")
            for kind in ("read", "write")
        ),
    }


@pytest.mark.parametrize("profile", ["aws", "local"])
def test_every_alarm_watches_one_metric_and_is_announced(profile, request):
    synthesized = request.getfixturevalue(profile)
    (topic,) = synthesized["operations"].of_type("AWS::SNS::Topic")
    for alarm in alarms(synthesized).values():
        assert alarm["AlarmActions"] == [{"Ref": topic}]
        assert alarm["MetricName"]
        assert "Metrics" not in alarm  # metric math, which the local cloud refuses


def test_silence_means_a_missed_night_and_nothing_else(aws):
    breaching = {name for name, alarm in alarms(aws).items() if alarm["TreatMissingData"] == "breaching"}
    assert breaching == {"night-missed-critical"}
    missed = alarms(aws)["night-missed-critical"]
    assert (missed["MetricName"], missed["Period"], missed["Threshold"]) == ("ExecutionsStarted", 86400, 1)
    assert missed["ComparisonOperator"] == "LessThanThreshold"


def test_one_failed_night_is_enough(aws):
    failed = alarms(aws)["night-failed-critical"]
    assert (failed["MetricName"], failed["Threshold"]) == ("ExecutionsFailed", 1)
    assert failed["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert text_of(failed["Dimensions"][0]["Value"]).startswith("<agent-memory-nightly:")


def test_the_cache_is_watched_at_its_node(aws):
    dimension = alarms(aws)["cache-almost-full-warning"]["Dimensions"][0]
    assert dimension["Name"] == "CacheClusterId"
    assert text_of(dimension["Value"]).endswith(">-001")


def test_alarms_go_by_mail_if_there_is_an_address(aws, local):
    subscription = aws["operations"].only("AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "ops@example.com")
    assert not local["operations"].of_type("AWS::SNS::Subscription")


def test_one_dashboard_shows_every_part(aws):
    body = text_of(aws["operations"].only("AWS::CloudWatch::Dashboard")["DashboardBody"])
    titles = json.dumps([widget["properties"] for widget in json.loads(body)["widgets"]])
    for part in ("HTTP API", "Nightly learning", "Decisions", "Memories", "States", "Valkey", "Alarms"):
        assert part in titles
