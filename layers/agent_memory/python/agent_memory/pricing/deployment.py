"""The parts of a deployment that cost money, read from its synthesized templates."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent_memory.core.errors import InvalidInput
from agent_memory.core.retention import EXPIRE_AFTER_DAYS, GLACIER_AFTER_DAYS, OLD_VERSIONS_DAYS, REPORTS_DAYS

Resource = Mapping[str, Any]

_ARCHIVE_PREFIX, _REPORTS_PREFIX = "decisions/", "reports/"
_API_METRICS = 6  # a route's 4xx, 5xx, Count, IntegrationLatency, Latency, DataProcessed
_API, _COUNTER = "-api", "-counter"

# Resource types with a price, by themselves or by their usage.
_PRICED = {
    "AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Route", "AWS::ApiGatewayV2::Stage", "AWS::CloudTrail::Trail",
    "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm", "AWS::CloudWatch::Dashboard",
    "AWS::DynamoDB::Table", "AWS::EC2::VPCEndpoint", "AWS::ElastiCache::ReplicationGroup", "AWS::KMS::Key",
    "AWS::Lambda::Function", "AWS::Logs::LogGroup", "AWS::S3::Bucket", "AWS::Scheduler::Schedule",
    "AWS::StepFunctions::StateMachine",
}  # fmt: skip
# Resource types that AWS does not charge for, according to its price pages, or not at the volume of a deployment.
_FREE = {
    "AWS::ApiGatewayV2::Authorizer", "AWS::ApiGatewayV2::Integration", "AWS::Athena::WorkGroup",
    "AWS::Budgets::Budget", "AWS::CDK::Metadata", "AWS::EC2::FlowLog", "AWS::EC2::RouteTable",
    "AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupEgress", "AWS::EC2::SecurityGroupIngress", "AWS::EC2::Subnet",
    "AWS::EC2::SubnetRouteTableAssociation", "AWS::EC2::VPC", "AWS::ElastiCache::SubnetGroup",
    "AWS::ElastiCache::User", "AWS::ElastiCache::UserGroup", "AWS::Glue::Database", "AWS::Glue::Table",
    "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::Role", "AWS::KMS::Alias",
    "AWS::Lambda::Alias", "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::EventSourceMapping", "AWS::Lambda::LayerVersion", "AWS::Lambda::Permission",
    "AWS::Logs::QueryDefinition", "AWS::Logs::ResourcePolicy", "AWS::S3::BucketPolicy", "AWS::SNS::Subscription",
    "AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "AWS::SQS::Queue", "AWS::SQS::QueuePolicy",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """The parts of a deployment that are charged whether used or not, or that determine the cost of a request.

    Attributes:
        alarm_metrics: metrics that alarms evaluate.
        composite_alarms: composite alarms.
        dashboard_metrics: number of metrics that each dashboard shows.
        route_metrics: detailed metrics of the API's routes.
        cache_nodes: nodes of the cache; 0 without one.
        cache_node_type: their type, such as `cache.t4g.micro`.
        endpoint_zones: zones of the VPC's interface endpoints; gateway endpoints are free.
        kms_keys: customer managed keys.
        data_trails: trails that record data events.
        kms_tables: tables that are encrypted with a key in KMS, whether AWS manages it or the account.
        traces_requests: whether X-Ray traces requests to the API.
        logs_invocations: whether Lambda logs the start and the report of each of the API's invocations.
        backed_up: whether the tables have point-in-time recovery.
        api_memory_mb: memory of the API's function.
        counter_memory_mb: memory of the function that counts decisions; 0 without one.
        nightly_memory_mb: memory of all nightly functions together.
        log_days: retention of the logs in days.
        glacier_after_days: age in days at which the archive moves to Glacier.
        expire_after_days: age in days at which it is deleted.
        reports_days: age in days at which daily reports are deleted.
        old_versions_days: days for which replaced versions of objects are kept.
        unpriced: number of resources by type, for types without a price here.
    """

    alarm_metrics: int = 0
    composite_alarms: int = 0
    dashboard_metrics: tuple[int, ...] = ()
    route_metrics: int = 0
    cache_nodes: int = 0
    cache_node_type: str = "cache.t4g.micro"
    endpoint_zones: int = 0
    kms_keys: int = 0
    data_trails: int = 0
    kms_tables: int = 0
    traces_requests: bool = False
    logs_invocations: bool = False
    backed_up: bool = True
    api_memory_mb: int = 1024
    counter_memory_mb: int = 0
    nightly_memory_mb: int = 0
    log_days: int = 30
    glacier_after_days: int = GLACIER_AFTER_DAYS
    expire_after_days: int = EXPIRE_AFTER_DAYS
    reports_days: int = REPORTS_DAYS
    old_versions_days: int = OLD_VERSIONS_DAYS
    unpriced: Mapping[str, int] = field(default_factory=dict)


def read_deployment(folder: Path) -> Deployment:
    """Read the templates `*.template.json` of a synthesized app.

    Raises:
        InvalidInput: the folder has none, or one that cannot be read.
    """
    files = sorted(folder.glob("*.template.json"))
    if not files:
        raise InvalidInput("templates", f"there is no *.template.json in {folder}; `make synth` writes them to cdk.out")
    return _deployment([resource for file in files for resource in _resources(file)])


def _resources(file: Path) -> Iterator[Resource]:
    try:
        for resource in json.loads(file.read_text(encoding="utf-8"))["Resources"].values():
            yield {"Type": str(resource["Type"]), "Properties": resource.get("Properties", {})}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput("templates", f"{file} is not a CloudFormation template: {error!r}") from error


def _deployment(resources: list[Resource]) -> Deployment:
    def of(kind: str) -> list[dict[str, Any]]:
        return [one["Properties"] for one in resources if one["Type"] == f"AWS::{kind}"]

    caches = of("ElastiCache::ReplicationGroup")
    functions = of("Lambda::Function")
    api = [one for one in functions if str(one.get("FunctionName", "")).endswith(_API)]
    counter = [one for one in functions if str(one.get("FunctionName", "")).endswith(_COUNTER)]
    nightly = [one for one in functions if one not in api and one not in counter]
    stages = [one.get("DefaultRouteSettings", {}) for one in of("ApiGatewayV2::Stage")]
    is_detailed = any(one.get("DetailedMetricsEnabled") for one in stages)
    rules = [rule for one in of("S3::Bucket") for rule in one.get("LifecycleConfiguration", {}).get("Rules", [])]
    glacier, expiry = _archive_ages(rules)
    tables = of("DynamoDB::Table")
    return Deployment(
        alarm_metrics=sum(max(1, len(_metrics_of(one))) for one in of("CloudWatch::Alarm")),
        composite_alarms=len(of("CloudWatch::CompositeAlarm")),
        dashboard_metrics=tuple(_metric_count(one["DashboardBody"]) for one in of("CloudWatch::Dashboard")),
        route_metrics=_API_METRICS * len(of("ApiGatewayV2::Route")) if is_detailed else 0,
        cache_nodes=sum(int(one.get("NumCacheClusters", 1)) for one in caches),
        cache_node_type=caches[0]["CacheNodeType"] if caches else "",
        endpoint_zones=sum(
            len(one.get("SubnetIds", [])) for one in of("EC2::VPCEndpoint") if one["VpcEndpointType"] == "Interface"
        ),
        kms_keys=len(of("KMS::Key")),
        data_trails=sum("AdvancedEventSelectors" in one or "EventSelectors" in one for one in of("CloudTrail::Trail")),
        kms_tables=sum(bool(one.get("SSESpecification", {}).get("SSEEnabled")) for one in tables),
        logs_invocations=any(one.get("LoggingConfig", {}).get("SystemLogLevel", "INFO") != "WARN" for one in api),
        traces_requests=any(one.get("TracingConfig", {}).get("Mode") == "Active" for one in api),
        backed_up=any(map(_is_backed_up, tables)),
        api_memory_mb=max((int(one.get("MemorySize", 128)) for one in api), default=0),
        counter_memory_mb=max((int(one.get("MemorySize", 128)) for one in counter), default=0),
        nightly_memory_mb=sum(int(one.get("MemorySize", 128)) for one in nightly),
        log_days=max((int(one.get("RetentionInDays", 0)) for one in of("Logs::LogGroup")), default=0),
        glacier_after_days=glacier,
        expire_after_days=expiry,
        reports_days=_reports_days(rules),
        old_versions_days=_old_versions_days(rules),
        unpriced=_unpriced(resources),
    )


def _is_backed_up(table: Resource) -> bool:
    return bool(table.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled"))


def _metrics_of(alarm: Resource) -> list[Any]:
    """The metrics in an alarm's expression, each of which is charged; empty for an alarm on a single metric."""
    return [one for one in alarm.get("Metrics", []) if "MetricStat" in one]


