"""Every alarm of a deployment. Why the numbers are what they are: docs/decisions/0030-alarms.md.

To add an alarm, declare it here and write its page in docs/runbooks.
"""

from collections.abc import Iterator

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb

from agent_memory.core import metric_names
from stacks.api_stack import ApiStack
from stacks.cache_stack import CacheStack
from stacks.config import DeployConfig
from stacks.constructs.alarms import AlarmDefinition, Threshold, at_least, below
from stacks.monitored import MonitoredStacks
from stacks.nightly_stack import NightlyStack
from stacks.product_metrics import product_metric
from stacks.storage_stack import StorageStack

_FIVE_MINUTES = cdk.Duration.minutes(5)
# An agent with a cycle every ten minutes sends requests in each of these.
_QUARTER_HOUR = cdk.Duration.minutes(15)
_HOUR = cdk.Duration.hours(1)
_DAY = cdk.Duration.days(1)
# A failure stays visible for a while and is gone long before the next run, so that each failure is announced.
_FAILURE_VISIBLE = cdk.Duration.hours(3)
# Runs are at most 25 hours apart (when clocks are put back); the scheduler retries for 2, and one hour has begun.
_HOURS_WITHOUT_RUN = 28

_BREACHING = cloudwatch.TreatMissingData.BREACHING
_IGNORE = cloudwatch.TreatMissingData.IGNORE


def alarm_definitions(config: DeployConfig, stacks: MonitoredStacks) -> Iterator[AlarmDefinition]:
    """The alarms of a deployment with these stacks."""
    yield from _nightly_job(stacks.nightly)
    yield from _api(stacks.api)
    yield from _tables(config, stacks.storage)
    if stacks.cache is not None:
        yield from _cache(config, stacks.cache)
    yield from _archive(config)
    yield from _agents(config)
    if config.decisions_expected_hours is not None:
        yield _decisions(config, config.decisions_expected_hours)


def _nightly_job(nightly: NightlyStack) -> Iterator[AlarmDefinition]:
    machine, missed_starts = nightly.machine, nightly.missed_starts
    graph = "Nightly job"
    yield AlarmDefinition(
        name="nightly-job-failed",
        metric=machine.metric_failed(statistic="Sum", period=_FAILURE_VISIBLE),
        graph=graph,
        critical=at_least(1, "The nightly job failed; the execution's cause names the agents and the steps."),
    )
    yield AlarmDefinition(
        name="nightly-job-timed-out",
        metric=machine.metric_timed_out(statistic="Sum", period=_FAILURE_VISIBLE),
        graph=graph,
        critical=at_least(1, "The nightly job timed out."),
    )
    yield AlarmDefinition(
        name="nightly-job-missed",
        metric=machine.metric_started(statistic="Sum", period=_HOUR),
        graph=graph,
        critical=below(
            1, f"The nightly job has not started for {_HOURS_WITHOUT_RUN} hours.", periods=_HOURS_WITHOUT_RUN
        ),
        treat_missing_data=_BREACHING,
        warm_up=cdk.Duration.hours(_HOURS_WITHOUT_RUN),
    )
    yield AlarmDefinition(
        name="nightly-job-start-failed",
        metric=missed_starts.metric_approximate_number_of_messages_visible(statistic="Maximum", period=_FIVE_MINUTES),
        graph=graph,
        critical=at_least(
            1, "The scheduler could not start the nightly job; the message in its dead-letter queue says why."
        ),
    )


def _api(api: ApiStack) -> Iterator[AlarmDefinition]:
    yield AlarmDefinition(
        name="api-errors",
        metric=api.api.metric_server_error(statistic="Sum", period=_QUARTER_HOUR),
        graph="API server errors",
        critical=at_least(5, "The API returned five or more server errors within 15 minutes."),
        warning=at_least(
            1, "The API returned server errors in each of three consecutive periods of 15 minutes.", periods=3
        ),
    )
    yield AlarmDefinition(
        name="api-slow",
        metric=api.api.metric_latency(statistic="p90", period=_QUARTER_HOUR),
        graph="API latency (p90)",
        warning=at_least(
            2_000, "The 90th percentile of the API's latency was 2 seconds or more for 45 minutes.", periods=3
        ),
    )


def _tables(config: DeployConfig, storage: StorageStack) -> Iterator[AlarmDefinition]:
    for table in storage.tables:
        name = table.node.id.lower()
        for kind in ("Read", "Write"):
            yield AlarmDefinition(
                name=f"{name}-{kind.lower()}s-throttled",
                metric=_throttle_events(config, table, f"{kind}ThrottleEvents"),
                graph="Throttled requests to tables",
                warning=at_least(1, f"DynamoDB throttled {kind.lower()}s of the {name} table or of an index of it."),
                runbook="tables-throttled",
            )


def _throttle_events(
    config: DeployConfig, table: dynamodb.ITable, metric: str
) -> cloudwatch.Metric | cloudwatch.MathExpression:
    """A metric of a table and its indexes as one sum, by a query.

    The metric of a table does not contain that of its indexes. A query is charged for the metrics that it finds, and
    these exist only where something was throttled. The local cloud has no alarms on queries.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Metrics_Insights_Alarm.html
    """
    if config.is_local:
        return table.metric(metric, statistic="Sum", period=_FIVE_MINUTES)
    where = f"TableName = '{table.table_name}'"
    return cloudwatch.MathExpression(
        expression=f'SELECT SUM({metric}) FROM "AWS/DynamoDB" WHERE {where}',  # noqa: S608  not a database
        using_metrics={},
        period=_FIVE_MINUTES,
    )


