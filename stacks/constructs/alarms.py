"""Alarms that all go to one topic.

They watch one metric each and no metric math, so that the local cloud, which refuses it, deploys the same alarms.
"""

from typing import Literal

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

_AT_LEAST = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
_BELOW = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD

Severity = Literal["critical", "warning"]


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
        silence_is_well: bool | None = None,
    ) -> None:
        """Add an alarm that goes off at or over `at_least`, or under `below`, in each of `periods` in a row.

        Unless said otherwise silence is well, except for `below`: what has to happen and was not measured did not.
        """
        if at_least is not None and below is None:
            threshold, operator, is_well = at_least, _AT_LEAST, True
        elif below is not None and at_least is None:
            threshold, operator, is_well = below, _BELOW, False
        else:
            raise ValueError("an alarm needs either at_least or below")
        is_well = is_well if silence_is_well is None else silence_is_well
        missing = cloudwatch.TreatMissingData
        alarm = cloudwatch.Alarm(
            self,
            "".join(part.capitalize() for part in name.split("-")),
            alarm_name=f"{self._prefix}-{name}-{severity}",
            alarm_description=description,
            metric=metric,
            threshold=threshold,
            comparison_operator=operator,
            evaluation_periods=periods,
            treat_missing_data=missing.NOT_BREACHING if is_well else missing.BREACHING,
        )
        alarm.add_alarm_action(self._action)
        self.created.append(alarm)
        if severity == "critical":
            self._critical.append(alarm)

    def add_summary(self, name: str, description: str) -> None:
        """Add one alarm that is on while any critical one is: what a pager listens to."""
        rule = cloudwatch.AlarmRule.any_of(
            *(cloudwatch.AlarmRule.from_alarm(alarm, cloudwatch.AlarmState.ALARM) for alarm in self._critical)
        )
        cloudwatch.CompositeAlarm(
            self,
            "Summary",
            composite_alarm_name=f"{self._prefix}-{name}",
            alarm_description=description,
            alarm_rule=rule,
        ).add_alarm_action(self._action)
