"""How CloudWatch evaluates an alarm on a metric's values, according to its documentation.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-warm-up.html

An alarm is evaluated every minute over a sliding window; one whose window is longer than a day, at every full hour.
CloudWatch fetches more periods than the alarm asks for, "the evaluation range", and does not say how many: a test that
passes with none and with two more (as in the documentation's example) covers the numbers between.
"""

import math
import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tests.stacks.templates import text_of

OK, ALARM, UNKNOWN = "OK", "ALARM", "INSUFFICIENT_DATA"
HOUR, DAY = 60, 1440  # minutes

Samples = Sequence[tuple[int, float]]
"""A metric's values, each with the minute at which it was reported, in order."""


@dataclass(frozen=True)
class Alarm:
    """The settings that determine the state; times are in minutes."""

    period: int
    periods: int
    bad_periods: int
    threshold: float
    is_below: bool
    statistic: str
    missing: str
    warm_up: int

    @classmethod
    def of(cls, properties: dict[str, Any]) -> "Alarm":
        """The alarm of a template's properties."""
        (query,) = properties.get("Metrics", [{}])  # an alarm on a query has one, and no metric of its own
        # According to the API's reference, missing data in this namespace is always ignored.
        is_dynamodb = "AWS/DynamoDB" in (properties.get("Namespace") or text_of(query["Expression"]))
        return cls(
            period=(properties.get("Period") or query["Period"]) // 60,
            periods=properties["EvaluationPeriods"],
            bad_periods=properties.get("DatapointsToAlarm", properties["EvaluationPeriods"]),
            threshold=properties["Threshold"],
            is_below={"LessThanThreshold": True, "GreaterThanOrEqualToThreshold": False}[
                properties["ComparisonOperator"]
            ],
            statistic=properties.get("ExtendedStatistic") or properties.get("Statistic") or _statistic(query),
            missing="ignore" if is_dynamodb else properties["TreatMissingData"],
            warm_up=properties.get("WarmUpConfiguration", {}).get("WarmUpPeriodDurationInMinutes", 0),
        )

    @property
    def interval(self) -> int:
        """Minutes between two evaluations."""
        return HOUR if self.period * self.periods > DAY else 1

    def transitions(self, samples: Samples, *, days: float, more_periods: int) -> list[tuple[int, str]]:
        """Every change of state, with its minute; the alarm is created at minute 0, without any data."""
        state, changes = UNKNOWN, []
        minutes = [minute for minute, _ in samples]
        for now in range(self.interval, int(days * DAY) + 1, self.interval):
            if now < self.warm_up:
                continue
            new = self.verdict(self._points(samples, minutes, now, self.periods + more_periods), before=state)
            if new != state:
                changes.append((now, new))
            state = new
        return changes

    def verdict(self, points: Sequence[bool | None], *, before: str) -> str:
        """The state that follows from whether each period breached (None: no data), the oldest first."""
        real = [bad for bad in points if bad is not None]
        if len(real) >= self.periods:  # there is enough data: how missing data is treated does not matter
            return ALARM if sum(real[-self.periods :]) >= self.bad_periods else OK
        if self.missing == "missing" and not real:
            return UNKNOWN
        if self.missing == "ignore" and sum(real) == len(real):  # no data, or only breaching data
            return ALARM if sum(real) >= self.bad_periods else before
        filled = self.periods - len(real) if self.missing == "breaching" else 0
        return ALARM if sum(real) + filled >= self.bad_periods else OK

    def _points(self, samples: Samples, minutes: Sequence[int], now: int, count: int) -> list[bool | None]:
        edges = [bisect_left(minutes, now - n * self.period) for n in range(count, -1, -1)]
        return [
            self._is_bad([value for _, value in samples[first:last]]) if first < last else None
            for first, last in pairwise(edges)
        ]

    def _is_bad(self, values: Sequence[float]) -> bool:
        value = _STATISTICS[self.statistic](values)
        return value < self.threshold if self.is_below else value >= self.threshold


def _statistic(query: dict[str, Any]) -> str:
    (name,) = re.findall(r"SELECT ([A-Z]+)\(", text_of(query["Expression"]))
    return {"SUM": "Sum"}[name]


def _p90(values: Sequence[float]) -> float:
    return sorted(values)[math.ceil(0.9 * len(values)) - 1]


_STATISTICS = {"Sum": sum, "Maximum": max, "Average": lambda values: sum(values) / len(values), "p90": _p90}
