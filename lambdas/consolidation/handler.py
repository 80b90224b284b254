"""Turns one agent's decisions into learned patterns."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from agent_memory.api.nightly import NightlyEvent, stores
from agent_memory.api.observability import emits_metrics, logger, percent, put
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
    except Exception:  # of whatever kind: it is counted, and the state machine gets it
        percent(metric_names.CONSOLIDATION_SUCCESS, 0)
        raise
    percent(metric_names.CONSOLIDATION_SUCCESS, 1)
    if figures["memory_correlation"] is not None:
        put(metric_names.MEMORY_CORRELATION, figures["memory_correlation"])
    put(metric_names.PATTERNS_LEARNED, figures["learned"])
    put(metric_names.PATTERNS_DEPRECATED, figures["deprecated"])
    logger.info("consolidated", agent_id=job.agent_id, **figures)
    return job.answer(figures)
