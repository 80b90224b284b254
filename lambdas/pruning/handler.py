"""Adds up how often one agent's memories were read, and forgets those that have long stopped holding."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from agent_memory.access_counts import flush_access_counts
from agent_memory.night.pruning import prune
from agent_memory.service import metric_names
from agent_memory.service.nightly import NightEvent, blobs, stores
from agent_memory.service.observability import emits_metrics, logger, put
from agent_memory.short_term import ShortTermMemory


@logger.inject_lambda_context
@emits_metrics
def handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    """Prune one agent's night; with `"dry_run": true` only say what would go."""
    night = NightEvent.of(event)
    is_dry = event.get("dry_run") is True
    short_term, memories = ShortTermMemory(night.agent_id, stores().short_term), stores().memories
    figures = prune(night.agent_id, night.day, memories=memories, blobs=blobs(), dry_run=is_dry)
    if not is_dry:
        figures["accesses"] = flush_access_counts(night.agent_id, night.day, short_term=short_term, memories=memories)
    put(metric_names.MEMORIES_PRUNED, figures["pruned"])
    logger.info("pruned", agent_id=night.agent_id, **figures)
    return night.answer(figures)
