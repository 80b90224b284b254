"""Where each setting is seen in a deployment: the functions, alarms, policies and others that depend on it.

A setting without an entry here fails `python -m tests.local.changed_settings`.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from stacks.environments import DEV
from tests.local.aws_templates import MISSING_TYPES
from tests.local.deployed_resources import Resources

PREFIX = "agent-memory"
FUNCTIONS = ("agents", "analytics", "api", "archival", "consolidation", "counter", "pruning")
NIGHTLY = tuple(one for one in FUNCTIONS if one not in {"api", "counter"})
WITH_CACHE = ("api", "pruning")
_NO_EMULATOR = ", only over the template: the emulator has none"


@dataclass(frozen=True)
class View:
    """A deployment: what its services return, and the templates as they were synthesized."""

    deployed: Resources
    synthesized: Mapping[str, Mapping[str, Any]]
    prefix: str = PREFIX

    def of_kind(self, kind: str) -> dict[str, Any]:
        """The deployed resources of a kind, as "alarm", by their names without the prefix."""
        beginning = f"{kind}: "
        return {
            name.removeprefix(beginning).removeprefix(f"{self.prefix}-"): one
            for name, one in self.deployed.items()
            if name.startswith(beginning)
        }

    def in_templates(self, resource_type: str, *, synthesized: bool = False) -> dict[str, dict[str, Any]]:
        """The resources of a type, in the templates that CloudFormation has, or in those that were synthesized."""
        templates = self.synthesized.values() if synthesized else self.of_kind("template").values()
        return {
            name: one
            for template in templates
            for name, one in template["Resources"].items()
            if one["Type"] == resource_type
        }

    def only(self, kind: str) -> str:
        """The name of the only resource of a kind."""
        (name,) = self.of_kind(kind)
        return f"{self.prefix}-{name}"


@dataclass(frozen=True)
class Consumer:
    """What depends on a setting.

    Attributes:
        what: what it is, as in the printed table.
        read: the value that each one has, by name.
        before: the value before the change, or a function of the deployment.
        after: the same after it.
    """

    what: str
    read: Callable[[View], Mapping[str, Any]]
    before: Any
    after: Any

    @property
    def is_deployed(self) -> bool:
        """Whether the emulator has it."""
        return not self.what.endswith(_NO_EMULATOR)

    def problems(self, view: View, expected: Any) -> list[str]:
        """Who has another value than is expected."""
        wanted = expected(view) if callable(expected) else expected
        found = self.read(view)
        if not found:
            return [f"{self.what}: there is none"]
        return [
            f"{self.what}: {name} has {value!r}, not {wanted!r}" for name, value in found.items() if value != wanted
        ]


# --- what services return ------------------------------------------------------------------------------


def at(value: Any, *path: str | int) -> Any:
    """The value at a path; None where there is nothing."""
    for key in path:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def in_functions(*path: str, of: Iterable[str] = FUNCTIONS) -> Callable[[View], dict[str, Any]]:
    """A property of functions."""
    return lambda view: {name: at(view.of_kind("function"), name, *path) for name in of}


def variable(name: str, before: Any, after: Any, *, of: Iterable[str] = FUNCTIONS) -> Consumer:
    """An environment variable of functions."""
    functions = tuple(of)
    who = "every function" if functions == FUNCTIONS else f"function {', '.join(functions)}"
    return Consumer(f"{who} ({name})", in_functions("Environment", "Variables", name, of=functions), before, after)


def in_kind(kind: str, *path: str | int, named: str = "") -> Callable[[View], dict[str, Any]]:
    """A property of every deployed resource of a kind whose name matches a pattern."""
    return lambda view: {
        name: at(one, *path) for name, one in view.of_kind(kind).items() if re.search(named, name) is not None
    }


def exists(kind: str, name: str) -> Callable[[View], dict[str, bool]]:
    """Whether there is a resource whose name matches a pattern."""
    return lambda view: {name: any(re.search(name, one) for one in view.of_kind(kind))}


def texts(kind: str, pattern: str, *, named: str = "") -> Callable[[View], dict[str, list[str]]]:
    """What matches a pattern in the resources of a kind, each once; several of one role count as one."""

    def read(view: View) -> dict[str, list[str]]:
        found: dict[str, set[str]] = {}
        for name, one in view.of_kind(kind).items():
            if re.search(named, name) is not None:
                found.setdefault(name.split(" ")[0], set()).update(re.findall(pattern, json.dumps(one)))
        return {name: sorted(values) for name, values in found.items()}

    return read


def policies_of(*roles: str) -> str:
    """The names of the policies of functions' roles, as a pattern."""
    return rf"-({'|'.join(role.capitalize() for role in roles)})Role\w*-"


