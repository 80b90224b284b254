"""Adds up how often one agent's memories were read, and forgets those that have long stopped holding."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from agent_memory.api.nightly import NightlyEvent, stores
from agent_memory.api.observability import emits_metrics, logger, put
from agent_memory.core import metric_names
from agent_memory.memory.access_counts import flush_access_counts
from agent_memory.nightly.pruning import prune


@logger.inject_lambda_context
@emits_metrics
def handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    """Prune one agent's night; with `"dry_run": true` only say what would go."""
    night = NightlyEvent.of(event)
    is_dry = event.get("dry_run") is True
    figures = prune(night.agent_id, night.day, stores(), dry_run=is_dry)
    if not is_dry:
        figures["accesses"] = flush_access_counts(night.agent_id, night.day, stores())
    put(metric_names.MEMORIES_PRUNED, figures["pruned"])
    logger.info("pruned", agent_id=night.agent_id, **figures)
    return night.answer(figures)
