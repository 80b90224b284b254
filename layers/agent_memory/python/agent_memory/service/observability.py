"""Logs and metrics of every function: JSON lines, and metrics in the embedded metric format."""

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

logger = Logger()
metrics = Metrics()


def count(name: str, value: float) -> None:
    """Add to a counter."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def percent(name: str, fraction: float) -> None:
    """Put a fraction (0-1) as a percentage."""
    metrics.add_metric(name=name, unit=MetricUnit.Percent, value=100 * fraction)


def plain(name: str, value: float) -> None:
    """Put a value without a unit."""
    metrics.add_metric(name=name, unit=MetricUnit.NoUnit, value=value)