# --- what the emulator does not keep -------------------------------------------------------------------


def template(resource_type: str, *path: str | int, named: str = "") -> Callable[[View], dict[str, Any]]:
    """A property in the templates of the deployed stacks, of resources that the emulator has and keeps less of."""
    return lambda view: {
        name: at(one, *path)
        for name, one in view.in_templates(resource_type).items()
        if re.search(named, name) is not None
    }


def synthesized(resource_type: str, pattern: str) -> Callable[[View], dict[str, list[str]]]:
    """What matches a pattern in a type of resources that the emulator does not have; empty without such a resource."""
    assert resource_type in MISSING_TYPES
    return lambda view: {
        resource_type: sorted(
            {
                text
                for one in view.in_templates(resource_type, synthesized=True).values()
                for text in re.findall(pattern, json.dumps(one["Properties"], sort_keys=True))
            }
        )
    }


def _no_emulator(resource_type: str) -> str:
    return f"{resource_type}{_NO_EMULATOR}"


_FUNCTION, _TABLE, _BUCKET = "AWS::Lambda::Function", "AWS::DynamoDB::Table", "AWS::S3::Bucket"
_STAGE = "AWS::ApiGatewayV2::Stage"
_CACHE = "AWS::ElastiCache::ReplicationGroup"
_GATEWAY, _TRAIL, _BUDGET, _FLOW_LOG, _SUMMARY = (
    "AWS::BedrockAgentCore::Gateway",
    "AWS::CloudTrail::Trail",
    "AWS::Budgets::Budget",
    "AWS::EC2::FlowLog",
    "AWS::CloudWatch::CompositeAlarm",
)
_RESERVED = "Properties", "ReservedConcurrentExecutions"
_PRODUCT_ALARMS = "^(cache-unavailable|cache-hit|archive|outcomes|learning|behavior)"
_USERS_OF_KEY = policies_of(*FUNCTIONS, "machine")


def _searches(property_: str) -> Callable[[View], dict[str, Any]]:
    def read(view: View) -> dict[str, Any]:
        (stage,) = view.in_templates(_STAGE).values()
        return {route: one[property_] for route, one in stage["Properties"]["RouteSettings"].items()}

    return read


def _limits(kind: str) -> Callable[[View], dict[str, Any]]:
    """A limit of every table, which the emulator does not keep, and of every index, which it does."""

    def read(view: View) -> dict[str, Any]:
        tables = view.in_templates(_TABLE)
        found = {name: at(one, "Properties", "OnDemandThroughput", kind) for name, one in tables.items()}
        for name, one in view.of_kind("table").items():
            for index in one.get("GlobalSecondaryIndexes", []):
                found[f"{name} {index['IndexName']}"] = index["OnDemandThroughput"][kind]
        return found

    return read


def _key(view: View) -> list[str]:
    return [str(view.deployed["outputs of: agent-memory-storage"][_key_output(view)])]


def _key_output(view: View) -> str:
    (name,) = [one for one in view.deployed["outputs of: agent-memory-storage"] if "FnGetAttKey" in one]
    return name


