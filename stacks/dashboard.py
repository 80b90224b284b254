"""The dashboard: first what the agents did and learned, then what carries it.

One dashboard with two sections, not two dashboards: docs/decisions/alarms.md says why.
"""

from collections.abc import Sequence
from typing import cast

import aws_cdk as cdk
import cdk_monitoring_constructs as monitoring
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from agent_memory.core import metric_names
from stacks.api_stack import ApiStack
from stacks.cache_stack import CacheStack
from stacks.config import DeployConfig
from stacks.nightly_stack import NightlyStack
from stacks.storage_stack import StorageStack

_HOUR = cdk.Duration.hours(1)
_DAY = cdk.Duration.days(1)
_WHOLE_ROW = 24
_THIRD_OF_A_ROW = 8

# The numbers at the top, each with the function that measures it, and how a day's values become one.
KEY_FIGURES = (
    (metric_names.DECISIONS_LOGGED, "api", "Sum"),
    (metric_names.SUCCESS_RATE, "analytics", "ExponentialAverage"),
    (metric_names.ACTIVE_PATTERNS, "analytics", "Sum"),
    (metric_names.STM_HIT_RATE, "api", "ExponentialAverage"),
    (metric_names.CONSOLIDATION_SUCCESS, "consolidation", "ExponentialAverage"),
)
# What an agent's team looks at next: metric, function, and the statistics that are drawn.
GRAPHS = (
    (metric_names.DECISIONS_LOGGED, "api", ("Sum",)),
    (metric_names.DECISION_LATENCY, "api", ("ExponentialAverage", "p99")),
    (metric_names.SUCCESS_RATE, "analytics", ("ExponentialAverage",)),
    (metric_names.DECISIONS_INFLUENCED, "api", ("Sum",)),
    (metric_names.MEMORY_CORRELATION, "consolidation", ("ExponentialAverage",)),
    (metric_names.STM_HIT_RATE, "api", ("ExponentialAverage",)),
    (metric_names.PATTERN_CONFIDENCE, "analytics", ("p10", "p50", "p90")),
    (metric_names.PATTERNS_LEARNED, "consolidation", ("Sum",)),
    (metric_names.PATTERNS_DEPRECATED, "consolidation", ("Sum",)),
)
# What is known by agent or type stands in the log lines: title, function, and the query's lines.
LOG_TABLES = (
    (
        "Decisions by type",
        "api",
        (
            'filter message = "decisions"',
            (
                "stats sum(decision_types.SOURCE_SELECTION) as SOURCE_SELECTION, sum(decision_types.QUERY) as QUERY, "
                "sum(decision_types.SIGNAL_GENERATION) as SIGNAL_GENERATION, sum(decision_types.LEARNING) as LEARNING "
                "by bin(1d) as day"
            ),
        ),
    ),
    (
        "Success by agent and type, each night",
        "analytics",
        ('filter message = "reported"', "fields agent_id, active_patterns, by_type", "sort @timestamp desc"),
    ),
)


class Dashboard:
    """One dashboard, named as the deployment, added to a stack."""

    def __init__(
        self,
        scope: Construct,
        *,
        config: DeployConfig,
        alarms: Sequence[cloudwatch.IAlarm],
        storage: StorageStack,
        cache: CacheStack | None,
        api: ApiStack,
        nightly: NightlyStack,
    ) -> None:
        self._config = config
        self._facade = monitoring.MonitoringFacade(
            scope,
            "Monitoring",
            alarm_factory_defaults=monitoring.AlarmFactoryDefaults(
                alarm_name_prefix=config.prefix, actions_enabled=False
            ),
            dashboard_factory=monitoring.DefaultDashboardFactory(
                scope, "Dashboards", dashboard_name_prefix=config.prefix
            ),
        )
        self._agents()
        self._resources(alarms, storage, cache, api, nightly)

    def _agents(self) -> None:
        self._facade.add_large_header("Agents: what they decided, and what they learned")
        figures = [self._metric(*figure, period=_DAY) for figure in KEY_FIGURES]
        self._facade.add_widget(
            cloudwatch.SingleValueWidget(title="The last day", metrics=figures, width=_WHOLE_ROW, height=3)
        )
        graphs = [self._graph(*graph) for graph in GRAPHS]
        for first in range(0, len(graphs), 3):
            self._add_row(graphs[first : first + 3])
        self._add_row([self._log_table(*table) for table in LOG_TABLES])

    def _add_row(self, widgets: Sequence[cloudwatch.ConcreteWidget]) -> None:
        self._facade.add_widget(cast("cloudwatch.IWidget", cloudwatch.Row(*widgets)))

    def _resources(
        self,
        alarms: Sequence[cloudwatch.IAlarm],
        storage: StorageStack,
        cache: CacheStack | None,
        api: ApiStack,
        nightly: NightlyStack,
    ) -> None:
        facade = self._facade
        facade.add_large_header("Resources: what carries it")
        facade.add_widget(cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(alarms), width=_WHOLE_ROW, height=4))
        facade.monitor_api_gateway_v2_http_api(api=api.api, human_readable_name="HTTP API")
        facade.monitor_lambda_function(lambda_function=api.function, human_readable_name="API")
        facade.monitor_step_function(state_machine=nightly.machine, human_readable_name="Nightly learning")
        for function in nightly.functions:
            facade.monitor_lambda_function(lambda_function=function, human_readable_name=function.node.id)
        for table in storage.tables:
            facade.monitor_dynamo_table(table=table, human_readable_name=table.node.id)
        if cache is not None:
            facade.monitor_elasti_cache_cluster(
                cluster_id=cache.first_node_id,
                cluster_type=monitoring.ElastiCacheClusterType.REDIS,
                human_readable_name="Valkey",
                alarm_friendly_name="cache",
            )
        facade.add_widget(_archive_size(storage))

    def _metric(
        self, of: metric_names.Metric, service: str, statistic: str, *, period: cdk.Duration
    ) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=self._config.metrics_namespace,
            metric_name=of.name,
            dimensions_map={"service": service},
            statistic=statistic,
            period=period,
        )

    def _graph(self, of: metric_names.Metric, service: str, statistics: Sequence[str]) -> cloudwatch.GraphWidget:
        drawn = [self._metric(of, service, statistic, period=_HOUR) for statistic in statistics]
        return cloudwatch.GraphWidget(title=f"{of.name}: {of.meaning}", left=drawn, width=_THIRD_OF_A_ROW, height=5)

    def _log_table(self, title: str, function: str, query: Sequence[str]) -> cloudwatch.LogQueryWidget:
        return cloudwatch.LogQueryWidget(
            title=title,
            log_group_names=[f"/aws/lambda/{self._config.prefix}-{function}"],
            query_lines=list(query),
            view=cloudwatch.LogQueryVisualizationType.TABLE,
            width=_WHOLE_ROW // 2,
            height=6,
        )


def _archive_size(storage: StorageStack) -> cloudwatch.GraphWidget:
    """Bytes of the archive by storage class; S3 measures them once a day."""
    sizes = [
        cloudwatch.Metric(
            namespace="AWS/S3",
            metric_name="BucketSizeBytes",
            dimensions_map={"BucketName": storage.archive.bucket_name, "StorageType": kind},
            statistic="ExponentialAverage",
            period=_DAY,
            label=label,
        )
        for label, kind in (("S3 Standard", "StandardStorage"), ("Glacier", "GlacierStorage"))
    ]
    return cloudwatch.GraphWidget(title="Archive: bytes by storage class", left=sizes, width=_WHOLE_ROW, height=5)
