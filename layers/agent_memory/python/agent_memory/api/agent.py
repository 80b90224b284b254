"""The agent's memory for a request, and the metrics of its reads of short-term memory."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from agent_memory.api import deployment
from agent_memory.api.observability import add_metric, add_percentage
from agent_memory.api.router import Router
from agent_memory.core import metric_names

if TYPE_CHECKING:
    from agent_memory.memory.agent_memory import AgentMemory
    from agent_memory.memory.short_term import ShortTermMetrics

_CONTEXT_KEY = "short_term_before"


def memory_of(router: Router, agent_id: str, writer: str | None = None) -> "AgentMemory":
    """The memory and state of the agent in the path, for one request.

    Changes are recorded with `writer` as their author, and with the IAM principal that signed the request.
    """
    authorizer = router.current_event.request_context.authorizer
    iam = authorizer.iam if authorizer else None
    principal = iam.user_arn or None if iam else None
    memory = deployment.deployment().memory(agent_id, writer=writer, principal=principal)
    router.context[_CONTEXT_KEY] = (memory, memory.short_term.metrics)
    return memory


def count_short_term_reads(app: Any, next_middleware: Callable[[Any], Any]) -> Any:
    """Middleware that adds the metrics of a request's reads of short-term memory."""
    try:
        return next_middleware(app)
    finally:
        if _CONTEXT_KEY in app.context:
            memory, before = app.context[_CONTEXT_KEY]
            _add_metrics(before, memory.short_term.metrics)


def _add_metrics(before: "ShortTermMetrics", after: "ShortTermMetrics") -> None:
    hits, misses = after.hits - before.hits, after.misses - before.misses
    if hits + misses:
        add_percentage(metric_names.STM_HIT_RATE, hits / (hits + misses))
    if after.failures > before.failures:
        add_metric(metric_names.STM_FAILURES, after.failures - before.failures)