def _cache(config: DeployConfig, cache: CacheStack) -> Iterator[AlarmDefinition]:
    yield AlarmDefinition(
        name="cache-memory-high",
        metric=cache.metric("DatabaseMemoryUsagePercentage", statistic="Maximum", period=_FIVE_MINUTES),
        graph="Cache memory",
        warning=at_least(90, "The cache's memory was 90% full or more for 15 minutes.", periods=3),
    )
    yield AlarmDefinition(
        name="cache-evictions",
        metric=cache.metric("Evictions", statistic="Sum", period=_QUARTER_HOUR),
        graph="Cache evictions",
        warning=at_least(1, "The cache evicted entries before they expired."),
        runbook="cache-memory-high",
    )
    yield AlarmDefinition(
        name="cache-unavailable",
        metric=product_metric(config, metric_names.STM_FAILURES, "api", statistic="Sum", period=_QUARTER_HOUR),
        graph="Failed calls to the cache",
        critical=at_least(
            1,
            "Calls to the cache failed in each of three consecutive periods of 15 minutes; agents work without "
            "short-term memory.",
            periods=3,
        ),
    )
    yield AlarmDefinition(
        name="cache-hit-rate-low",
        metric=product_metric(config, metric_names.STM_HIT_RATE, "api", statistic="Average", period=_HOUR),
        graph="Cache hit rate",
        warning=below(
            20,
            "Fewer than 20% of the reads of short-term memory found a value for three hours: keys expire too early or "
            "are never written.",
            periods=3,
        ),
    )


def _archive(config: DeployConfig) -> Iterator[AlarmDefinition]:
    yield _once_per_run(
        config,
        metric_names.ARCHIVE_DAYS_REMAINING,
        "archival",
        name="archive-backlog",
        graph="Archive backlog (days)",
        warning=at_least(
            1,
            "Two nightly runs in a row left days that are due for the archive; their decisions stay in the table until "
            "they are archived.",
            periods=2,
        ),
    )
    yield _once_per_run(
        config,
        metric_names.ARCHIVE_DAYS_POSTPONED,
        "archival",
        name="archive-rewrite-blocked",
        graph="Archived days that could not be written",
        warning=at_least(
            1,
            "Three nightly runs in a row could not write days of the archive: their files are in Glacier, or do not "
            "match their seals, or one has too many decisions.",
            periods=3,
        ),
    )
    yield _once_per_run(
        config,
        metric_names.ARCHIVE_DAYS_DAMAGED,
        "archival",
        name="archive-damaged",
        graph="Archived days that differ from their seals",
        critical=at_least(
            1,
            "A nightly run left archived days as they are: they differ from their seals, or decisions contradict what "
            "was sealed.",
            periods=1,
        ),
    )


def _agents(config: DeployConfig) -> Iterator[AlarmDefinition]:
    """What the nightly job finds unusual about an agent, or about all of them together; a log line names which."""
    for metric, name, graph, problem in (
        (
            metric_names.OUTCOMES_STOPPED,
            "outcomes-stopped",
            "Decision types whose outcomes stopped",
            "An agent still makes decisions of a type, but their outcomes no longer arrive.",
        ),
        (
            metric_names.LEARNING_STOPPED,
            "learning-stopped",
            "Agents of which nothing is learned",
            "An agent makes decisions, but nothing has been learned from them for a week or more.",
        ),
        (
            metric_names.BEHAVIOR_CHANGED,
            "behavior-changed",
            "Agents far from their own past",
            "The decisions, success or confidence of an agent in the last week are far from its own past.",
        ),
        (
            metric_names.MEMORIES_CROWDED,
            "memory-crowded",
            "Memories that several agents acted on alike",
            "Five or more agents acted on one memory within an hour, and decided alike.",
        ),
    ):
        yield _once_per_run(config, metric, "analytics", name=name, graph=graph, warning=at_least(1, problem))


def _once_per_run(
    config: DeployConfig,
    metric: metric_names.Metric,
    function: str,
    *,
    name: str,
    graph: str,
    warning: Threshold | None = None,
    critical: Threshold | None = None,
) -> AlarmDefinition:
    """An alarm on a metric that a function emits for each agent of a run; without a run its state does not change."""
    daily = product_metric(config, metric, function, statistic="Maximum", period=_DAY)
    return AlarmDefinition(
        name=name, metric=daily, graph=graph, warning=warning, critical=critical, treat_missing_data=_IGNORE
    )


def _decisions(config: DeployConfig, hours: int) -> AlarmDefinition:
    return AlarmDefinition(
        name="decisions-stopped",
        metric=product_metric(config, metric_names.DECISIONS_LOGGED, "counter", statistic="Sum", period=_HOUR),
        graph="Decisions logged",
        critical=below(1, f"No decision was logged for {hours} hour{'' if hours == 1 else 's'}.", periods=hours),
        treat_missing_data=_BREACHING,
        warm_up=_DAY,
    )