def _metric_count(body: Any) -> int:
    """The number of metrics on a dashboard; its body is JSON, split where it refers to other resources."""
    pieces = body["Fn::Join"][1] if isinstance(body, dict) else [body]
    text = "".join(piece if isinstance(piece, str) else "-" for piece in pieces)
    metrics = [metric for one in json.loads(text)["widgets"] for metric in one["properties"].get("metrics", [])]
    return sum(not (isinstance(metric[-1], dict) and "expression" in metric[-1]) for metric in metrics)


def _archive_ages(rules: list[dict[str, Any]]) -> tuple[int, int]:
    """The ages in days at which the archive moves to Glacier and is deleted."""
    for rule in rules:
        if rule.get("Prefix") == _ARCHIVE_PREFIX and rule.get("Transitions"):
            expiry = int(rule["ExpirationInDays"])
            return min(int(rule["Transitions"][0]["TransitionInDays"]), expiry), expiry
    return GLACIER_AFTER_DAYS, EXPIRE_AFTER_DAYS


def _reports_days(rules: list[dict[str, Any]]) -> int:
    ages = [int(rule["ExpirationInDays"]) for rule in rules if rule.get("Prefix") == _REPORTS_PREFIX]
    return min(ages, default=REPORTS_DAYS)


def _old_versions_days(rules: list[dict[str, Any]]) -> int:
    ages = [one["NoncurrentVersionExpiration"] for one in rules if "NoncurrentVersionExpiration" in one]
    return min((int(one["NoncurrentDays"]) for one in ages), default=OLD_VERSIONS_DAYS)


def _unpriced(resources: list[Resource]) -> dict[str, int]:
    """Resources whose type has no price here."""
    kinds = Counter(one["Type"] for one in resources)
    return {kind: count for kind, count in sorted(kinds.items()) if kind not in _PRICED | _FREE}
