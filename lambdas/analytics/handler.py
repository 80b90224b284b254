"""Writes one agent's daily report, and after all agents' which memories several of them acted on at once."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from agent_memory.api.nightly import NightlyEvent, stores
from agent_memory.api.observability import add_metric, add_percentage_of_type, emits_metrics, logger
from agent_memory.core import metric_names
from agent_memory.core.clock import parse_date
from agent_memory.model.sources import is_judged
from agent_memory.nightly.crowding import agents_of_run, report_crowding
from agent_memory.nightly.summary import summarize_day


@logger.inject_lambda_context
@emits_metrics
def handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    """Report one agent's day; with `agents_of`, the key of a run's list of agents, what they have in common."""
    if "agents_of" in event:
        return _crowding(event)
    job = NightlyEvent.of(event)
    figures = summarize_day(job.agent_id, job.day, stores())
    add_metric(metric_names.ACTIVE_PATTERNS, figures["active_patterns"])
    for confidence in figures["confidences"]:
        add_metric(metric_names.PATTERN_CONFIDENCE, confidence)
    for decision_type, counts in figures["by_type"].items():
        if is_judged(decision_type):
            add_percentage_of_type(metric_names.SUCCESS_RATE, decision_type, counts["success_rate"])
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


def _crowding(event: dict[str, Any]) -> dict[str, Any]:
    opened = stores()
    figures = report_crowding(parse_date(str(event.get("date"))), agents_of_run(event["agents_of"], opened), opened)
    add_metric(metric_names.MEMORIES_CROWDED, len(figures["crowded"]))
    if figures["crowded"]:
        logger.warning("crowded", **figures)
    return figures
