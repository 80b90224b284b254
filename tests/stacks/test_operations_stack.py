import json

import pytest

from stacks.operations_stack import ON_THE_DASHBOARD
from tests.stacks.conftest import build
from tests.stacks.templates import Template, text_of

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
        "cache-unanswered-critical",
        "hit-rate-low-warning",
        "archive-behind-warning",
        "archive-postponed-warning",
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


def test_the_products_own_metrics_are_watched_where_they_are_measured(aws):
    watched = {
        alarm["MetricName"]: (alarm["Namespace"], alarm["Dimensions"])
        for alarm in alarms(aws).values()
        if alarm["Namespace"] == "BTCAgent/Memory"
    }
    assert watched == {
        name: ("BTCAgent/Memory", [{"Name": "service", "Value": service}])
        for name, service in {
            "STMFailures": "api",
            "STMHitRate": "api",
            "ArchiveDaysRemaining": "archival",
            "ArchiveDaysPostponed": "archival",
        }.items()
    }
    functions = [f for stack in ("api", "nightly") for f in aws[stack].properties("AWS::Lambda::Function")]
    services = {function["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"] for function in functions}
    assert {service for _, service in ON_THE_DASHBOARD} <= services
    assert alarms(aws)["hit-rate-low-warning"]["TreatMissingData"] == "notBreaching"


def test_one_alarm_is_on_while_any_critical_one_is(aws):
    summary = aws["operations"].only("AWS::CloudWatch::CompositeAlarm")
    assert summary["AlarmName"] == "agent-memory-memory-degraded"
    template = aws["operations"]
    critical = [
        name for name, one in template.of_type(ALARM).items() if one["Properties"]["AlarmName"].endswith("-critical")
    ]
    rule = text_of(summary["AlarmRule"])
    assert rule.count("ALARM(") == len(critical)
    assert all(name in rule for name in critical)


def test_decisions_that_stop_and_costs_that_rise_are_told_where_it_is_asked_for(aws, tmp_path):
    assert not aws["operations"].of_type("AWS::Budgets::Budget")
    app, _ = build(tmp_path, decisions_expected_hours="2", monthly_budget_usd="25")
    app.synth()
    template = Template(json.loads((tmp_path / "agent-memory-operations.template.json").read_text()))
    stopped = next(one for one in template.properties(ALARM) if "decisions-stopped" in one["AlarmName"])
    assert (stopped["MetricName"], stopped["EvaluationPeriods"], stopped["Period"]) == ("DecisionsLogged", 2, 3600)
    assert stopped["TreatMissingData"] == "breaching"
    budget = template.only("AWS::Budgets::Budget")
    assert budget["Budget"]["BudgetLimit"] == {"Amount": 25, "Unit": "USD"}
    assert budget["Budget"]["CostFilters"] == {"TagKeyValue": ["user:deployment$agent-memory"]}
    told = [one["Notification"]["NotificationType"] for one in budget["NotificationsWithSubscribers"]]
    assert told == ["ACTUAL", "FORECASTED"]
