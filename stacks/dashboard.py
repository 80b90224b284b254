"""The dashboard: what the agents did and learned, then what the alarms watch, then the resources.

One dashboard with three parts, not three dashboards: docs/decisions/0030-alarms.md says why.
"""

from collections.abc import Iterator, Sequence
from typing import cast

import aws_cdk as cdk
import cdk_monitoring_constructs as monitoring
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from agent_memory.core import metric_names
from stacks.config import DeployConfig
from stacks.constructs.alarms import AlarmDefinition, Alarms, Severity
from stacks.monitored import MonitoredStacks
from stacks.product_metrics import product_metric, success_rate_of_each_type

_HOUR = cdk.Duration.hours(1)
_DAY = cdk.Duration.days(1)
_FULL_WIDTH = 24
_PER_ROW = 3
_COLORS: dict[Severity, str] = {"critical": cloudwatch.Color.RED, "warning": cloudwatch.Color.ORANGE}

# The numbers at the top: the metric, the function that emits it, and how a day's values become one.
KEY_FIGURES = (
    (metric_names.DECISIONS_LOGGED, "counter", "Sum"),
    (metric_names.ACTIVE_PATTERNS, "analytics", "Sum"),
    (metric_names.STM_HIT_RATE, "api", "Average"),
    (metric_names.CONSOLIDATION_SUCCESS, "consolidation", "Average"),
)
# The graphs of the agents' part: the metric, the function that emits it, and the statistics that are drawn.
GRAPHS = (
    (metric_names.DECISIONS_LOGGED, "counter", ("Sum",)),
    (metric_names.DECISION_LATENCY, "api", ("Average", "p99")),
    (metric_names.DECISIONS_INFLUENCED, "consolidation", ("Sum",)),
    (metric_names.MEMORY_CORRELATION, "consolidation", ("Average",)),
    (metric_names.STM_HIT_RATE, "api", ("Average",)),
    (metric_names.PATTERNS_LEARNED, "consolidation", ("Sum",)),
    (metric_names.PATTERNS_DEPRECATED, "consolidation", ("Sum",)),
)
_WILSON = "100 * (p + 1.92073 / n {sign} 1.959964 * (p * (1 - p) / n + 0.960365 / (n * n)) ^ 0.5) / (1 + 3.841459 / n)"
# Figures by agent or decision type are in the log lines: title, function, and the lines of the query.
LOG_TABLES = (
    (
        "Decisions by type",
        "counter",
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
        "Signals that were right, all agents, with the 95 % Wilson interval and n",
        "analytics",
        (
            'filter message = "reported" and by_type.SIGNAL_GENERATION.with_outcome > 0',
            (
                "stats sum(by_type.SIGNAL_GENERATION.succeeded) as won, "
                "sum(by_type.SIGNAL_GENERATION.with_outcome) as n, won / n as p, 100 * p as percent, "
                f"{_WILSON.format(sign='-')} as low, {_WILSON.format(sign='+')} as high by bin(1d) as day"
            ),
            "sort day desc",
            "display day, n, percent, low, high",
        ),
    ),
    (
        "Success by agent and type, for each nightly run",
        "analytics",
        ('filter message = "reported"', "fields agent_id, active_patterns, by_type", "sort @timestamp desc"),
    ),
)


def add_dashboard(scope: Construct, *, config: DeployConfig, alarms: Alarms, stacks: MonitoredStacks) -> None:
    """Add one dashboard, named after the deployment, to a stack."""
    facade = monitoring.MonitoringFacade(
        scope,
        "Monitoring",
        alarm_factory_defaults=monitoring.AlarmFactoryDefaults(alarm_name_prefix=config.prefix, actions_enabled=False),
        dashboard_factory=monitoring.DefaultDashboardFactory(scope, "Dashboards", dashboard_name_prefix=config.prefix),
    )
    _add_agents(facade, config)
    _add_alarms(facade, alarms)
    _add_resources(facade, stacks)


def _add_agents(facade: monitoring.MonitoringFacade, config: DeployConfig) -> None:
    facade.add_large_header("Agents: decisions and learning")
    figures = [
        product_metric(config, metric, function, statistic=statistic, period=_DAY)
        for metric, function, statistic in KEY_FIGURES
    ]
    facade.add_widget(cloudwatch.SingleValueWidget(title="The last day", metrics=figures, width=_FULL_WIDTH, height=3))
    _add_rows(facade, [_success_by_type(config), *(_graph(config, *graph) for graph in GRAPHS)])
    _add_rows(facade, [_log_table(config, *table) for table in LOG_TABLES])


