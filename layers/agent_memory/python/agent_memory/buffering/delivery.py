"""Sending one window of the log to the sink, and sorting its results."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent_memory.buffering.frames import DECISION, OUTCOME, Item, Record
from agent_memory.buffering.sinks import Result, Sink
from agent_memory.buffering.verdicts import STORED, check_is_final, is_verdict, rejection
from agent_memory.core.errors import AgentMemoryError, Unavailable


@dataclass(frozen=True, slots=True)
class Delivery:
    """The result of a window. `accepted` counts the records that are in the store, `unchanged` those it had before."""

    accepted: int
    unchanged: int
    rejected: list[tuple[Item, Result]]


def deliver(sink: Sink, items: Sequence[Item]) -> Delivery:
    """Send the decisions of a window and then its outcomes, so that no outcome arrives before its decision.

    Raises:
        Exception: whatever the sink raised that is no verdict on a record; see `verdicts`. Send the same window again.
    """
    records = [item for item in items if isinstance(item, Record)]
    damaged: list[tuple[Item, Result]] = [(item, _DAMAGED) for item in items if not isinstance(item, Record)]
    decisions = [record for record in records if record.kind == DECISION]
    outcomes = [record for record in records if record.kind == OUTCOME]
    if len(decisions) + len(outcomes) < len(records):
        raise AgentMemoryError("the log contains records of a later version of this package; install that version")
    results = _send(sink.log_decisions, decisions) + _send(sink.log_outcomes, outcomes)
    statuses = [result["status"] for result in results]
    sent = zip(decisions + outcomes, results, strict=True)
    return Delivery(
        accepted=sum(status in STORED for status in statuses),
        unchanged=statuses.count("unchanged"),
        rejected=damaged + [(record, result) for record, result in sent if result["status"] not in STORED],
    )


_DAMAGED: Result = {
    "status": "rejected",
    "error": {"code": "damaged", "message": "these bytes of the log cannot be read"},
}


def _send(call: Callable[[Sequence[Result]], Sequence[Result]], records: Sequence[Record]) -> list[Result]:
    """The sink's results in order. If it raises a verdict, the records are sent one by one to find the invalid one."""
    if not records:
        return []
    try:
        results = call([json.loads(record.payload) for record in records])
    except Exception as error:  # raised again unless it is the sink's verdict
        if not is_verdict(error):
            raise
        if len(records) == 1:
            return [rejection(error)]
        return [result for record in records for result in _send(call, [record])]
    if not isinstance(results, Sequence) or len(results) != len(records):
        raise Unavailable(f"the sink returned {results!r:.80} for {len(records)} records")
    return [check_is_final(result) for result in results]
