"""Alarms, runbooks and dashboard: what holds for every declaration of an alarm, and the settings that add to them."""

import json
import re
from itertools import chain

import pytest

from agent_memory.core import metric_names
from agent_memory.learning.intervals import wilson_interval
from stacks import PROJECT
from stacks.alarm_list import alarm_list
from stacks.dashboard import GRAPHS, KEY_FIGURES, LOG_TABLES
from tests.stacks.conftest import synthesize
from tests.stacks.templates import text_of

ALARM = "AWS::CloudWatch::Alarm"
COMPOSITE = "AWS::CloudWatch::CompositeAlarm"
RUNBOOKS = PROJECT / "docs" / "runbooks"
SECTIONS = ["Diagnose", "Fix", "Resolved when"]
WITHOUT_ALARM = {"docs/runbooks/poisoned-memory.md"}  # what only a person notices


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """A deployment with every setting that adds to operations."""
    folder = tmp_path_factory.mktemp("everything")
    alarms = {"decisions_expected_hours": "2", "monthly_budget_usd": "25", "summary_alarm": "true"}
    return synthesize(folder, dashboard="true", **alarms)


def alarms(synthesized):
    return {p["AlarmName"].removeprefix("agent-memory-"): p for p in synthesized["operations"].properties(ALARM)}


def declared(synthesized):
    """(alarm's name without the prefix, definition, threshold) of every declared threshold."""
    return [
        (f"{definition.name}-{severity}", definition, threshold)
        for definition in synthesized.stacks.operations.alarms.definitions
        for severity, threshold in definition.thresholds.items()
    ]


def widgets(synthesized):
    body = text_of(synthesized["operations"].only("AWS::CloudWatch::Dashboard")["DashboardBody"])
    return [widget["properties"] for widget in json.loads(body)["widgets"]]


# --- declarations ---------------------------------------------------------------------------------


def test_each_declared_threshold_is_an_alarm(everything):
    found = alarms(everything)
    assert sorted(found) == sorted(name for name, _, _ in declared(everything))
    for name, definition, threshold in declared(everything):
        alarm = found[name]
        assert alarm["Threshold"] == threshold.value, name
        assert alarm["EvaluationPeriods"] == threshold.periods, name
        period = alarm["Metrics"][0]["Period"] if "Metrics" in alarm else alarm["Period"]
        assert period == definition.metric.period.to_seconds(), name
        assert alarm["TreatMissingData"].lower() == definition.treat_missing_data.name.lower().replace("_", ""), name
        assert alarm["AlarmDescription"] == f"{threshold.description} Runbook: docs/runbooks/{definition.page}.md"


def test_names_say_what_is_wrong_and_descriptions_are_sentences(everything):
    for name, definition, threshold in declared(everything):
        assert re.fullmatch(r"[a-z]+(-[a-z]+)+", definition.name), name
        assert re.fullmatch(r"[A-Z0-9].*\.", threshold.description), name


def test_the_logical_id_of_an_alarm_follows_from_its_name(everything):
    """A new id under the old physical name would have CloudFormation delete the alarm that it has just created."""
    for logical_id, alarm in everything["operations"].of_type(ALARM).items():
        name = alarm["Properties"]["AlarmName"].removeprefix("agent-memory-").rpartition("-")[0]
        assert logical_id.startswith(f"Alarm{name.title().replace('-', '')}"), logical_id


def test_every_alarm_has_a_runbook_and_every_runbook_an_alarm(everything):
    described = [one["AlarmDescription"] for one in everything["operations"].properties(ALARM)]
    described.append(everything["operations"].only(COMPOSITE)["AlarmDescription"])
    named = {text.rpartition(" Runbook: ")[2] for text in described}
    (tag,) = everything["operations"].only("AWS::Budgets::Budget")["ResourceTags"]
    assert tag["Key"] == "runbook"
    pages = {path.relative_to(PROJECT).as_posix() for path in RUNBOOKS.glob("*.md") if path.stem != "README"}
    assert named | {tag["Value"]} == pages - WITHOUT_ALARM
    assert pages >= WITHOUT_ALARM


@pytest.mark.parametrize("page", sorted(path.stem for path in RUNBOOKS.glob("*.md") if path.stem != "README"))
def test_a_runbook_is_named_after_its_alarm_and_has_every_section(page):
    text = (RUNBOOKS / f"{page}.md").read_text()
    title = text.partition("\n")[0].removeprefix("# ")
    assert title.lower().replace(" ", "-") == page
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    for beginning in ("**What it means.** ", "**What users notice.** "):
        assert f"\n{beginning}" in text


def test_the_list_of_alarms_names_each_with_its_runbook(everything):
    lines = list(alarm_list(everything.stacks.operations.alarms.definitions))
    for name, definition, _ in declared(everything):
        assert any(name in line and line.endswith(f"| docs/runbooks/{definition.page}.md |") for line in lines), name