def _add_alarms(facade: monitoring.MonitoringFacade, alarms: Alarms) -> None:
    facade.add_large_header("Alarms: states and metrics")
    facade.add_widget(
        cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(alarms.all), width=_FULL_WIDTH, height=4)
    )
    graphs: dict[str, list[AlarmDefinition]] = {}
    for definition in alarms.definitions:
        graphs.setdefault(definition.graph, []).append(definition)
    _add_rows(facade, [_alarm_graph(title, watched) for title, watched in graphs.items()])


def _add_resources(facade: monitoring.MonitoringFacade, stacks: MonitoredStacks) -> None:
    facade.add_large_header("Resources: API, nightly job, tables, cache and archive")
    facade.monitor_api_gateway_v2_http_api(api=stacks.api.api, human_readable_name="HTTP API")
    facade.monitor_lambda_function(lambda_function=stacks.api.function, human_readable_name="API")
    facade.monitor_step_function(state_machine=stacks.nightly.machine, human_readable_name="Nightly job")
    for function in stacks.nightly.functions:
        facade.monitor_lambda_function(lambda_function=function, human_readable_name=function.node.id)
    for table in stacks.storage.tables:
        facade.monitor_dynamo_table(table=table, human_readable_name=table.node.id)
    if stacks.cache is not None:
        facade.monitor_elasti_cache_cluster(
            cluster_id=stacks.cache.first_node_id,
            cluster_type=monitoring.ElastiCacheClusterType.REDIS,
            human_readable_name="Valkey",
            alarm_friendly_name="cache",
        )
    facade.add_widget(_archive_size(stacks.storage.archive_name))


def _add_rows(facade: monitoring.MonitoringFacade, widgets: Sequence[cloudwatch.ConcreteWidget]) -> None:
    for first in range(0, len(widgets), _PER_ROW):
        row = cloudwatch.Row(*widgets[first : first + _PER_ROW])
        facade.add_widget(cast("cloudwatch.IWidget", row))


def _graph(
    config: DeployConfig, metric: metric_names.Metric, function: str, statistics: Sequence[str]
) -> cloudwatch.GraphWidget:
    drawn = [product_metric(config, metric, function, statistic=one, period=_HOUR) for one in statistics]
    return cloudwatch.GraphWidget(title=f"{metric.name}: {metric.meaning}", left=drawn, width=8, height=5)


def _success_by_type(config: DeployConfig) -> cloudwatch.GraphWidget:
    """A line for each decision type: success means something else for each, so that they are never averaged."""
    return cloudwatch.GraphWidget(
        title=f"{metric_names.SUCCESS_RATE.name}: mean of the agents' rates of a day, by decision type",
        left=[success_rate_of_each_type(config, period=_DAY)],
        width=8,
        height=5,
    )


def _log_table(config: DeployConfig, title: str, function: str, query: Sequence[str]) -> cloudwatch.LogQueryWidget:
    return cloudwatch.LogQueryWidget(
        title=title,
        log_group_names=[f"/aws/lambda/{config.prefix}-{function}"],
        query_lines=list(query),
        view=cloudwatch.LogQueryVisualizationType.TABLE,
        width=_FULL_WIDTH // len(LOG_TABLES),
        height=6,
    )


def _alarm_graph(title: str, definitions: Sequence[AlarmDefinition]) -> cloudwatch.GraphWidget:
    """The metrics of the alarms that share a graph, with a line at each threshold."""
    return cloudwatch.GraphWidget(
        title=title,
        left=[one.metric.with_(label=one.name.replace("-", " ")) for one in definitions],
        left_annotations=list(_lines(definitions)),
        width=8,
        height=5,
    )


def _lines(definitions: Sequence[AlarmDefinition]) -> Iterator[cloudwatch.HorizontalAnnotation]:
    thresholds = {
        (severity, one.value) for definition in definitions for severity, one in definition.thresholds.items()
    }
    for severity, value in sorted(thresholds):
        yield cloudwatch.HorizontalAnnotation(value=value, label=severity, color=_COLORS[severity])


def _archive_size(bucket: str) -> cloudwatch.GraphWidget:
    """Bytes of the archive by storage class; S3 measures them once a day."""
    sizes = [
        cloudwatch.Metric(
            namespace="AWS/S3",
            metric_name="BucketSizeBytes",
            dimensions_map={"BucketName": bucket, "StorageType": kind},
            statistic="Average",
            period=_DAY,
            label=label,
        )
        for label, kind in (("S3 Standard", "StandardStorage"), ("Glacier", "GlacierStorage"))
    ]
    return cloudwatch.GraphWidget(title="Archive: bytes by storage class", left=sizes, width=_FULL_WIDTH, height=5)
