"""Turns one agent's decisions into learned patterns."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from agent_memory.night.consolidation import consolidate
from agent_memory.service import metric_names
from agent_memory.service.nightly import NightEvent, blobs, stores
from agent_memory.service.observability import count, emits_metrics, logger


@logger.inject_lambda_context
@emits_metrics
def handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    """Consolidate one agent's night."""
    night = NightEvent.of(event)
    opened = stores()
    figures = consolidate(
        night.agent_id,
        night.day,
        decisions=opened.decisions,
        memories=opened.memories,
        states=opened.states,
        blobs=blobs(),
    )
    count(metric_names.PATTERNS_LEARNED, figures["learned"])
    count(metric_names.PATTERNS_DEPRECATED, figures["deprecated"])
    logger.info("consolidated", agent_id=night.agent_id, **figures)
    return night.answer(figures)
