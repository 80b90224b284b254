"""Turns one agent's decisions into learned patterns."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from agent_memory.api.nightly import NightlyEvent, decisions_per_part, stores
from agent_memory.api.observability import add_metric, add_percentage, emits_metrics, logger
from agent_memory.core import metric_names
from agent_memory.model.listings import Damages
from agent_memory.nightly.consolidation import consolidate, parts_of_job
from agent_memory.nightly.reading import Part, read_part
from agent_memory.ports.stores import Stores


@logger.inject_lambda_context
@emits_metrics
def handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    """Consolidate one agent's day.

    Of a day with many decisions the first call returns `parts`, the events of calls that read a part each. Then this
    function is called again with all of these `parts`, and learns.
    """
    job = NightlyEvent.of(event)
    opened = stores()
    if "part" in event:
        return job.result(_read(Part.of_event(job.agent_id, job.day, event["part"]), opened))
    parts = [Part.of_event(job.agent_id, job.day, one.get("part")) for one in event.get("parts") or ()]
    try:
        to_read = [] if parts else parts_of_job(job.agent_id, job.day, opened, most=decisions_per_part())
        if to_read:
            logger.info("to be read in parts", agent_id=job.agent_id, parts=len(to_read))
            return job.result({"parts": [one.as_event() for one in to_read]})
        figures = consolidate(job.agent_id, job.day, opened, parts=parts)
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
    return job.result({**figures, "parts": []})


def _read(part: Part, opened: Stores) -> dict[str, Any]:
    damages = Damages()
    figures: dict[str, Any] = {"decisions_read": read_part(part, opened, damages), **damages.figures()}
    logger.info("read a part", agent_id=part.agent_id, start_ms=part.span.start_ms, **figures)
    return figures
