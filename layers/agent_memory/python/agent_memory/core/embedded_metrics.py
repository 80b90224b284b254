"""Metrics as lines of CloudWatch's embedded metric format.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from collections.abc import Mapping
from typing import Any

from agent_memory.core.metric_names import Metric

DEFAULT_NAMESPACE = "BTCAgent/Memory"
"""The namespace of a deployment that does not set `metrics_namespace`."""


def metric_document(
    values: Mapping[Metric, float | list[float]],
    *,
    namespace: str,
    service: str,
    timestamp_ms: int,
    fields: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """One document: the metrics of a point in time, with `service` as their only dimension.

    Args:
        values: a value of each metric, or several of them, which become a distribution.
        namespace: the metrics' namespace.
        service: the part of the product, or the agent's side, that measured them.
        timestamp_ms: Unix milliseconds; CloudWatch accepts the last two weeks.
        fields: further fields of the line, for CloudWatch Logs Insights.
    """
    metrics = [{"Name": metric.name, "Unit": str(metric.unit)} for metric in values]
    declared = {"Namespace": namespace, "Dimensions": [["service"]], "Metrics": metrics}
    return {
        **(fields or {}),
        "_aws": {"Timestamp": timestamp_ms, "CloudWatchMetrics": [declared]},
        "service": service,
        **{metric.name: value for metric, value in values.items()},
    }
