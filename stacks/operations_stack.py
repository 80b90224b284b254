"""Operations: one dashboard, and alarms that reach a topic."""

import aws_cdk as cdk
import cdk_monitoring_constructs as monitoring
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from agent_memory.service import metric_names
from stacks.api_stack import ApiStack
from stacks.base_stack import BaseStack
from stacks.cache_stack import CacheStack
from stacks.config import DeployConfig
from stacks.constructs.acknowledge import acknowledge
from stacks.constructs.alarms import Alarms
from stacks.constructs.monthly_budget import MonthlyBudget
from stacks.nightly_stack import NightlyStack
from stacks.storage_stack import StorageStack

_SERVER_ERRORS_IN_FIVE_MINUTES = 5
_SLOW_MILLISECONDS = 2_000
_FULL_PERCENT = 90
_FIVE_MINUTES = cdk.Duration.minutes(5)
_HOUR = cdk.Duration.hours(1)
_DAY = cdk.Duration.days(1)
_LOW_HIT_PERCENT = 20
# What an agent's team looks at first, each with the function that measures it.
ON_THE_DASHBOARD = (
    (metric_names.DECISIONS_LOGGED, "api"),
    (metric_names.DECISION_LATENCY, "api"),
    (metric_names.STM_HIT_RATE, "api"),
    (metric_names.SUCCESS_RATE, "analytics"),
    (metric_names.DECISIONS_INFLUENCED, "api"),
    (metric_names.MEMORY_CORRELATION, "consolidation"),
    (metric_names.PATTERN_CONFIDENCE, "analytics"),
    (metric_names.PATTERNS_LEARNED, "consolidation"),
    (metric_names.CONSOLIDATION_SUCCESS, "consolidation"),
)


class OperationsStack(BaseStack):
    """Dashboard and alarms.

    Attributes:
        topic: where every alarm is announced.
        alarms: the alarms.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        config: DeployConfig,
        storage: StorageStack,
        cache: CacheStack | None,
        api: ApiStack,
        nightly: NightlyStack,
    ) -> None:
        super().__init__(scope, "operations", config=config, description="Agent Memory: dashboard and alarms")
        self.topic = self._topic()
        self.alarms = Alarms(self, "Alarm", prefix=config.prefix, topic=self.topic)
        _watch_nights(self.alarms, nightly)
        _watch_api(self.alarms, api)
        _watch_tables(self.alarms, storage)
        if cache is not None:
            _watch_cache(self.alarms, cache)
        self._watch_memory()
        if not config.is_local:  # the local cloud knows neither summaries of alarms nor budgets
            self.alarms.add_summary(
                "memory-degraded", "Something that memory needs is broken; one critical alarm says what."
            )
            if config.monthly_budget_usd is not None:
                MonthlyBudget(self, "Budget", prefix=config.prefix, usd=config.monthly_budget_usd, topic=self.topic)
        self._dashboard(storage, cache, api, nightly)
        cdk.CfnOutput(self, "AlarmTopicArn", value=self.topic.topic_arn, description="Topic of all alarms")

    def _topic(self) -> sns.Topic:
        topic = sns.Topic(
            self, "Alarms", topic_name=f"{self.config.prefix}-alarms", enforce_ssl=not self.config.is_local
        )
        # A topic with a policy of its own has lost the default one, by which the account's alarms may publish.
        topic.grant_publish(
            iam.ServicePrincipal(
                "cloudwatch.amazonaws.com",
                conditions={
                    "ArnLike": {
                        "aws:SourceArn": self.format_arn(
                            service="cloudwatch",
                            resource="alarm",
                            resource_name=f"{self.config.prefix}-*",
                            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
                        )
                    }
                },
            )
        )
        if self.config.alarm_email:
            topic.add_subscription(subscriptions.EmailSubscription(self.config.alarm_email))
            acknowledge(
                topic,
                "Serverless-SNSRedrivePolicy",
                "An alarm whose mail bounced is still on in CloudWatch and on the dashboard.",
            )
        return topic

    def _watch_memory(self) -> None:
        """What the product's own metrics tell."""

        def metric(
            of: metric_names.Metric, service: str, statistic: str, period: cdk.Duration = _FIVE_MINUTES
        ) -> cloudwatch.Metric:
            return cloudwatch.Metric(
                namespace=self.config.metrics_namespace,
                metric_name=of.name,
                dimensions_map={"service": service},
                statistic=statistic,
                period=period,
            )

        self.alarms.add(
            "cache-unanswered",
            "critical",
            "Short-term memory did not answer for a quarter of an hour; agents go on without it.",
            metric(metric_names.STM_FAILURES, "api", "Sum"),
            at_least=1,
            periods=3,
        )
        self.alarms.add(
            "hit-rate-low",
            "warning",
            "Few reads of short-term memory found a value, for three hours: keys expire early, or are never written.",
            metric(metric_names.STM_HIT_RATE, "api", "Average", _HOUR),
            below=_LOW_HIT_PERCENT,
            periods=3,
            silence_is_well=True,
        )
        self.alarms.add(
            "archive-behind",
            "warning",
            "Two nights in a row left days unarchived that are due; their decisions stay in the table until then.",
            metric(metric_names.ARCHIVE_DAYS_REMAINING, "archival", "Maximum", _DAY),
            at_least=1,
            periods=2,
        )
        self.alarms.add(
            "archive-postponed",
            "warning",
            "For three nights days could not be written again: they wait in Glacier, or are not as they were sealed.",
            metric(metric_names.ARCHIVE_DAYS_POSTPONED, "archival", "Maximum", _DAY),
            at_least=1,
            periods=3,
        )
        if self.config.decisions_expected_hours is not None:
            self.alarms.add(
                "decisions-stopped",
                "critical",
                f"No decision was logged for {self.config.decisions_expected_hours} hours.",
                metric(metric_names.DECISIONS_LOGGED, "api", "Sum", _HOUR),
                below=1,
                periods=self.config.decisions_expected_hours,
            )

    def _graph(self, metric: metric_names.Metric, service: str) -> cloudwatch.GraphWidget:
        statistic = "Sum" if metric.unit is metric_names.Unit.COUNT else "Average"
        shown = cloudwatch.Metric(
            namespace=self.config.metrics_namespace,
            metric_name=metric.name,
            dimensions_map={"service": service},
            statistic=statistic,
            period=_HOUR,
        )
        return cloudwatch.GraphWidget(title=f"{metric.name}: {metric.meaning}", left=[shown], width=8, height=5)

    def _dashboard(self, storage: StorageStack, cache: CacheStack | None, api: ApiStack, nightly: NightlyStack) -> None:
        dashboard = monitoring.MonitoringFacade(
            self,
            "Monitoring",
            alarm_factory_defaults=monitoring.AlarmFactoryDefaults(
                alarm_name_prefix=self.config.prefix, actions_enabled=False
            ),
            dashboard_factory=monitoring.DefaultDashboardFactory(
                self, "Dashboards", dashboard_name_prefix=self.config.prefix
            ),
        )
        dashboard.add_widget(cloudwatch.AlarmStatusWidget(title="Alarms", alarms=self.alarms.created, width=24))
        dashboard.add_large_header("Memory")
        for metric, service in ON_THE_DASHBOARD:
            dashboard.add_widget(self._graph(metric, service))
        dashboard.add_large_header("API")
        dashboard.monitor_api_gateway_v2_http_api(api=api.api, human_readable_name="HTTP API")
        dashboard.monitor_lambda_function(lambda_function=api.function, human_readable_name="API")
        dashboard.add_large_header("Nights")
        dashboard.monitor_step_function(state_machine=nightly.machine, human_readable_name="Nightly learning")
        for function in nightly.functions:
            dashboard.monitor_lambda_function(lambda_function=function, human_readable_name=function.node.id)
        dashboard.add_large_header("Tables")
        for table in storage.tables:
            dashboard.monitor_dynamo_table(table=table, human_readable_name=table.node.id)
        if cache is not None:
            dashboard.add_large_header("Short-term memory")
            dashboard.monitor_elasti_cache_cluster(
                cluster_id=cache.first_node_id,
                cluster_type=monitoring.ElastiCacheClusterType.REDIS,
                human_readable_name="Valkey",
                alarm_friendly_name="cache",
            )


