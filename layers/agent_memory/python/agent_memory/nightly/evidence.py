"""Which decisions the nightly job reads again, and the evidence that it stores of all others.

Learning looks back over months, but a decision is read from the table only at a few ages (`LOOK_BACK_DAYS`), at which
its outcome may have come in. At all others its row of evidence is used.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import takewhile

from agent_memory.core.clock import DAY_MS, Span, day_start_ms
from agent_memory.core.retention import EVIDENCE_DAYS
from agent_memory.learning.evidence import evidence_of
from agent_memory.model.decisions import Decision
from agent_memory.model.evidence import Evidence
from agent_memory.ports.evidence import EvidenceStore

_DAY = timedelta(days=1)
LOOK_BACK_DAYS = (0, 1, 3, 7, 14, 29)
"""The ages in days at which a decision is read; a late outcome is learned from at the next of them."""


def spans_to_read(day: date, learned_through: date | None) -> list[Span]:
    """The days that the nightly job of `day` reads from the table, oldest first; consecutive days form one span.

    These are the days at the ages of `LOOK_BACK_DAYS`, for this job and for each one missed since `learned_through`; if
    there was none before, all days that evidence covers.
    """
    oldest = day - timedelta(days=EVIDENCE_DAYS - 1)
    first = day if learned_through and learned_through >= day else max(oldest, (learned_through or date.min) + _DAY)
    job_days = [first + n * _DAY for n in range((day - first).days + 1)]
    days = sorted({max(oldest, job_day - ago * _DAY) for job_day in job_days for ago in LOOK_BACK_DAYS})
    spans: list[Span] = []
    for one in days:
        start_ms = day_start_ms(one)
        if spans and spans[-1].end_ms == start_ms:
            spans[-1] = Span(spans[-1].start_ms, start_ms + DAY_MS)
        else:
            spans.append(Span(start_ms, start_ms + DAY_MS))
    return spans


def refresh_evidence(
    evidence: EvidenceStore, agent_id: str, day: date, decisions: Iterable[Decision], spans: Sequence[Span]
) -> Iterator[Evidence]:
    """Replace the rows of these spans by those of `decisions`, and drop rows that are too old at the end of `day`.

    Doing it twice for the same day changes nothing. Returns an iterator over the rows up to the end of `day`.
    """
    end_ms = day_start_ms(day) + DAY_MS
    oldest_ms = end_ms - EVIDENCE_DAYS * DAY_MS
    rows = [row for decision in decisions if (row := evidence_of(decision))]
    remaining = evidence.replace(agent_id, rows, spans, oldest_ms=oldest_ms)
    return takewhile(lambda row: row.timestamp_ms < end_ms, remaining)
