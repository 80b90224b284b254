"""Metrics that only an agent's own process knows, as lines of CloudWatch's embedded metric format.

What is logged is counted from the table, see `api.decision_counts`: a line for it here would count it twice.
"""

import json
import os
import sys
from collections.abc import Mapping
from typing import TextIO

from agent_memory.core import metric_names
from agent_memory.core.clock import Clock
from agent_memory.core.embedded_metrics import DEFAULT_NAMESPACE, metric_document
from agent_memory.core.metric_names import Metric
from agent_memory.memory.short_term import ShortTermMetrics

SERVICE = "direct"
"""The dimension of the metrics of agents that use the stores directly."""


class EmittedMetrics:
    """Writes what short-term memory has done since the last time.

    Attributes:
        namespace: of the metrics; the variable `AGENT_MEMORY_METRICS_NAMESPACE`, or the default of a deployment.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._before = ShortTermMetrics()
        self.namespace = os.environ.get("AGENT_MEMORY_METRICS_NAMESPACE") or DEFAULT_NAMESPACE

    def write(self, now: ShortTermMetrics, stream: TextIO | None) -> bool:
        """Write one line to a stream, by default to stdout; returns whether there was anything to report."""
        before, self._before = self._before, now
        values: dict[Metric, float] = {}
        hits, misses = now.hits - before.hits, now.misses - before.misses
        if hits + misses:
            values[metric_names.STM_HIT_RATE] = 100 * hits / (hits + misses)
        if now.failures > before.failures:
            values[metric_names.STM_FAILURES] = now.failures - before.failures
        if values:
            (stream or sys.stdout).write(f"{self._line(values)}\n")
        return bool(values)

    def _line(self, values: Mapping[Metric, float]) -> str:
        document = metric_document(values, namespace=self.namespace, service=SERVICE, timestamp_ms=self._clock.now_ms())
        return json.dumps(document, separators=(",", ":"))
