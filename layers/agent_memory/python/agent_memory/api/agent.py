"""The memory that a request is about, and the metrics of how its reads of short-term memory went."""

from collections.abc import Callable
from typing import Any

from agent_memory.api import deployment
from agent_memory.api.observability import percent, put
from agent_memory.api.router import Router
from agent_memory.core import metric_names
from agent_memory.memory.agent_memory import AgentMemory
from agent_memory.memory.short_term import ShortTermMetrics

_CONTEXT = "short_term_before"


def memory_of(router: Router, agent_id: str, writer: str | None = None) -> AgentMemory:
    """The memory and the state of the agent that the path names, for one request.

    `writer` is who makes changes; the principal that signed the request is kept beside it.
    """
    authorizer = router.current_event.request_context.authorizer
    iam = authorizer.iam if authorizer else None
    principal = iam.user_arn or None if iam else None
    memory = deployment.deployment().memory(agent_id, writer=writer, principal=principal)
    router.context[_CONTEXT] = (memory, memory.short_term.metrics)
    return memory


def count_short_term_reads(app: Any, next_middleware: Callable[[Any], Any]) -> Any:
    """Middleware that puts the metrics of a request's reads of short-term memory."""
    try:
        return next_middleware(app)
    finally:
        if _CONTEXT in app.context:
            memory, before = app.context[_CONTEXT]
            _put_difference(before, memory.short_term.metrics)


def _put_difference(before: ShortTermMetrics, after: ShortTermMetrics) -> None:
    hits, misses = after.hits - before.hits, after.misses - before.misses
    if hits + misses:
        percent(metric_names.STM_HIT_RATE, hits / (hits + misses))
    if after.failures > before.failures:
        put(metric_names.STM_FAILURES, after.failures - before.failures)
