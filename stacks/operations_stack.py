"""Operations: alarms that reach a topic, and a dashboard where one is asked for. Why so: docs/decisions/alarms.md."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from agent_memory.core import metric_names
from stacks.api_stack import ApiStack
from stacks.base_stack import BaseStack
from stacks.cache_stack import CacheStack
from stacks.config import DeployConfig
from stacks.constructs.acknowledge import acknowledge
from stacks.constructs.alarms import Alarms
from stacks.constructs.monthly_budget import MonthlyBudget
from stacks.dashboard import Dashboard
from stacks.nightly_stack import NightlyStack
from stacks.storage_stack import StorageStack

_MANY_SERVER_ERRORS = 5
_SLOW_MILLISECONDS = 2_000
_FULL_PERCENT = 90
_LOW_HIT_PERCENT = 20
_FIVE_MINUTES = cdk.Duration.minutes(5)
# An agent with a cycle every ten minutes is seen in each of these.
_QUARTER_HOUR = cdk.Duration.minutes(15)
_HOUR = cdk.Duration.hours(1)
_DAY = cdk.Duration.days(1)
# A failed night shows for a while, and long before the next night no more: each failure is announced.
_WHILE_A_FAILED_NIGHT_SHOWS = cdk.Duration.hours(3)
# From one night to the next: 25 when clocks are put back, 2 for which the scheduler tries, and the hour begun.
_HOURS_WITHOUT_A_NIGHT = 28


class OperationsStack(BaseStack):
    """Alarms, and the dashboard that the setting `dashboard` asks for.

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
            self._watch_short_term_memory()
        self._watch_archive()
        self._watch_decisions()
        if not config.is_local:  # the local cloud knows neither summaries of alarms nor budgets
            self.alarms.add_summary(
                "memory-degraded", "Something that memory needs is broken; one critical alarm says what."
            )
            if config.monthly_budget_usd is not None:
                MonthlyBudget(self, "Budget", prefix=config.prefix, usd=config.monthly_budget_usd, topic=self.topic)
        if config.dashboard:
            Dashboard(
                self,
                config=config,
                alarms=self.alarms.created,
                storage=storage,
                cache=cache,
                api=api,
                nightly=nightly,
            )
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

    def _metric(self, of: metric_names.Metric, service: str, statistic: str, period: cdk.Duration) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=self.config.metrics_namespace,
            metric_name=of.name,
            dimensions_map={"service": service},
            statistic=statistic,
            period=period,
        )

    def _watch_short_term_memory(self) -> None:
        self.alarms.add(
            "cache-unanswered",
            "critical",
            "For three quarters of an hour short-term memory left calls unanswered; agents go on without it.",
            self._metric(metric_names.STM_FAILURES, "api", "Sum", _QUARTER_HOUR),
            at_least=1,
            periods=3,
        )
        self.alarms.add(
            "hit-rate-low",
            "warning",
            "Few reads of short-term memory found a value, for three hours: keys expire early, or are never written.",
            self._metric(metric_names.STM_HIT_RATE, "api", "ExponentialAverage", _HOUR),
            below=_LOW_HIT_PERCENT,
            periods=3,
        )

    def _watch_archive(self) -> None:
        self.alarms.add(
            "archive-behind",
            "warning",
            "Two nights in a row left days unarchived that are due; their decisions stay in the table until then.",
            self._metric(metric_names.ARCHIVE_DAYS_REMAINING, "archival", "Maximum", _DAY),
            at_least=1,
            periods=2,
            silence="unchanged",
        )
        self.alarms.add(
            "archive-postponed",
            "warning",
            "For three nights days could not be written again: they wait in Glacier, or are not as they were sealed.",
            self._metric(metric_names.ARCHIVE_DAYS_POSTPONED, "archival", "Maximum", _DAY),
            at_least=1,
            periods=3,
            silence="unchanged",
        )

    def _watch_decisions(self) -> None:
        hours = self.config.decisions_expected_hours
        if hours is not None:
            self.alarms.add(
                "decisions-stopped",
                "critical",
                f"No decision was logged for {hours} hours.",
                self._metric(metric_names.DECISIONS_LOGGED, "api", "Sum", _HOUR),
                below=1,
                periods=hours,
                silence="alarming",
                warm_up=_DAY,
            )


def _watch_nights(alarms: Alarms, nightly: NightlyStack) -> None:
    machine = nightly.machine
    alarms.add(
        "night-failed",
        "critical",
        "A night ended in failure. The execution's cause names the agents and the steps.",
        machine.metric_failed(statistic="Sum", period=_WHILE_A_FAILED_NIGHT_SHOWS),
        at_least=1,
    )
    alarms.add(
        "night-timed-out",
        "critical",
        "A night did not end in time.",
        machine.metric_timed_out(statistic="Sum", period=_WHILE_A_FAILED_NIGHT_SHOWS),
        at_least=1,
    )
    alarms.add(
        "night-missed",
        "critical",
        f"No night began for {_HOURS_WITHOUT_A_NIGHT} hours.",
        machine.metric_started(statistic="Sum", period=_HOUR),
        below=1,
        periods=_HOURS_WITHOUT_A_NIGHT,
        silence="alarming",
        warm_up=cdk.Duration.hours(_HOURS_WITHOUT_A_NIGHT),
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
        f"The API answered {_MANY_SERVER_ERRORS} times or more with server errors in a quarter of an hour.",
        api.api.metric_server_error(statistic="Sum", period=_QUARTER_HOUR),
        at_least=_MANY_SERVER_ERRORS,
    )
    alarms.add(
        "api-errors-recur",
        "warning",
        "The API answered with server errors again and again, for three quarters of an hour.",
        api.api.metric_server_error(statistic="Sum", period=_QUARTER_HOUR),
        at_least=1,
        periods=3,
        page="api-errors",
    )
    alarms.add(
        "api-slow",
        "warning",
        "One request in ten took two seconds or longer, for three quarters of an hour.",
        api.api.metric_latency(statistic="p90", period=_QUARTER_HOUR),
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
                page="tables-throttled",
            )


def _watch_cache(alarms: Alarms, cache: CacheStack) -> None:
    def metric(name: str, statistic: str, period: cdk.Duration) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/ElastiCache",
            metric_name=name,
            dimensions_map={"CacheClusterId": cache.first_node_id},
            statistic=statistic,
            period=period,
        )

    alarms.add(
        "cache-almost-full",
        "warning",
        "For a quarter of an hour short-term memory was almost full.",
        metric("DatabaseMemoryUsagePercentage", "Maximum", _FIVE_MINUTES),
        at_least=_FULL_PERCENT,
        periods=3,
        page="cache-full",
    )
    alarms.add(
        "cache-evicts",
        "warning",
        "Short-term memory dropped entries before their time.",
        metric("Evictions", "Sum", _QUARTER_HOUR),
        at_least=1,
        page="cache-full",
    )
