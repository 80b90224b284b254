import json

from agent_memory.api.openapi import document
from agent_memory.core.retention import LOG_DAYS
from stacks.api_stack import SEARCHES
from tests.stacks.conftest import build, synthesize
from tests.stacks.templates import Template, text_of


def test_every_route_requires_an_iam_signature(aws):
    routes = aws["api"].properties("AWS::ApiGatewayV2::Route")
    assert {route["AuthorizationType"] for route in routes} == {"AWS_IAM"}
    assert {route["RouteKey"] for route in routes} == {"ANY /v1/{proxy+}", *(f"GET {path}" for path in SEARCHES)}


def test_each_search_is_a_route_of_the_function_with_a_throttle_of_its_own(aws):
    served = {path for path, methods in document()["paths"].items() if "get" in methods}
    assert set(SEARCHES) <= served
    template = aws["api"]
    settings = template.only("AWS::ApiGatewayV2::Stage")["RouteSettings"]
    limits = {"ThrottlingRateLimit": 20, "ThrottlingBurstLimit": 40, "DetailedMetricsEnabled": False}
    assert settings == {f"GET {path}": limits for path in SEARCHES}
    routes = {name for name, one in template.of_type("AWS::ApiGatewayV2::Route").items() if "GET" in str(one)}
    (stage,) = template.of_type("AWS::ApiGatewayV2::Stage").values()
    assert routes <= set(stage["DependsOn"])


def test_one_function_answers_as_a_proxy(aws):
    integration = aws["api"].only("AWS::ApiGatewayV2::Integration")
    (function,) = aws["api"].of_type("AWS::Lambda::Function")
    assert integration["IntegrationType"] == "AWS_PROXY"
    assert integration["PayloadFormatVersion"] == "2.0"
    assert integration["IntegrationUri"] == {"Fn::GetAtt": [function, "Arn"]}


def test_the_stage_throttles_and_logs_access(aws):
    stage = aws["api"].only("AWS::ApiGatewayV2::Stage")
    assert stage["StageName"] == "$default"
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == 100
    assert stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] == 200
    assert json.loads(stage["AccessLogSettings"]["Format"])["status"] == "$context.status"
    destination = stage["AccessLogSettings"]["DestinationArn"]["Fn::GetAtt"][0]
    assert aws["api"].resources[destination]["Properties"]["RetentionInDays"] == LOG_DAYS


def test_the_function_runs_in_the_isolated_subnets_and_knows_the_cache(aws):
    function = aws["api"].function("agent-memory-api")
    assert len(function["VpcConfig"]["SubnetIds"]) == 2
    variables = {name: text_of(value) for name, value in function["Environment"]["Variables"].items()}
    endpoint = variables["AGENT_MEMORY_REDIS_ENDPOINT"].split(">:<")
    assert ["PrimaryEndPointAddress" in endpoint[0], "PrimaryEndPointPort" in endpoint[1]] == [True, True]
    assert variables["AGENT_MEMORY_REDIS_TLS"] == "true"
    assert variables["AGENT_MEMORY_REDIS_USER"] == "agent-memory-api"
    assert variables["AGENT_MEMORY_REDIS_CACHE"].startswith("<agent-memory-cache:CacheName")
    assert variables["AGENT_MEMORY_TABLE_PREFIX"] == "agent-memory"
    assert variables["AGENT_MEMORY_ARCHIVE_BUCKET"].startswith("<agent-memory-storage:")
    assert variables["POWERTOOLS_METRICS_NAMESPACE"] == "BTCAgent/Memory"


def test_the_function_spreads_writes_as_the_settings_say(aws, tmp_path):
    variables = aws["api"].function("agent-memory-api")["Environment"]["Variables"]
    assert variables["AGENT_MEMORY_WRITE_SHARDS"] == "1"
    app, _ = build(tmp_path, write_shards="8")
    app.synth()
    spread = Template(json.loads((tmp_path / "agent-memory-api.template.json").read_text()))
    assert spread.function("agent-memory-api")["Environment"]["Variables"]["AGENT_MEMORY_WRITE_SHARDS"] == "8"


def test_the_function_answers_before_api_gateway_gives_up(aws):
    assert aws["api"].function("agent-memory-api")["Timeout"] < 30


def test_the_function_may_do_what_it_does_and_no_more(aws):
    permissions = aws["api"].permissions("agent-memory-api")
    by_table = {
        name: {
            action.removeprefix("dynamodb:")
            for action, resource in permissions
            if name in resource and action.startswith("dynamodb:")
        }
        for name in ("Decisions", "Memories", "States")
    }
    assert by_table == {
        "Decisions": {
            "BatchGetItem",
            "GetItem",
            "PartiQLInsert",
            "PartiQLUpdate",
            "PutItem",
            "Query",
            "UpdateItem",
        },
        "Memories": {"BatchGetItem", "GetItem", "PutItem", "Query", "UpdateItem"},
        "States": {"GetItem", "PutItem", "Query", "UpdateItem"},
    }
    indexes = {resource.rpartition("/index/")[2] for _, resource in permissions if "/index/" in resource}
    assert indexes == {"by_context", "by_context_keys", "by_confidence", "by_change"}
    archive = "<agent-memory-storage:ArchiveBucketArn>"
    assert {pair for pair in permissions if pair[0].startswith("s3:")} == {
        ("s3:GetObject", f"{archive}/decisions/*"),
        ("s3:RestoreObject", f"{archive}/decisions/*"),
        ("s3:GetObject", f"{archive}/large/*"),
        ("s3:PutObject", f"{archive}/large/*"),
        ("s3:GetObject", f"{archive}/digests/*"),
        ("s3:GetObject", f"{archive}/reports/crowding/*"),
        ("s3:ListBucket", archive),
    }
    connect = {resource for action, resource in permissions if action == "elasticache:Connect"}
    assert {resource.split(":")[5] for resource in connect} == {"replicationgroup", "user"}
    assert not any(resource.endswith(":*") for resource in connect)
    assert not [action for action, resource in permissions if resource == "*"]


def test_what_costs_extra_is_off_and_can_be_switched_on(aws, tmp_path):
    assert not aws["api"].only("AWS::ApiGatewayV2::Stage")["DefaultRouteSettings"].get("DetailedMetricsEnabled")
    assert "TracingConfig" not in aws["api"].function("agent-memory-api")
    changed = synthesize(tmp_path, trace_requests="true")
    assert changed["api"].function("agent-memory-api")["TracingConfig"] == {"Mode": "Active"}
    on_all = {action for action, resource in changed["api"].permissions("agent-memory-api") if resource == "*"}
    assert on_all == {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
    assert not changed["operations"].of_type("AWS::CloudWatch::Dashboard")


def test_outputs_name_the_api(aws):
    (api,) = aws["api"].of_type("AWS::ApiGatewayV2::Api")
    assert aws["api"].outputs["ApiId"]["Value"] == {"Ref": api}
