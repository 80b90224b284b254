"""Alarms as declarations: a metric, its thresholds, its runbook and its graph on the dashboard, all in one place.

From a declaration come the CloudWatch alarms, one for each threshold, the graph of the dashboard and the list of the
runbooks. Each alarm watches one metric or one query, without metric math. Why the numbers are what they are:
docs/decisions/0030-alarms.md.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

Severity = Literal["critical", "warning"]


def runbook_path(page: str) -> str:
    """Path of a runbook in this repository."""
    return f"docs/runbooks/{page}.md"


@dataclass(frozen=True, slots=True)
class Threshold:
    """The condition under which an alarm goes off: the metric breaches a value in several periods in a row.

    Attributes:
        value: the number that the metric is compared with.
        description: the alarm's description, a sentence that says what happened.
        comparison: how the metric is compared with the value.
        periods: how many periods of the metric have to breach, one after the other.
    """

    value: float
    description: str
    comparison: cloudwatch.ComparisonOperator
    periods: int


def at_least(value: float, description: str, *, periods: int = 1) -> Threshold:
    """A threshold that is breached by this value and higher ones."""
    operator = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
    return Threshold(value, description, operator, periods)


def below(value: float, description: str, *, periods: int = 1) -> Threshold:
    """A threshold that is breached by lower values."""
    return Threshold(value, description, cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD, periods)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmDefinition:
    """A metric that is watched.

    Attributes:
        name: the problem, in lower case with hyphens.
        metric: one metric with its statistic and period, or a query that sums several.
        critical: the threshold of an alarm that needs immediate attention.
        warning: the threshold of an alarm that can wait for the morning.
        graph: title of the dashboard's graph that shows the metric; alarms may share one.
        treat_missing_data: how CloudWatch rates a period without data.
        warm_up: for how long the alarm stays quiet after it was created or changed, at most two days.
        runbook: name of its page in docs/runbooks; left out, the alarm's name.
    """

    name: str
    metric: cloudwatch.Metric | cloudwatch.MathExpression
    graph: str
    critical: Threshold | None = None
    warning: Threshold | None = None
    treat_missing_data: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING
    warm_up: cdk.Duration | None = None
    runbook: str | None = None

    @property
    def thresholds(self) -> dict[Severity, Threshold]:
        """The thresholds that there are, by severity."""
        named: dict[Severity, Threshold | None] = {"critical": self.critical, "warning": self.warning}
        return {severity: threshold for severity, threshold in named.items() if threshold is not None}

    @property
    def page(self) -> str:
        """Name of its runbook."""
        return self.runbook or self.name


class Alarms(Construct):
    """The alarms of a deployment, named `{prefix}-{name}-{severity}`; each notifies one topic.

    Attributes:
        definitions: the declarations of the alarms.
        all: the alarms, in the order of their definitions.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        prefix: str,
        topic: sns.ITopic,
        definitions: Iterable[AlarmDefinition],
    ) -> None:
        super().__init__(scope, construct_id)
        self._prefix = prefix
        self._action = actions.SnsAction(topic)
        self._critical: list[cloudwatch.IAlarm] = []
        self.definitions = tuple(definitions)
        self.all: list[cloudwatch.IAlarm] = []
        for definition in self.definitions:
            self._add(definition)

    def add_summary(self, name: str, description: str) -> None:
        """Add a composite alarm that is active while any critical alarm is: the one for a pager to listen to."""
        cloudwatch.CompositeAlarm(
            self,
            "Summary",
            composite_alarm_name=f"{self._prefix}-{name}",
            alarm_description=_description(description, name),
            alarm_rule=_any_of(self._critical),
        ).add_alarm_action(self._action)

    def _add(self, definition: AlarmDefinition) -> None:
        for number, (severity, threshold) in enumerate(definition.thresholds.items()):
            # The logical id of an alarm that keeps its name must not change: CloudFormation creates the new resource
            # before it deletes the old one, and then deletes the alarm of that name.
            suffix = severity.capitalize() if number else ""
            alarm = cloudwatch.Alarm(
                self,
                "".join(part.capitalize() for part in definition.name.split("-")) + suffix,
                alarm_name=f"{self._prefix}-{definition.name}-{severity}",
                alarm_description=_description(threshold.description, definition.page),
                metric=definition.metric,
                threshold=threshold.value,
                comparison_operator=threshold.comparison,
                evaluation_periods=threshold.periods,
                treat_missing_data=definition.treat_missing_data,
            )
            if definition.warm_up is not None:
                _warm_up(alarm, definition.warm_up)
            alarm.add_alarm_action(self._action)
            self.all.append(alarm)
            if severity == "critical":
                self._critical.append(alarm)


def _description(text: str, page: str) -> str:
    return f"{text} Runbook: {runbook_path(page)}"


def _any_of(alarms: Sequence[cloudwatch.IAlarm]) -> cloudwatch.IAlarmRule:
    return cloudwatch.AlarmRule.any_of(
        *(cloudwatch.AlarmRule.from_alarm(alarm, cloudwatch.AlarmState.ALARM) for alarm in alarms)
    )


def _warm_up(alarm: cloudwatch.Alarm, duration: cdk.Duration) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-warm-up.html."""
    resource = cast("cloudwatch.CfnAlarm", alarm.node.default_child)
    resource.warm_up_configuration = cloudwatch.CfnAlarm.WarmUpConfigurationProperty(
        warm_up_period_duration_in_minutes=duration.to_minutes(), only_start_evaluating_after_warm_up_period_ends=True
    )
