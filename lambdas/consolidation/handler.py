"""Turns one agent's decisions into learned patterns."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from agent_memory.api.nightly import NightlyEvent, stores
from agent_memory.api.observability import add_metric, add_percentage, emits_metrics, logger
from agent_memory.core import metric_names
from agent_memory.nightly.consolidation import consolidate


@logger.inject_lambda_context
@emits_metrics
def handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    """Consolidate one agent's day."""
    job = NightlyEvent.of(event)
    opened = stores()
    try:
        figures = consolidate(job.agent_id, job.day, opened)
    except Exception:  # any failure is counted, and raised to the state machine
        add_percentage(metric_names.CONSOLIDATION_SUCCESS, 0)
        raise
    add_percentage(metric_names.CONSOLIDATION_SUCCESS, 1)
    if figures["memory_correlation"] is not None:
        add_metric(metric_names.MEMORY_CORRELATION, figures["memory_correlation"])
    add_metric(metric_names.DECISIONS_INFLUENCED, figures["influenced"])
    add_metric(metric_names.PATTERNS_LEARNED, figures["learned"])
    add_metric(metric_names.PATTERNS_DEPRECATED, figures["deprecated"])
    logger.info("consolidated", agent_id=job.agent_id, **figures)
    return job.result(figures)
