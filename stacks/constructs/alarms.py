"""Alarms that all go to one topic, and name the page that says what to do.

They watch one metric each and no metric math, so that the local cloud, which refuses it, deploys the same alarms.
How each of them is computed, and why so: docs/decisions/alarms.md.
"""

from collections.abc import Sequence
from typing import Literal, cast

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

_AT_LEAST = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
_BELOW = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD

Severity = Literal["critical", "warning"]
# What a period without a measurement means: all is well, what had to happen did not, or nothing has changed.
Silence = Literal["well", "alarming", "unchanged"]
_MISSING = {
    "well": cloudwatch.TreatMissingData.NOT_BREACHING,
    "alarming": cloudwatch.TreatMissingData.BREACHING,
    "unchanged": cloudwatch.TreatMissingData.IGNORE,
}


def runbook(page: str) -> str:
    """Where in this repository the page of that name lies."""
    return f"docs/runbooks/{page}.md"


class Alarms(Construct):
    """The alarms of a deployment, named `{prefix}-{name}-{severity}`.

    Attributes:
        created: the alarms, in the order of their creation.
    """

    def __init__(self, scope: Construct, construct_id: str, *, prefix: str, topic: sns.ITopic) -> None:
        super().__init__(scope, construct_id)
        self._prefix = prefix
        self._action = actions.SnsAction(topic)
        self.created: list[cloudwatch.IAlarm] = []
        self._critical: list[cloudwatch.IAlarm] = []

    def add(
        self,
        name: str,
        severity: Severity,
        description: str,
        metric: cloudwatch.IMetric,
        *,
        at_least: float | None = None,
        below: float | None = None,
        periods: int = 1,
        silence: Silence = "well",
        warm_up: cdk.Duration | None = None,
        page: str | None = None,
    ) -> None:
        """Add an alarm that goes off at or over `at_least`, or under `below`, in each of `periods` in a row.

        Args:
            name: what went wrong, in words with hyphens.
            severity: whether somebody has to be woken.
            description: what happened, as a sentence; the runbook's path follows it.
            metric: what is watched.
            at_least: the value from which on a period is bad.
            below: the value under which a period is bad.
            periods: bad periods in a row that it takes.
            silence: what a period without a measurement means.
            warm_up: time after the alarm was made or changed for which it stays quiet, at most two days.
            page: name of the runbook; left out, the alarm's own.
        """
        if (at_least is None) == (below is None):
            raise ValueError("an alarm needs either at_least or below")
        alarm = cloudwatch.Alarm(
            self,
            "".join(part.capitalize() for part in name.split("-")),
            alarm_name=f"{self._prefix}-{name}-{severity}",
            alarm_description=f"{description} Runbook: {runbook(page or name)}",
            metric=metric,
            threshold=cast("float", below if at_least is None else at_least),
            comparison_operator=_BELOW if at_least is None else _AT_LEAST,
            evaluation_periods=periods,
            treat_missing_data=_MISSING[silence],
        )
        if warm_up is not None:
            _stay_quiet(alarm, warm_up)
        alarm.add_alarm_action(self._action)
        self.created.append(alarm)
        if severity == "critical":
            self._critical.append(alarm)

    def add_summary(self, name: str, description: str) -> None:
        """Add one alarm that is on while any critical one is: what a pager listens to."""
        cloudwatch.CompositeAlarm(
            self,
            "Summary",
            composite_alarm_name=f"{self._prefix}-{name}",
            alarm_description=f"{description} Runbook: {runbook(name)}",
            alarm_rule=_any_of(self._critical),
        ).add_alarm_action(self._action)


def _any_of(alarms: Sequence[cloudwatch.IAlarm]) -> cloudwatch.IAlarmRule:
    return cloudwatch.AlarmRule.any_of(
        *(cloudwatch.AlarmRule.from_alarm(alarm, cloudwatch.AlarmState.ALARM) for alarm in alarms)
    )


def _stay_quiet(alarm: cloudwatch.Alarm, duration: cdk.Duration) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-warm-up.html."""
    resource = cast("cloudwatch.CfnAlarm", alarm.node.default_child)
    resource.warm_up_configuration = cloudwatch.CfnAlarm.WarmUpConfigurationProperty(
        warm_up_period_duration_in_minutes=duration.to_minutes(), only_start_evaluating_after_warm_up_period_ends=True
    )
