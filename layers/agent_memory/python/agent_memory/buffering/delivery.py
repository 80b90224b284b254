"""One window of the log, handed to the sink: what it stored, and what it rejected."""

import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from agent_memory.buffering.frames import DECISION, OUTCOME, Item, Record
from agent_memory.core.errors import Forbidden, Unavailable

Answer = Mapping[str, Any]

_ACCEPTED = frozenset({"created", "recorded", "unchanged"})
# These say nothing about the records that were sent: whoever repairs network or credentials lets them through.
_PASSING = (Unavailable, Forbidden, OSError)


class Sink(Protocol):
    """What a buffered logger writes to: a `DecisionLogger`, an `AgentMemoryClient`, or the like."""

    @property
    def agent_id(self) -> str:
        """Whose decisions these are."""
        ...

    async def log_decisions(self, drafts: Sequence[Mapping[str, Any]]) -> Sequence[Answer]:
        """Log decisions; each has its own answer, in order, with a `status` and maybe an `error`."""
        ...

    async def log_outcomes(self, reports: Sequence[Mapping[str, Any]]) -> Sequence[Answer]:
        """Add outcomes; each has its own answer, in order, with a `status` and maybe an `error`."""
        ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a window. `accepted` counts what is in the store now, `unchanged` what of it had been before."""

    accepted: int
    unchanged: int
    rejected: list[tuple[Item, Answer]]


async def deliver(sink: Sink, items: Sequence[Item]) -> Delivery:
    """Send the decisions of a window and then its outcomes, so that no outcome comes before its decision.

    Raises:
        Unavailable, Forbidden, OSError: the sink did not take them; send the same again.
    """
    records = [item for item in items if isinstance(item, Record)]
    damaged: list[tuple[Item, Answer]] = [
        (item, _rejection("damaged", "these bytes of the log cannot be read"))
        for item in items
        if not isinstance(item, Record)
    ]
    decisions = [record for record in records if record.kind == DECISION]
    outcomes = [record for record in records if record.kind == OUTCOME]
    answers = await _send(sink.log_decisions, decisions) + await _send(sink.log_outcomes, outcomes)
    statuses = [answer.get("status") for answer in answers]
    sent = zip(decisions + outcomes, answers, strict=True)
    return Delivery(
        accepted=sum(status in _ACCEPTED for status in statuses),
        unchanged=statuses.count("unchanged"),
        rejected=damaged + [(record, answer) for record, answer in sent if answer.get("status") not in _ACCEPTED],
    )


async def _send(
    call: Callable[[Sequence[Answer]], Coroutine[Any, Any, Sequence[Answer]]], records: Sequence[Record]
) -> list[Answer]:
    """The sink's answers in order. Where it refuses all at once, each is sent by itself, to find the culprit."""
    if not records:
        return []
    try:
        answers = await call([json.loads(record.payload) for record in records])
        return [answer for _, answer in zip(records, answers, strict=True)]
    except _PASSING:
        raise
    except Exception as error:
        if _is_ending():
            raise Unavailable("the process is ending") from error
        if len(records) == 1:
            return [_rejection(type(error).__name__, str(error))]
        return [answer for record in records for answer in await _send(call, [record])]


def _rejection(code: str, message: str) -> Answer:
    return {"status": "rejected", "error": {"code": code, "message": message}}


def _is_ending() -> bool:
    """Whether this process starts no threads any more: whatever fails then says nothing about the records."""
    try:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(int)
    except RuntimeError:
        return True
    return False
