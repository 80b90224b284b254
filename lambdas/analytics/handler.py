"""Writes one agent's daily report."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from agent_memory.api.nightly import NightlyEvent, stores
from agent_memory.api.observability import add_metric, add_percentage, emits_metrics, logger
from agent_memory.core import metric_names
from agent_memory.nightly.summary import summarize_day


@logger.inject_lambda_context
@emits_metrics
def handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    """Report one agent's day."""
    job = NightlyEvent.of(event)
    figures = summarize_day(job.agent_id, job.day, stores())
    add_metric(metric_names.ACTIVE_PATTERNS, figures["active_patterns"])
    for confidence in figures["confidences"]:
        add_metric(metric_names.PATTERN_CONFIDENCE, confidence)
    if figures["success_rate"] is not None:
        add_percentage(metric_names.SUCCESS_RATE, figures["success_rate"])
    checks = figures["checks"]
    add_metric(metric_names.OUTCOMES_STOPPED, len(checks["outcomes_stopped"]))
    add_metric(metric_names.LEARNING_STOPPED, int(checks["learning_stopped"] is not None))
    add_metric(metric_names.BEHAVIOR_CHANGED, int(bool(checks["behavior_changed"])))
    if any(checks.values()):
        logger.warning("unusual", agent_id=job.agent_id, **checks)
    logger.info(
        "reported", agent_id=job.agent_id, active_patterns=figures["active_patterns"], by_type=figures["by_type"]
    )
    return job.result(figures)
