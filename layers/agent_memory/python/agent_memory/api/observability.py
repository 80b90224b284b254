"""Logs and metrics of all functions: logs in JSON, metrics in the embedded metric format."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from aws_lambda_powertools import Logger, Metrics

from agent_memory.core.metric_names import Metric

logger = Logger()
metrics = Metrics()

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


def add_percentage(metric: Metric, fraction: float) -> None:
    """Add a fraction (0-1) as a percentage."""
    add_metric(metric, 100 * fraction)
