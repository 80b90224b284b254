"""Moves one agent's old decisions to the archive."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from agent_memory.api.nightly import NightlyEvent, stores
from agent_memory.api.observability import add_metric, emits_metrics, logger, metrics
from agent_memory.core import metric_names
from agent_memory.core.errors import Damaged
from agent_memory.nightly.archival import archive_due_days
from agent_memory.nightly.rollups import roll_up_days


@logger.inject_lambda_context
@emits_metrics
def handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    """Archive the days of one agent that are due."""
    job = NightlyEvent.of(event)
    figures = archive_due_days(job.agent_id, job.day, stores())
    figures["rollups"] = roll_up_days(job.agent_id, job.day, stores())
    add_metric(metric_names.DECISIONS_ARCHIVED, figures["decisions"])
    add_metric(metric_names.ARCHIVE_DAYS_REMAINING, figures["remaining_days"])
    add_metric(metric_names.ARCHIVE_DAYS_POSTPONED, len(figures["postponed"]))
    damaged = sum(one["code"] == Damaged.code for one in figures["postponed"])
    add_metric(metric_names.ARCHIVE_DAYS_DAMAGED, damaged)
    metrics.add_metadata(key="archive_head", value=figures["head"])
    logger.info("archived", agent_id=job.agent_id, **figures)
    return job.result(figures)
