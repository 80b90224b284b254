"""The nightly report: how the day's decisions turned out, the patterns that are active now, and what is unusual."""

from collections import Counter
from datetime import date
from typing import Any

from agent_memory.core.clock import DAY_MS, Span, check_day_has_ended, day_start_ms
from agent_memory.core.json_values import canonical_json
from agent_memory.core.keys import ARCHIVE_CHAIN, report_key, report_prefix
from agent_memory.learning.intervals import wilson_interval
from agent_memory.learning.lifecycle import Status
from agent_memory.model.listings import Damages
from agent_memory.model.memories import MemoryType
from agent_memory.nightly.activity import read_activity
from agent_memory.nightly.checks import check_agent
from agent_memory.nightly.evidence import known_evidence
from agent_memory.ports.stores import Stores

# One metric in one log line holds at most this many values.
_MAX_CONFIDENCES = 100
_EXPERIMENT_FIGURES = ("uplift", "interval", "excludes_zero")


def summarize_day(agent_id: str, day: date, stores: Stores) -> dict[str, Any]:
    """Write the report of a UTC day to S3 and return its figures, which also become metrics.

    What is unusual about the agent, compared with its own past, is under `checks` (`nightly.checks`).

    Rates are those of one decision type, with 95 % Wilson intervals: success means something else for each.

    The report also names the head of the chain of seals, `archive_head`, None before the first day was sealed.

    The patterns of a report are those of its day: a report is not written again once there is one of a later day.

    Raises:
        InvalidInput: the day has not ended. Unavailable: a store did not respond.
    """
    check_day_has_ended(day, stores.clock)
    bucket = stores.bucket()
    span = Span(day_start_ms(day), day_start_ms(day) + DAY_MS)
    known = list(known_evidence(bucket.evidence.read(agent_id, span), span.end_ms))
    rows = [row for row in known if row.success is not None]
    with_outcome = Counter(row.decision_type for row in rows)
    succeeded = Counter(row.decision_type for row in rows if row.success)
    damages = Damages()
    patterns = stores.memories.by_confidence(agent_id, MemoryType.PATTERN, on_unreadable=damages)
    active = [memory for memory in patterns if memory.data.get("status") == Status.ACTIVE]
    confidences = [memory.confidence for memory in active if memory.confidence is not None]
    summary = {
        "date": day.isoformat(),
        "with_outcome": len(rows),
        "without_outcome": len(known) - len(rows),
        "by_type": {
            decision_type: _rate(succeeded[decision_type], count)
            for decision_type, count in sorted(with_outcome.items())
        },
        "active_patterns": len(active),
        "mean_confidence": sum(confidences) / len(confidences) if confidences else None,
        "confidences": confidences[:_MAX_CONFIDENCES],
        "experiments": [
            {"name": memory.pattern_id, "decision_type": name, **{one: figures.get(one) for one in _EXPERIMENT_FIGURES}}
            for memory in stores.memories.by_confidence(agent_id, MemoryType.EXPERIMENT, on_unreadable=damages)
            for name, figures in (memory.data.get("by_decision_type") or {}).items()
        ],
        **damages.figures(),
        "checks": check_agent(read_activity(stores.states, agent_id), day),
    }
    chain = stores.states.get(agent_id, ARCHIVE_CHAIN)
    head = chain.data.get("head") if chain else None
    report = {
        **summary,
        "agent_id": agent_id,
        "archive_head": head,
        "patterns": [memory.as_dict() for memory in active],
    }
    key = report_key(agent_id, day)
    written = bucket.blobs.list_keys(report_prefix(agent_id))
    if key not in written or key == max(written):
        bucket.blobs.write(key, canonical_json(report).encode())
    return summary


def _rate(succeeded: int, with_outcome: int) -> dict[str, Any]:
    """The success rate of a day's decisions of one type, with its interval and what it is computed from."""
    rate = succeeded / with_outcome
    low, high = wilson_interval(rate, with_outcome)
    return {"with_outcome": with_outcome, "succeeded": succeeded, "success_rate": rate, "low": low, "high": high}
