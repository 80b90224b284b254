"""Logs and metrics of every function: JSON lines, and metrics in the embedded metric format."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from aws_lambda_powertools import Logger, Metrics

from agent_memory.core.metric_names import Metric

logger = Logger()
metrics = Metrics()

Handler = TypeVar("Handler", bound=Callable[..., Any])


def emits_metrics(handler: Handler) -> Handler:
    """Flush what a handler has put when it ends; unlike Powertools' own, a handler that put nothing may end too."""

    @wraps(handler)
    def flushing(*args: Any, **kwargs: Any) -> Any:
        try:
            return handler(*args, **kwargs)
        finally:
            if metrics.provider.metric_set:
                metrics.flush_metrics()

    return flushing  # type: ignore[return-value]  # the same signature


def put(metric: Metric, value: float) -> None:
    """Put a value; several of one metric in one call of the function become a distribution."""
    metrics.add_metric(name=metric.name, unit=metric.unit.value, value=value)


def percent(metric: Metric, fraction: float) -> None:
    """Put a fraction (0-1) as a percentage."""
    put(metric, 100 * fraction)
