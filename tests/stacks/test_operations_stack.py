import json
import re

import pytest

from stacks import PROJECT
from stacks.dashboard import GRAPHS, KEY_FIGURES, LOG_TABLES
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
        "api-errors-recur-warning",
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


def test_nights_are_watched_at_their_state_machine(aws):
    for name, metric in (("night-failed-critical", "ExecutionsFailed"), ("night-missed-critical", "ExecutionsStarted")):
        alarm = alarms(aws)[name]
        assert alarm["MetricName"] == metric
        assert text_of(alarm["Dimensions"][0]["Value"]).startswith("<agent-memory-nightly:")


def test_the_cache_is_watched_at_its_node(aws):
    dimension = alarms(aws)["cache-almost-full-warning"]["Dimensions"][0]
    assert dimension["Name"] == "CacheClusterId"
    assert text_of(dimension["Value"]).endswith(">-001")


def test_alarms_go_by_mail_if_there_is_an_address(aws, local):
    subscription = aws["operations"].only("AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "ops@example.com")
    assert not local["operations"].of_type("AWS::SNS::Subscription")


def widgets(synthesized):
    body = text_of(synthesized["operations"].only("AWS::CloudWatch::Dashboard")["DashboardBody"])
    return [widget["properties"] for widget in json.loads(body)["widgets"]]


def test_one_dashboard_shows_what_agents_did_and_then_what_carries_it(aws):
    shown = [json.dumps(widget) for widget in widgets(aws)]
    agents = next(n for n, text in enumerate(shown) if "# Agents" in text)
    resources = next(n for n, text in enumerate(shown) if "# Resources" in text)
    assert agents == 0
    for metric, *_ in (*KEY_FIGURES, *GRAPHS):
        assert any(f'"{metric.name}"' in text for text in shown[agents:resources]), metric.name
    for part in ("HTTP API", "Nightly learning", "Decisions", "Memories", "States", "Valkey", "Alarms", "Glacier"):
        assert any(part in text for text in shown[resources:]), part


def test_key_figures_come_first(aws):
    header, figures, *_ = widgets(aws)
    assert header["markdown"].startswith("# Agents")
    assert (figures["title"], figures["view"]) == ("The last day", "singleValue")
    assert len(figures["metrics"]) == len(KEY_FIGURES)


def test_tables_from_the_logs_ask_log_groups_that_exist(aws):
    groups = {
        group["LogGroupName"] for stack in ("api", "nightly") for group in aws[stack].properties("AWS::Logs::LogGroup")
    }
    asked = [re.findall(r"SOURCE '([^']+)'", widget["query"]) for widget in widgets(aws) if "query" in widget]
    assert len(asked) == len(LOG_TABLES)
    assert {name for names in asked for name in names} <= groups


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
    assert {service for _, service, _ in (*KEY_FIGURES, *GRAPHS)} <= services


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


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """The operations with every setting that adds to them."""
    folder = tmp_path_factory.mktemp("everything")
    app, _ = build(folder, decisions_expected_hours="2", monthly_budget_usd="25")
    app.synth()
    return Template(json.loads((folder / "agent-memory-operations.template.json").read_text()))


def test_decisions_that_stop_and_costs_that_rise_are_told_where_it_is_asked_for(aws, everything):
    assert not aws["operations"].of_type("AWS::Budgets::Budget")
    assert not any("decisions-stopped" in name for name in alarms(aws))
    stopped = next(one for one in everything.properties(ALARM) if "decisions-stopped" in one["AlarmName"])
    assert (stopped["MetricName"], stopped["EvaluationPeriods"], stopped["Period"]) == ("DecisionsLogged", 2, 3600)
    budget = everything.only("AWS::Budgets::Budget")
    assert budget["Budget"]["BudgetLimit"] == {"Amount": 25, "Unit": "USD"}
    assert budget["Budget"]["CostFilters"] == {"TagKeyValue": ["user:deployment$agent-memory"]}
    told = [one["Notification"]["NotificationType"] for one in budget["NotificationsWithSubscribers"]]
    assert told == ["ACTUAL", "FORECASTED"]


def test_every_alarm_names_a_runbook_and_every_runbook_has_an_alarm(everything):
    described = [one["AlarmDescription"] for one in everything.properties(ALARM)]
    described.append(everything.only("AWS::CloudWatch::CompositeAlarm")["AlarmDescription"])
    named = {text.rpartition(" Runbook: ")[2] for text in described}
    (tag,) = everything.only("AWS::Budgets::Budget")["ResourceTags"]
    assert tag["Key"] == "runbook"
    pages = {path.relative_to(PROJECT).as_posix() for path in (PROJECT / "docs" / "runbooks").glob("*.md")}
    assert named | {tag["Value"]} == pages - {"docs/runbooks/README.md"}
