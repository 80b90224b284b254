"""Logs and metrics of every function: JSON lines, and metrics in the embedded metric format."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

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


def count(name: str, value: float) -> None:
    """Add to a counter."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def percent(name: str, fraction: float) -> None:
    """Put a fraction (0-1) as a percentage."""
    metrics.add_metric(name=name, unit=MetricUnit.Percent, value=100 * fraction)


def plain(name: str, value: float) -> None:
    """Put a value without a unit."""
    metrics.add_metric(name=name, unit=MetricUnit.NoUnit, value=value)