def _cache(view: View) -> str:
    return view.only("cache")


def _caches(view: View) -> list[str]:
    return [_cache(view)]


def cache_followers(*, is_there_before: bool = True, is_there_after: bool = True) -> tuple[Consumer, ...]:
    """All that names the cache; it is named anew when the cache is created again, and not at all without one."""

    def sides(value: Any, nothing: Any = None) -> tuple[Any, Any]:
        return (value if is_there_before else nothing), (value if is_there_after else nothing)

    return (
        variable("AGENT_MEMORY_REDIS_CACHE", *sides(_cache), of=WITH_CACHE),
        variable("AGENT_MEMORY_REDIS_USER", *sides("agent-memory-api"), of=WITH_CACHE),
        Consumer(
            "policies of the functions api, pruning (elasticache:Connect)",
            texts("policy", r":replicationgroup:([\w-]+)", named=policies_of(*WITH_CACHE)),
            *sides(_caches, []),
        ),
        Consumer(
            "network of the functions api, pruning (template)",
            lambda view: {
                name: "VpcConfig" in one["Properties"]
                for name, one in view.in_templates(_FUNCTION).items()
                if name.startswith(("Api", "Pruning"))
            },
            *sides(True, False),
        ),
        Consumer(
            "alarms cache-memory-high, cache-evictions",
            lambda view: {
                "alarms": sorted(
                    {
                        dimension["Value"]
                        for name, one in view.of_kind("alarm").items()
                        if name.startswith(("cache-memory", "cache-evictions"))
                        for dimension in one["Dimensions"]
                    }
                )
            },
            *sides(lambda view: [f"{_cache(view)}-001"], []),
        ),
        Consumer("alarm cache-unavailable", exists("alarm", "^cache-unavailable"), *sides(True, False)),
        Consumer(
            _no_emulator(_SUMMARY),
            lambda view: {
                "rule": "AlarmCacheUnavailable"
                in json.dumps(view.in_templates(_SUMMARY, synthesized=True), sort_keys=True)
            },
            *sides(True, False),
        ),
    )


def dashboard_of_cache(view: View) -> dict[str, Any]:
    """The nodes that the dashboard draws."""
    return {
        name: sorted(set(re.findall(r'"CacheClusterId", "([^"]+)"', json.dumps(one))))
        for name, one in view.of_kind("dashboard").items()
    }


