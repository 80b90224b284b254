"""Sending one window of the log to the sink, and sorting its results."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from agent_memory.buffering.frames import DECISION, OUTCOME, Item, Record
from agent_memory.buffering.sinks import Result, Sink
from agent_memory.core.errors import Forbidden, Unavailable

_ACCEPTED = frozenset({"created", "recorded", "unchanged"})
# The records themselves may be valid: they can be sent when network or credentials are repaired.
_TRANSIENT = (Unavailable, Forbidden, OSError)


@dataclass(frozen=True, slots=True)
class Delivery:
    """The result of a window. `accepted` counts the records that are in the store, `unchanged` those it had before."""

    accepted: int
    unchanged: int
    rejected: list[tuple[Item, Result]]


def deliver(sink: Sink, items: Sequence[Item]) -> Delivery:
    """Send the decisions of a window and then its outcomes, so that no outcome arrives before its decision.

    Raises:
        Unavailable, Forbidden, OSError: the sink did not respond; send the same window again.
    """
    records = [item for item in items if isinstance(item, Record)]
    damaged: list[tuple[Item, Result]] = [
        (item, _rejection("damaged", "these bytes of the log cannot be read"))
        for item in items
        if not isinstance(item, Record)
    ]
    decisions = [record for record in records if record.kind == DECISION]
    outcomes = [record for record in records if record.kind == OUTCOME]
    results = _send(sink.log_decisions, decisions) + _send(sink.log_outcomes, outcomes)
    statuses = [result.get("status") for result in results]
    sent = zip(decisions + outcomes, results, strict=True)
    return Delivery(
        accepted=sum(status in _ACCEPTED for status in statuses),
        unchanged=statuses.count("unchanged"),
        rejected=damaged + [(record, result) for record, result in sent if result.get("status") not in _ACCEPTED],
    )


def _send(call: Callable[[Sequence[Result]], Sequence[Result]], records: Sequence[Record]) -> list[Result]:
    """The sink's results in order. If a request raises, its records are sent one by one to find the invalid one."""
    if not records:
        return []
    try:
        results = call([json.loads(record.payload) for record in records])
        return [result for _, result in zip(records, results, strict=True)]
    except _TRANSIENT:
        raise
    except Exception as error:
        if _is_exiting():
            raise Unavailable("the process is exiting") from error
        if len(records) == 1:
            return [_rejection(type(error).__name__, str(error))]
        return [result for record in records for result in _send(call, [record])]


def _rejection(code: str, message: str) -> Result:
    return {"status": "rejected", "error": {"code": code, "message": message}}


def _is_exiting() -> bool:
    """Whether the interpreter is exiting: it starts no more threads, and requests fail for that reason."""
    try:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(int)
    except RuntimeError:
        return True
    return False
