"""Adds up the reads of one agent's memories, and prunes outdated ones."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from agent_memory.api.nightly import NightlyEvent, stores
from agent_memory.api.observability import add_metric, emits_metrics, logger
from agent_memory.core import metric_names
from agent_memory.memory.access_counts import flush_access_counts
from agent_memory.nightly.pruning import prune


@logger.inject_lambda_context
@emits_metrics
def handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    """Prune one agent's memories; with `"dry_run": true` only report what would be pruned."""
    job = NightlyEvent.of(event)
    is_dry = event.get("dry_run") is True
    figures = prune(job.agent_id, job.day, stores(), dry_run=is_dry)
    if not is_dry:
        figures["accesses"] = flush_access_counts(job.agent_id, job.day, stores())
    add_metric(metric_names.MEMORIES_PRUNED, figures["pruned"])
    logger.info("pruned", agent_id=job.agent_id, **figures)
    return job.result(figures)