CONSUMERS: Mapping[str, tuple[Consumer, ...]] = {
    "keep_data": (
        Consumer(
            "tables (deletion policy, template)",
            template(_TABLE, "DeletionPolicy"),
            *("RetainExceptOnCreate", "Delete"),
        ),
        Consumer(
            "bucket (deletion policy, template)",
            template(_BUCKET, "DeletionPolicy", named="^Archive"),
            *("RetainExceptOnCreate", "Delete"),
        ),
        Consumer("tables", in_kind("table", "DeletionProtectionEnabled"), before=True, after=False),
    ),
    "point_in_time_recovery": (
        Consumer(
            "tables (template)",
            template(_TABLE, "Properties", "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"),
            before=True,
            after=False,
        ),
    ),
    "encryption_key": (
        Consumer(
            "policies of every function and the state machine",
            texts("policy", r"arn:[\w:-]+key/[\w-]+", named=_USERS_OF_KEY),
            [],
            _key,
        ),
        Consumer(
            "bucket (template)",
            template(
                _BUCKET,
                "Properties",
                "BucketEncryption",
                "ServerSideEncryptionConfiguration",
                0,
                "ServerSideEncryptionByDefault",
                "SSEAlgorithm",
                named="^Archive",
            ),
            "AES256",
            "aws:kms",
        ),
        Consumer("tables (template)", template(_TABLE, "Properties", "SSESpecification", "SSEType"), None, "KMS"),
        Consumer(
            "cache (template)",
            lambda view: {name: "KmsKeyId" in one["Properties"] for name, one in view.in_templates(_CACHE).items()},
            before=False,
            after=True,
        ),
        Consumer(
            "results of SQL",
            in_kind("workgroup", "Configuration", "ResultConfiguration", "EncryptionConfiguration", "EncryptionOption"),
            "SSE_S3",
            "SSE_KMS",
        ),
        *cache_followers(),
        Consumer(
            "dashboard", dashboard_of_cache, lambda view: [f"{_cache(view)}-001"], lambda view: [f"{_cache(view)}-001"]
        ),
    ),
    "archive_lock_days": (
        Consumer(
            "bucket (template)",
            template(
                _BUCKET, "Properties", "ObjectLockConfiguration", "Rule", "DefaultRetention", "Days", named="^Archive"
            ),
            None,
            365,
        ),
    ),
    "anchor_bucket": (
        variable("AGENT_MEMORY_ANCHOR_BUCKET", None, "acme-audit-anchors", of=["archival"]),
        Consumer(
            "policies of the function archival",
            texts("policy", r"arn:aws:s3:::([\w-]+)/anchors/", named=policies_of("archival")),
            [],
            ["acme-audit-anchors"],
        ),
    ),
    "decisions_per_part": (variable("AGENT_MEMORY_DECISIONS_PER_PART", "200000", "5000", of=["consolidation"]),),
    "write_shards": (variable("AGENT_MEMORY_WRITE_SHARDS", "1", "4", of=["api"]),),
    "audit_trail": (
        Consumer("stack", exists("outputs of", "^audit$"), before=False, after=True),
        Consumer("bucket of the trail", exists("bucket", "audit-events"), before=False, after=True),
        Consumer(
            _no_emulator(_TRAIL), synthesized(_TRAIL, r'"Field": "(resources.type|readOnly)"'), [], ["resources.type"]
        ),
    ),
    "gateway_agents": (
        Consumer("function", exists("function", "^gateway$"), before=False, after=True),
        Consumer(
            _no_emulator(_GATEWAY),
            synthesized(_GATEWAY, r'"Name": "([\w-]+)"'),
            [],
            ["agent-memory-market-hunter"],
        ),
    ),
    "gateway_read_only": (variable("AGENT_MEMORY_GATEWAY_READ_ONLY", "false", "true", of=["gateway"]),),
    "embedder": (
        variable("AGENT_MEMORY_EMBEDDER", None, "bedrock", of=["api"]),
        Consumer(
            "policies of the function api",
            texts("policy", r"foundation-model/([\w.:-]+)", named=policies_of("api")),
            [],
            ["amazon.titan-embed-text-v2:0"],
        ),
    ),
    "recall_weights": (variable("AGENT_MEMORY_RECALL_WEIGHTS", None, "meaning=0.7,outcome=0", of=["api"]),),
    "nightly_time": (
        Consumer("schedule", in_kind("schedule", "ScheduleExpression"), "cron(10 0 * * ? *)", "cron(25 3 * * ? *)"),
    ),
    "cache": (
        *cache_followers(is_there_after=False),
        Consumer("dashboard", dashboard_of_cache, lambda view: [f"{_cache(view)}-001"], []),
    ),
    "time_zone": (
        Consumer(
            "schedule (template)",
            template("AWS::Scheduler::Schedule", "Properties", "ScheduleExpressionTimezone"),
            "Europe/Berlin",
            "Asia/Tokyo",
        ),
    ),
    "map_concurrency": (
        Consumer(
            "state machine", in_kind("state machine", "definition", "States", "EachAgent", "MaxConcurrency"), 5, 3
        ),
    ),
    "cache_node_type": (Consumer("cache", in_kind("cache", "CacheNodeType"), "cache.t4g.micro", "cache.m7g.large"),),
    "cache_nodes": (
        Consumer("cache (template)", template(_CACHE, "Properties", "NumCacheClusters"), 1, 2),
        Consumer(
            "cache (failover, template)",
            template(_CACHE, "Properties", "AutomaticFailoverEnabled"),
            before=False,
            after=True,
        ),
    ),
    "direct_agents": (
        Consumer(
            "users of the cache",
            lambda view: {
                "users": sorted(
                    one["Properties"]["UserId"] for one in view.in_templates("AWS::ElastiCache::User").values()
                )
            },
            [f"{PREFIX}-api"],
            [
                f"{PREFIX}-agent-btc-scout-{sha256(b'btc.scout').hexdigest()[:12]}",
                f"{PREFIX}-agent-market-hunter",
                f"{PREFIX}-api",
            ],
        ),
    ),
    "flow_logs": (
        Consumer(
            "log group",
            lambda view: {"log groups": sorted(one for one in view.of_kind("log group") if one.startswith("/vpc/"))},
            [f"/vpc/{PREFIX}-rejected"],
            [f"/vpc/{PREFIX}-all"],
        ),
        Consumer(
            "policies of the flow log",
            texts("policy", r"log-group:(/vpc/[\w-]+)", named="IAMRole"),
            [f"/vpc/{PREFIX}-rejected"],
            [f"/vpc/{PREFIX}-all"],
        ),
        Consumer(_no_emulator(_FLOW_LOG), synthesized(_FLOW_LOG, r'"TrafficType": "(\w+)"'), ["REJECT"], ["ALL"]),
    ),
    "log_retention_days": (Consumer("every log group", in_kind("log group", "retentionInDays"), 30, 14),),
    "log_level": (variable("POWERTOOLS_LOG_LEVEL", "INFO", "WARNING"),),
    "metrics_namespace": (
        variable("POWERTOOLS_METRICS_NAMESPACE", "BTCAgent/Memory", "Desk/Memory"),
        Consumer(
            "alarms on the product's own metrics",
            in_kind("alarm", "Namespace", named=_PRODUCT_ALARMS),
            "BTCAgent/Memory",
            "Desk/Memory",
        ),
        Consumer("dashboard", texts("dashboard", r"\b\w+/Memory\b"), ["BTCAgent/Memory"], ["Desk/Memory"]),
    ),
    "dashboard": (Consumer("dashboard", exists("dashboard", PREFIX), before=True, after=False),),
    "trace_requests": (
        Consumer("function api", in_functions("TracingConfig", "Mode", of=["api"]), "PassThrough", "Active"),
        Consumer(
            "policies of the function api",
            texts("policy", "xray:PutTraceSegments", named=policies_of("api")),
            [],
            ["xray:PutTraceSegments"],
        ),
    ),
    "decisions_expected_hours": (
        Consumer(
            "alarm decisions-stopped",
            lambda view: {"periods": at(view.of_kind("alarm"), "decisions-stopped-critical", "EvaluationPeriods")},
            None,
            3,
        ),
        Consumer(_no_emulator(_SUMMARY), synthesized(_SUMMARY, "AlarmDecisionsStopped"), [], ["AlarmDecisionsStopped"]),
    ),
    "alarm_email": (
        Consumer(
            "subscriptions of the topic",
            lambda view: dict(view.of_kind("subscriptions of")),
            ["ops@example.com"],
            ["others@example.com"],
        ),
    ),
    "summary_alarm": (
        Consumer(_no_emulator(_SUMMARY), synthesized(_SUMMARY, r"(memory-degraded)\""), ["memory-degraded"], []),
    ),
    "monthly_budget_usd": (
        Consumer("policy of the topic", texts("topic", "budgets.amazonaws.com"), [], ["budgets.amazonaws.com"]),
        Consumer(_no_emulator(_BUDGET), synthesized(_BUDGET, r'"Amount": (\d+)'), [], ["25"]),
    ),
    "api_requests_per_second": (
        Consumer(
            "stage of the API (template)",
            template(_STAGE, "Properties", "DefaultRouteSettings", "ThrottlingRateLimit"),
            100,
            33,
        ),
    ),
    "api_burst": (
        Consumer(
            "stage of the API (template)",
            template(_STAGE, "Properties", "DefaultRouteSettings", "ThrottlingBurstLimit"),
            200,
            77,
        ),
    ),
    "api_search_requests_per_second": (
        Consumer("each search of the API (template)", _searches("ThrottlingRateLimit"), 20, 3),
    ),
    "api_search_burst": (Consumer("each search of the API (template)", _searches("ThrottlingBurstLimit"), 40, 7),),
    "api_concurrency": (Consumer("function api (template)", template(_FUNCTION, *_RESERVED, named="^Api"), None, 50),),
    "nightly_concurrency": (
        Consumer("five nightly functions (template)", template(_FUNCTION, *_RESERVED, named="^(?!Api)"), None, 5),
    ),
    "table_max_write_units": (Consumer("tables (template), indexes", _limits("MaxWriteRequestUnits"), 4_000, 98),),
    "table_max_read_units": (Consumer("tables (template), indexes", _limits("MaxReadRequestUnits"), 12_000, 99),),
}


