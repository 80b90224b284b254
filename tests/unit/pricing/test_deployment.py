"""What is read from templates, and that no resource is ignored."""

import json

import pytest

from agent_memory.core.errors import InvalidInput
from agent_memory.pricing import Deployment, read_deployment


def metric(name):
    return {"Id": name, "MetricStat": {"Metric": {"MetricName": name}}}


def template(folder, name="a", **resources):
    body = {
        "Resources": {
            one: {"Type": f"AWS::{kind}", "Properties": properties} for one, (kind, properties) in resources.items()
        }
    }
    (folder / f"{name}.template.json").write_text(json.dumps(body))
    return folder


def test_all_templates_of_a_folder_count(tmp_path):
    template(tmp_path, "a", One=("CloudWatch::Alarm", {"MetricName": "Errors"}))
    template(tmp_path, "b", Two=("CloudWatch::Alarm", {"MetricName": "Errors"}), Key=("KMS::Key", {}))
    found = read_deployment(tmp_path)
    assert (found.alarm_metrics, found.kms_keys, found.unpriced) == (2, 1, {})


def test_an_alarm_on_an_expression_is_charged_for_each_of_its_metrics(tmp_path):
    ratio = {"Id": "ratio", "Expression": "errors / calls"}
    watched = {"Metrics": [ratio, metric("errors"), metric("calls")]}
    assert read_deployment(template(tmp_path, One=("CloudWatch::Alarm", watched))).alarm_metrics == 2


def test_detailed_metrics_are_six_per_route(tmp_path):
    routes = {f"Route{n}": ("ApiGatewayV2::Route", {}) for n in range(3)}
    stage = {"DefaultRouteSettings": {"DetailedMetricsEnabled": True}}
    assert read_deployment(template(tmp_path, Stage=("ApiGatewayV2::Stage", stage), **routes)).route_metrics == 18


def test_a_dashboard_counts_its_metrics_and_not_its_expressions(tmp_path):
    shown = [["AWS/Lambda", "Errors", {"stat": "Sum"}], [{"expression": "a / b"}], ["...", "two"]]
    widgets = [{"properties": {"metrics": shown}}, {"properties": {"markdown": "# Title"}}]
    head, tail = json.dumps({"widgets": widgets}).split("two")
    body = {"Fn::Join": ["", [head, {"Ref": "Function"}, tail]]}
    dashboard = ("CloudWatch::Dashboard", {"DashboardBody": body})
    plain = ("CloudWatch::Dashboard", {"DashboardBody": json.dumps({"widgets": []})})
    assert read_deployment(template(tmp_path, One=dashboard, Two=plain)).dashboard_metrics == (2, 0)


def test_a_type_without_a_price_is_counted(tmp_path):
    gateway = ("EC2::VPCEndpoint", {"VpcEndpointType": "Gateway"})
    interface = ("EC2::VPCEndpoint", {"VpcEndpointType": "Interface", "SubnetIds": ["a", "b"]})
    nat = ("EC2::NatGateway", {})
    found = read_deployment(template(tmp_path, A=gateway, B=interface, C=nat, D=nat))
    assert (found.unpriced, found.endpoint_zones) == ({"AWS::EC2::NatGateway": 2}, 2)


def test_only_a_trail_of_data_events_is_charged(tmp_path):
    selecting = ("CloudTrail::Trail", {"AdvancedEventSelectors": [{}]})
    assert read_deployment(template(tmp_path, A=selecting, B=("CloudTrail::Trail", {}))).data_trails == 1


def test_tables_without_recovery_are_not_backed_up(tmp_path):
    assert read_deployment(template(tmp_path, T=("DynamoDB::Table", {}))).backed_up is False
    specification = {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": False}}
    assert read_deployment(template(tmp_path, T=("DynamoDB::Table", specification))).backed_up is False
    specification = {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}}
    assert read_deployment(template(tmp_path, T=("DynamoDB::Table", specification))).backed_up is True


def test_tables_with_a_key_in_kms_are_counted(tmp_path):
    managed = ("DynamoDB::Table", {"SSESpecification": {"SSEEnabled": True}})
    owned_by_aws = ("DynamoDB::Table", {"SSESpecification": {"SSEEnabled": False}})
    template(tmp_path, A=managed, B=managed, C=owned_by_aws, D=("DynamoDB::Table", {}))
    assert read_deployment(tmp_path).kms_tables == 2


@pytest.mark.parametrize(("level", "logs"), [(None, True), ("INFO", True), ("DEBUG", True), ("WARN", False)])
def test_lambda_logs_invocations_unless_its_level_is_warn(tmp_path, level, logs):
    logging = {} if level is None else {"LoggingConfig": {"LogFormat": "JSON", "SystemLogLevel": level}}
    template(tmp_path, Api=("Lambda::Function", {"FunctionName": "agent-memory-api", **logging}))
    assert read_deployment(tmp_path).logs_invocations is logs


def test_ages_of_reports_and_old_versions_are_those_of_the_rules(tmp_path):
    rules = [
        {"Prefix": "reports/", "ExpirationInDays": 10},
        {"NoncurrentVersionExpiration": {"NoncurrentDays": 3}},
    ]
    found = read_deployment(template(tmp_path, B=("S3::Bucket", {"LifecycleConfiguration": {"Rules": rules}})))
    assert (found.reports_days, found.old_versions_days) == (10, 3)


def test_a_folder_without_templates_says_how_to_get_some(tmp_path):
    with pytest.raises(InvalidInput, match=r"templates: there is no \*\.template\.json in .*; `make synth` writes"):
        read_deployment(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"Resources": 1}', '{"Resources": {"A": {}}}', '{"Resources": [1]}'])
def test_an_invalid_template_is_refused_by_name(tmp_path, text):
    (tmp_path / "bad.template.json").write_text(text)
    with pytest.raises(InvalidInput, match=r"bad\.template\.json is not a CloudFormation template"):
        read_deployment(tmp_path)


def test_an_empty_template_is_an_empty_deployment(tmp_path):
    assert read_deployment(template(tmp_path)) == Deployment(
        cache_node_type="", backed_up=False, api_memory_mb=0, log_days=0
    )
