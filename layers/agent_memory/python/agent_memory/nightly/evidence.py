"""Which decisions the nightly job reads again, and the evidence that it stores of all others.

Learning looks back over months, but a decision is read from the table only at a few ages (`LOOK_BACK_DAYS`), and when
an outcome of it was recorded or amended late (`nightly.late_outcomes`): one may arrive, or change, at any age. At all
other times the row is used.

Evidence is what was known. A row keeps every result of its decision with the time since when it is known, so that the
job of a day sees what was known at the end of that day, whenever it runs. What a job saw, it sees again: a result that
a job could not see yet, although its time lies before that, counts from the end of the last day that was learned.

A history that has just been recorded, without saying when its outcomes became known, is the exception: nobody can know
what was known when. Its outcomes count from their decisions on.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from agent_memory.core.clock import DAY_MS, Span, date_of, day_start_ms
from agent_memory.core.retention import EVIDENCE_DAYS, EVIDENCE_KEPT_DAYS
from agent_memory.model.evidence import TIMELY_DAYS, Evidence, Result
from agent_memory.nightly.reading import ReadDecision
from agent_memory.ports.evidence import EvidenceSnapshot

_DAY = timedelta(days=1)
LOOK_BACK_DAYS: tuple[int, ...] = (*range(TIMELY_DAYS), 3, 7, 14, 29)
"""The ages in days at which all decisions of a day are read."""
_HISTORY_MS = 3_600_000


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


def evidence_span(day: date) -> Span:
    """The days of the evidence that the nightly job of `day` learns from."""
    end_ms = day_start_ms(day) + DAY_MS
    return Span(end_ms - EVIDENCE_DAYS * DAY_MS, end_ms)


def refresh_evidence(
    snapshot: EvidenceSnapshot,
    day: date,
    decisions: Sequence[ReadDecision],
    seen_through: date | None,
    *,
    now_ms: int,
) -> "KnownEvidence":
    """Merge what was read of `decisions` into the evidence, and drop rows that are too old at the end of `day`.

    Doing it twice for the same day changes nothing. Returns the evidence of `day` as it was known at its end.

    Args:
        snapshot: the evidence before.
        day: of the job.
        decisions: as they were read.
        seen_through: the last day at whose end a job has seen the evidence; None if there was none, or if what it saw
            was not kept.
        now_ms: when the job runs.
    """
    span = evidence_span(day)
    seen_ms = day_start_ms(seen_through) + DAY_MS if seen_through else 0
    types = {one.decision_type for one in decisions}
    histories = {
        name for name in types if is_recorded_history([one for one in decisions if one.decision_type == name], now_ms)
    }
    read = {one.decision_id: _row(one.row, is_history=one.decision_type in histories) for one in decisions}
    before = {one.decision_id: one for one in snapshot.rows_of(read.keys())}
    rows = [merged(before.get(decision_id), row, seen_ms) for decision_id, row in read.items()]
    changed = [row for row in rows if row != before.get(row.decision_id)]
    changed.sort(key=lambda row: row.timestamp_ms)
    after = snapshot.merge(changed, oldest_ms=span.end_ms - EVIDENCE_KEPT_DAYS * DAY_MS)
    return KnownEvidence(after, span)


@dataclass(frozen=True, slots=True)
class KnownEvidence:
    """The evidence of a span as it was known just before its end; each iteration reads it, ordered by time."""

    snapshot: EvidenceSnapshot
    span: Span

    def __iter__(self) -> Iterator[Evidence]:
        return known_evidence(self.snapshot.rows(self.span), self.span.end_ms)


def is_recorded_history(decisions: Sequence[ReadDecision], now_ms: int) -> bool:
    """Whether all outcomes of a type were recorded within the last hour, although decisions are of earlier days."""
    recorded = [(one.timestamp_ms, one.first_recorded_ms) for one in decisions if one.first_recorded_ms is not None]
    is_new = all(recorded_ms >= now_ms - _HISTORY_MS for _, recorded_ms in recorded)
    return is_new and any(date_of(timestamp_ms) < date_of(now_ms - _HISTORY_MS) for timestamp_ms, _ in recorded)


def _row(row: Evidence, *, is_history: bool) -> Evidence:
    if not is_history:
        return row
    return row.with_results([(row.timestamp_ms, row.success)]).with_rewards([(row.timestamp_ms, row.rewards)])


def known_evidence(rows: Iterable[Evidence], end_ms: int) -> Iterator[Evidence]:
    """Rows as they were known just before a time."""
    return (known for row in rows if (known := row.known_before(end_ms)))


class KnownSuccess:
    """The success of some decisions as a job knows it, collected while the evidence is read.

    A job that runs late reads outcomes that were not known at the end of its day. Everything that it computes rests on
    the same knowledge.
    """

    def __init__(self, decision_ids: Collection[str]) -> None:
        self._decision_ids = decision_ids
        self._success: dict[str, bool] = {}

    def observed(self, rows: Iterable[Evidence]) -> Iterator[Evidence]:
        """The same rows, each of which is collected as it is read."""
        for row in rows:
            if row.success is not None and row.decision_id in self._decision_ids:
                self._success[row.decision_id] = row.success
            yield row

    def success_of(self, decision_id: str) -> bool | None:
        """Whether a decision succeeded; None if that is not known."""
        return self._success.get(decision_id)


def merged(before: Evidence | None, row: Evidence, seen_ms: int) -> Evidence:
    """A row as its decision was read, except that what jobs have seen of it before `seen_ms` stays as it was."""
    known = row.known_before(seen_ms)
    if known is None:  # the decision was made since
        return row
    # A decision that jobs have not seen was logged for a time of the past.
    seen = [one for one in before.history if one[0] < seen_ms] if before else []
    seen = seen or [(seen_ms, None)]
    late = [] if known.success in (None, seen[-1][1]) else [(seen_ms, known.success)]
    results = [*seen, *late, *(one for one in row.results if one[0] >= seen_ms)]
    seen_rewards = [one for one in before.rewards_history if one[0] < seen_ms] if before else []
    late_rewards = [] if known.success is None else [(seen_ms, known.rewards)]
    rewards = [*seen_rewards, *late_rewards, *(one for one in row.rewards_history if one[0] >= seen_ms)]
    return row.with_results(_changes(results)).with_rewards(rewards)


def _changes(results: Sequence[Result]) -> list[Result]:
    """Results without those that were replaced in the same millisecond or change nothing."""
    first, *others = results
    changes = [first]
    for at_ms, success in sorted(dict(others).items()):
        if changes[-1][1] is not success:
            changes.append((at_ms, success))
    return changes