TRAIL_OF_WRITES = (
    Consumer(
        _no_emulator(_TRAIL),
        synthesized(_TRAIL, r'"Field": "(resources.type|readOnly)"'),
        ["resources.type"],
        ["readOnly", "resources.type"],
    ),
)
"""What `audit_trail` changes from `all` to `writes`."""

_STACKS_OF_DEV = "^(storage|api|nightly|query|operations)$"
_DEV_LOG_DAYS = DEV["log_retention_days"]

OF_DEV: tuple[Consumer, ...] = (
    *cache_followers(is_there_after=False),
    Consumer("tags of the stacks", in_kind("tags of", "environment", named=_STACKS_OF_DEV), "prod", "dev"),
    Consumer(
        "tags of the functions' roles",
        texts("role", r'"environment", "Value": "(\w+)"', named="^(api|nightly)"),
        ["prod"],
        ["dev"],
    ),
    Consumer(
        "tables and bucket (deletion policy, template)",
        template(_TABLE, "DeletionPolicy"),
        "RetainExceptOnCreate",
        "Delete",
    ),
    Consumer(
        "tables (recovery, template)",
        template(_TABLE, "Properties", "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"),
        before=True,
        after=False,
    ),
    Consumer("log groups of the functions", in_kind("log group", "retentionInDays", named="^/aws"), 30, _DEV_LOG_DAYS),
    Consumer(
        "stage of the API (template)",
        template(_STAGE, "Properties", "DefaultRouteSettings", "ThrottlingRateLimit"),
        100,
        DEV["api_requests_per_second"],
    ),
    Consumer("each search of the API (template)", _searches("ThrottlingBurstLimit"), 40, DEV["api_search_burst"]),
    Consumer("tables (template), indexes", _limits("MaxReadRequestUnits"), 12_000, DEV["table_max_read_units"]),
)
"""What `environment=dev` changes, where no setting says otherwise."""

OF_LOCAL: Mapping[str, tuple[str, str, tuple[Consumer, ...]]] = {
    "redis_endpoint": (
        "127.0.0.1:6390",
        "127.0.0.1:6391",
        (variable("AGENT_MEMORY_REDIS_ENDPOINT", "127.0.0.1:6390", "127.0.0.1:6391", of=WITH_CACHE),),
    ),
    "emulator_python": (
        "3.12",
        "3.13",
        (
            Consumer("every function", in_functions("Runtime"), "python3.12", "python3.13"),
            Consumer(
                "layers of third-party packages",
                lambda view: {
                    name: one["Properties"]["CompatibleRuntimes"]
                    for name, one in view.in_templates("AWS::Lambda::LayerVersion").items()
                },
                ["python3.12"],
                ["python3.13"],
            ),
        ),
    ),
}
"""The settings of a local deployment only: a value, another one, and where it is seen."""
