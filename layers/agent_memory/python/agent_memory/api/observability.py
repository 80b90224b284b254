"""Logs and metrics of all functions: logs in JSON, metrics in the embedded metric format."""

import logging
import os
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.logging.types import LogRecord
from aws_lambda_powertools.metrics import EphemeralMetrics

from agent_memory.core.metric_names import Metric

# The same in every line of a function, and in the name and configuration of its log group.
_CONSTANT_KEYS = ("location", "function_name", "function_memory_size", "function_arn")


class _Formatter(LambdaPowertoolsFormatter):
    """JSON lines without what is the same in every line: a third of their bytes, which are charged."""

    def serialize(self, log: LogRecord) -> str:
        return super().serialize({name: value for name, value in log.items() if name not in _CONSTANT_KEYS})


logger = Logger(logger_formatter=_Formatter())
metrics = Metrics()

# Powertools prefers the level of Lambda's own filter, which is never above INFO, so that metrics pass it.
if "POWERTOOLS_LOG_LEVEL" in os.environ:
    logging.getLogger(logger.name).setLevel(os.environ["POWERTOOLS_LOG_LEVEL"])

Handler = TypeVar("Handler", bound=Callable[..., Any])


def emits_metrics(handler: Handler) -> Handler:
    """Flush a handler's metrics when it ends. Unlike Powertools' decorator, it permits a handler without metrics."""

    @wraps(handler)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            return handler(*args, **kwargs)
        finally:
            if metrics.provider.metric_set:
                metrics.flush_metrics()

    return wrapper  # type: ignore[return-value]  # the same signature


def add_metric(metric: Metric, value: float) -> None:
    """Add a value of a metric; several values of one metric in an invocation become a distribution."""
    metrics.add_metric(name=metric.name, unit=metric.unit.value, value=value)


def add_percentage_of_type(metric: Metric, decision_type: str, fraction: float) -> None:
    """Write a fraction (0-1) of one decision type as a percentage, with the type as a second dimension."""
    of_type = EphemeralMetrics()
    of_type.add_dimension(name="decision_type", value=decision_type)
    of_type.add_metric(name=metric.name, unit=metric.unit.value, value=100 * fraction)
    of_type.flush_metrics()


def add_percentage(metric: Metric, fraction: float) -> None:
    """Add a fraction (0-1) as a percentage."""
    add_metric(metric, 100 * fraction)