@pytest.mark.parametrize("profile", ["aws", "local"])
def test_every_alarm_watches_one_metric_or_query_and_is_announced(profile, request):
    synthesized = request.getfixturevalue(profile)
    (topic,) = synthesized["operations"].of_type("AWS::SNS::Topic")
    assert alarms(synthesized)
    for name, alarm in alarms(synthesized).items():
        assert alarm["AlarmActions"] == [{"Ref": topic}]
        has_query = "throttled" in name and profile == "aws"  # which the local cloud refuses
        assert ("MetricName" in alarm, "Metrics" in alarm) == (not has_query, has_query)


def test_throttling_is_watched_at_each_table_with_its_indexes(aws, local):
    """The metric of a table alone does not contain that of its indexes; a query without SCHEMA does."""
    for name in ("decisions", "memories", "states"):
        for kind in ("Read", "Write"):
            alarm = alarms(aws)[f"{name}-{kind.lower()}s-throttled-warning"]
            (query,) = alarm["Metrics"]
            select, _, where = text_of(query["Expression"]).partition(" WHERE ")
            assert select == f'SELECT SUM({kind}ThrottleEvents) FROM "AWS/DynamoDB"'  # noqa: S608  not a database
            assert re.fullmatch(rf"TableName = '<agent-memory-storage:ExportsOutputRef{name.title()}\w+>'", where)
            assert query["ReturnData"] is not False
            of_table = alarms(local)[f"{name}-{kind.lower()}s-throttled-warning"]
            assert of_table["MetricName"] == f"{kind}ThrottleEvents"
            assert [one["Name"] for one in of_table["Dimensions"]] == ["TableName"]


def test_the_nightly_job_is_watched_at_its_state_machine(aws):
    for name, metric in (
        ("nightly-job-failed-critical", "ExecutionsFailed"),
        ("nightly-job-missed-critical", "ExecutionsStarted"),
    ):
        alarm = alarms(aws)[name]
        assert alarm["MetricName"] == metric
        assert text_of(alarm["Dimensions"][0]["Value"]).startswith("<agent-memory-nightly:")


def test_the_cache_is_watched_at_its_node(aws):
    dimension = alarms(aws)["cache-memory-high-warning"]["Dimensions"][0]
    assert dimension["Name"] == "CacheClusterId"
    assert text_of(dimension["Value"]).endswith(">-001")


def test_without_a_cache_no_alarm_watches_one(aws, deployments):
    on_the_cache = {name for name in alarms(aws) if name.startswith("cache-")}
    assert on_the_cache
    assert set(alarms(deployments("prod without a cache"))) == set(alarms(aws)) - on_the_cache


def emits(function, metric):
    """Whether the code of a function names a metric's constant."""
    constant = next(name for name, value in vars(metric_names).items() if value is metric)
    api = PROJECT / "layers" / "agent_memory" / "python" / "agent_memory" / "api"
    counter = api / "decision_counts.py"
    sources = {"api": [one for one in api.rglob("*.py") if one != counter], "counter": [counter]}.get(
        function, [PROJECT / "lambdas" / function / "handler.py"]
    )
    return any(re.search(rf"\b{constant}\b", source.read_text()) for source in sources)


def test_the_products_own_metrics_are_watched_where_they_are_emitted(everything):
    known = {metric.name: metric for metric in metric_names.ALL}
    watched = [one for one in alarms(everything).values() if not one.get("Namespace", "AWS/").startswith("AWS/")]
    assert watched
    for alarm in watched:
        assert alarm["Namespace"] == "BTCAgent/Memory"
        (dimension,) = alarm["Dimensions"]
        assert dimension["Name"] == "service"
        assert emits(dimension["Value"], known[alarm["MetricName"]]), alarm["AlarmName"]
    stacks = ("api", "nightly", "operations")
    functions = [f for stack in stacks for f in everything[stack].properties("AWS::Lambda::Function")]
    services = {function["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"] for function in functions}
    for metric, service, *_ in (*KEY_FIGURES, *GRAPHS):
        assert service in services
        assert emits(service, metric), metric.name


def test_one_alarm_is_active_while_any_critical_one_is(everything):
    template = everything["operations"]
    summary = template.only(COMPOSITE)
    assert summary["AlarmName"] == "agent-memory-memory-degraded"
    critical = [
        name for name, one in template.of_type(ALARM).items() if one["Properties"]["AlarmName"].endswith("-critical")
    ]
    rule = text_of(summary["AlarmRule"])
    assert rule.count("ALARM(") == len(critical) > 0
    assert all(name in rule for name in critical)


# --- dashboard ------------------------------------------------------------------------------------


