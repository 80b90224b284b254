"""Imports short-term memory: values that are not there and have not expired, for what is left of their lifetimes.

An export does not contain when a value expires. It is imported as if it had been written just before the export, so
that it is kept no longer than its retention after that.
"""

from collections.abc import Iterable
from typing import Any

from agent_memory.admin.importing.report import ImportReport, Status
from agent_memory.core import retention
from agent_memory.core.keys import (
    STM_CONTEXT,
    STM_DECISIONS,
    STM_QUERIES,
    STM_RATE_LIMITS,
    STM_SIGNALS,
    STM_STATE,
    stm_key,
)
from agent_memory.ports.short_term import AddScored, Command, PushValues, SetValue, ShortTermStore

KIND = "short_term"

_LIFETIMES = {
    STM_CONTEXT: retention.CONTEXT_SECONDS,
    STM_QUERIES: retention.QUERIES_SECONDS,
    STM_SIGNALS: retention.SIGNALS_SECONDS,
    STM_DECISIONS: retention.DECISION_CHAIN_SECONDS,
}
_PERFORMANCE = "performance:"
_LENGTHS = {STM_QUERIES: retention.RECENT_CYCLES, STM_DECISIONS: retention.CHAINED_DECISIONS}


def import_short_term(
    agent_id: str,
    exported: Iterable[tuple[str, Any]],
    store: ShortTermStore | None,
    report: ImportReport,
    *,
    age_seconds: float | None,
    write: bool,
) -> None:
    """Write the exported values that have not expired and whose keys are free.

    Args:
        agent_id: the agent.
        exported: keys and values.
        store: the cache, None if there is none.
        report: counts and names what is left out.
        age_seconds: since the export; None if the export does not say when it was written.
        write: whether to write, or only to count.
    """
    values = dict(exported)
    if store is None:
        if values:
            report.not_imported("short-term memory", "there is no cache; set AGENT_MEMORY_REDIS_ENDPOINT")
        return
    prefix = stm_key(agent_id, "")
    stored = {key.removeprefix(prefix): value for key, value in store.dump(prefix)}
    for key, value in values.items():
        if key == STM_STATE or key.startswith(STM_RATE_LIMITS):
            continue  # a copy of a state, and a count of the last minutes
        left = 0 if age_seconds is None else int(_lifetime(key) - age_seconds)
        if left <= 0:
            report.count(KIND, Status.EXPIRED)
        elif key in stored:
            report.count(KIND, Status.UNCHANGED if stored[key] == value else Status.NEWER)
        elif value is None:
            report.not_imported(f"short-term memory: {key}", "its value could not be read when it was exported")
        else:
            if write:
                store.run(_commands(prefix, key, value, left))
            report.count(KIND, Status.CREATED)


def _lifetime(key: str) -> int:
    default = retention.PERFORMANCE_SECONDS if key.startswith(_PERFORMANCE) else retention.STM_MAX_SECONDS
    return _LIFETIMES.get(key, default)


def _commands(prefix: str, key: str, value: Any, seconds: int) -> list[Command]:
    full = f"{prefix}{key}"
    if key in _LENGTHS:
        return [PushValues(full, tuple(reversed(value)), _LENGTHS[key], seconds)]
    if key == STM_SIGNALS:
        return [AddScored(full, signal, score, seconds) for signal, score in value]
    return [SetValue(full, value, seconds)]