def _watch_nights(alarms: Alarms, nightly: NightlyStack) -> None:
    machine = nightly.machine
    alarms.add(
        "night-failed",
        "critical",
        "A night ended in failure. The execution's cause names the agents and the steps.",
        machine.metric_failed(statistic="Sum", period=_FIVE_MINUTES),
        at_least=1,
    )
    alarms.add(
        "night-timed-out",
        "critical",
        "A night did not end in time.",
        machine.metric_timed_out(statistic="Sum", period=_FIVE_MINUTES),
        at_least=1,
    )
    alarms.add(
        "night-missed",
        "critical",
        "No night began for a day. Expected once: between the first deployment and the first night.",
        machine.metric_started(statistic="Sum", period=_DAY),
        below=1,
    )
    alarms.add(
        "night-not-started",
        "critical",
        "The scheduler gave up on starting a night; the message in the queue says why.",
        nightly.missed_starts.metric_approximate_number_of_messages_visible(statistic="Maximum", period=_FIVE_MINUTES),
        at_least=1,
    )


def _watch_api(alarms: Alarms, api: ApiStack) -> None:
    alarms.add(
        "api-errors",
        "critical",
        "The API answered with server errors.",
        api.api.metric_server_error(statistic="Sum", period=_FIVE_MINUTES),
        at_least=_SERVER_ERRORS_IN_FIVE_MINUTES,
    )
    alarms.add(
        "api-slow",
        "warning",
        "One request in a hundred took long, for a quarter of an hour.",
        api.api.metric_latency(statistic="p99", period=_FIVE_MINUTES),
        at_least=_SLOW_MILLISECONDS,
        periods=3,
    )


def _watch_tables(alarms: Alarms, storage: StorageStack) -> None:
    for table in storage.tables:
        for kind in ("Read", "Write"):
            alarms.add(
                f"{table.node.id.lower()}-{kind.lower()}s-throttled",
                "warning",
                f"DynamoDB throttled {kind.lower()}s of the table {table.node.id.lower()}.",
                table.metric(f"{kind}ThrottleEvents", statistic="Sum", period=_FIVE_MINUTES),
                at_least=1,
            )


def _watch_cache(alarms: Alarms, cache: CacheStack) -> None:
    def metric(name: str, statistic: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/ElastiCache",
            metric_name=name,
            dimensions_map={"CacheClusterId": cache.first_node_id},
            statistic=statistic,
            period=_FIVE_MINUTES,
        )

    alarms.add(
        "cache-almost-full",
        "warning",
        "Short-term memory is almost full.",
        metric("DatabaseMemoryUsagePercentage", "Maximum"),
        at_least=_FULL_PERCENT,
    )
    alarms.add(
        "cache-evicts",
        "warning",
        "Short-term memory dropped entries before their time.",
        metric("Evictions", "Sum"),
        at_least=1,
    )