def test_the_dashboard_shows_agents_then_alarms_then_resources(aws):
    shown = [json.dumps(widget) for widget in widgets(aws)]
    headers = [next(n for n, text in enumerate(shown) if f"# {part}" in text) for part in ("Agents", "Alarms", "Reso")]
    agents, states, resources = headers
    assert 0 == agents < states < resources
    for metric, *_ in (*KEY_FIGURES, *GRAPHS):
        assert any(f'"{metric.name}"' in text for text in shown[:states]), metric.name
    for part in ("HTTP API", "Nightly job", "Decisions", "Memories", "States", "Valkey", "Glacier"):
        assert any(part in text for text in shown[resources:]), part


def test_the_dashboard_draws_each_alarms_metric_with_its_threshold(everything):
    graphs = {widget["title"]: widget for widget in widgets(everything) if "title" in widget}
    found = alarms(everything)
    for name, definition, threshold in declared(everything):
        graph = graphs[definition.graph]
        drawn = {part for metric in graph["metrics"] for part in metric if isinstance(part, str)}
        drawn |= {metric[0]["expression"] for metric in graph["metrics"] if "expression" in metric[0]}
        if "Metrics" in found[name]:
            assert text_of(found[name]["Metrics"][0]["Expression"]) in drawn, name
        else:
            assert {found[name]["MetricName"], found[name]["Namespace"]} <= drawn, name
        lines = {(line["label"], line["value"]) for line in graph["annotations"]["horizontal"]}
        assert (name.rpartition("-")[2], threshold.value) in lines, name


def test_key_figures_come_first(aws):
    header, figures, *_ = widgets(aws)
    assert header["markdown"].startswith("# Agents")
    assert (figures["title"], figures["view"]) == ("The last day", "singleValue")
    assert len(figures["metrics"]) == len(KEY_FIGURES)


def test_the_rate_of_signals_has_its_interval_and_n(aws):
    (query,) = [one["query"] for one in widgets(aws) if one.get("title", "").startswith("Signals that were right")]
    formulas = dict(re.findall(r"(100 \* \(p [^|,]*?\)) as (low|high)", query))
    assert set(formulas.values()) == {"low", "high"}
    for succeeded, n in ((0, 9), (41, 100), (7, 7)):
        expected = dict(zip(("low", "high"), wilson_interval(succeeded / n, n), strict=True))
        for formula, name in formulas.items():
            # The query's arithmetic is arithmetic that Python reads as well.
            value = eval(formula.replace("^", "**"), {}, {"p": succeeded / n, "n": n})  # noqa: S307  our own text
            assert value == pytest.approx(100 * expected[name], abs=1e-3)
    assert query.rstrip().endswith("display day, n, percent, low, high")


def test_no_graph_averages_over_decision_types_or_patterns(aws):
    shown = [json.dumps(widget) for widget in widgets(aws)]
    assert not any('"PatternConfidence"' in text for text in shown)
    by_type = [text for text in shown if "SEARCH(" in text and "SuccessRate" in text]
    assert len(by_type) == 1
    assert "service,decision_type" in by_type[0]
    assert not any('"SuccessRate"' in text.replace('\\"', "'") for text in shown if "SEARCH(" not in text)


def test_tables_from_the_logs_query_log_groups_that_exist(aws):
    groups = {
        group["LogGroupName"]
        for stack in ("api", "nightly", "operations")
        for group in aws[stack].properties("AWS::Logs::LogGroup")
    }
    queried = [re.findall(r"SOURCE '([^']+)'", widget["query"]) for widget in widgets(aws) if "query" in widget]
    assert len(queried) == len(LOG_TABLES)
    assert set(chain.from_iterable(queried)) <= groups


# --- settings -------------------------------------------------------------------------------------


def test_alarms_are_sent_by_email_if_there_is_an_address(aws, local):
    subscription = aws["operations"].only("AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "ops@example.com")
    assert not local["operations"].of_type("AWS::SNS::Subscription")


def test_stopped_decisions_and_rising_costs_are_announced_where_the_settings_ask_for_it(aws, everything):
    assert not aws["operations"].of_type("AWS::Budgets::Budget")
    assert "decisions-stopped-critical" not in alarms(aws)
    stopped = alarms(everything)["decisions-stopped-critical"]
    assert (stopped["MetricName"], stopped["EvaluationPeriods"], stopped["Period"]) == ("DecisionsLogged", 2, 3600)
    budget = everything["operations"].only("AWS::Budgets::Budget")
    assert budget["Budget"]["BudgetLimit"] == {"Amount": 25, "Unit": "USD"}
    assert budget["Budget"]["CostFilters"] == {"TagKeyValue": ["user:deployment$agent-memory"]}
    notifications = [one["Notification"]["NotificationType"] for one in budget["NotificationsWithSubscribers"]]
    assert notifications == ["ACTUAL", "FORECASTED"]
