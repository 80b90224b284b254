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
    ) -> None:
        """Add an alarm that goes off at or over `at_least`, or under `below`, in each of `periods` in a row.

        Silence is well, except for `below`: what has to happen and was not measured did not happen.
        """
        if at_least is not None and below is None:
            threshold, operator, silence = at_least, _AT_LEAST, cloudwatch.TreatMissingData.NOT_BREACHING
        elif below is not None and at_least is None:
            threshold, operator, silence = below, _BELOW, cloudwatch.TreatMissingData.BREACHING
        else:
            raise ValueError("an alarm needs either at_least or below")
        alarm = cloudwatch.Alarm(
            self,
            "".join(part.capitalize() for part in name.split("-")),
            alarm_name=f"{self._prefix}-{name}-{severity}",
            alarm_description=description,
            metric=metric,
            threshold=threshold,
            comparison_operator=operator,
            evaluation_periods=periods,
            treat_missing_data=silence,
        )
        alarm.add_alarm_action(self._action)
        self.created.append(alarm)
