"""The decisions of a recall that are older than the recent ones it has read: ranked by digests, then read themselves.

    digests        |...............................|............|
    decisions                                      |............|............|
    beginning                                where the      end of the      now
                                             recent ones    last day that
                                             end            was digested

What a digest says may be outdated by a day. Therefore a decision that ranks among the best is read, and left out if it
is gone or no longer meets the filters.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from agent_memory.core.clock import DAY_MS, date_of, day_start_ms, to_iso
from agent_memory.core.errors import Damaged
from agent_memory.core.keys import digest_key
from agent_memory.decisions.log import DecisionLog
from agent_memory.memory.digest_index import MAX_ROWS, Digests
from agent_memory.memory.ranking import Ranked
from agent_memory.memory.recall_filters import decision_filter, row_filter
from agent_memory.memory.recall_query import RecallQuery
from agent_memory.memory.recalled_entries import importance_at
from agent_memory.model.decisions import Decision
from agent_memory.model.digests import DigestRow
from agent_memory.model.listings import LIMIT, Unreadable, missing_item


@dataclass(frozen=True, slots=True)
class End:
    """Where the recent decisions end.

    Attributes:
        before: those with a lower time and id were not read.
        why: what an answer says of these if they are not ranked by digests; None if it says nothing.
    """

    before: tuple[int, str]
    why: dict[str, Any] | None = None


@dataclass(slots=True)
class OlderDecisions:
    """The older decisions of one recall.

    Attributes:
        found_gone: whether a digest has a decision that the log does not have.
    """

    log: DecisionLog
    query: RecallQuery
    end: End
    digests: Digests
    found_gone: bool = False
    _dropped: set[str] = field(default_factory=set)
    _read: dict[str, Decision] = field(default_factory=dict)
    _unreadable: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def before_seconds(self) -> float:
        """All older decisions are of before this time, or of its millisecond."""
        return self.end.before[0] / 1000

    def filter(self) -> Callable[[DigestRow], bool]:
        """Whether a row of the index is of an older decision that meets the filters."""
        accepts, before, dropped = row_filter(self.query), self.end.before, self._dropped
        return lambda row: row.place < before and row.decision_id not in dropped and accepts(row)

    def importances(self) -> dict[str, float]:
        """The importance at the time of the query of those decisions whose outcomes have changed since."""
        at_ms = self.query.as_of_ms
        if at_ms is None:
            return {}
        rows = [entry.payload for entry in self.digests.kept.index.entries if entry is not None]
        changed = [one for one in rows if one.headlines and one.headlines[-1].since_ms > at_ms]
        return {one.decision_id: importance_at(one, at_ms) for one in changed}

    def read(self, ranked: Sequence[Ranked]) -> tuple[list[Ranked], bool]:
        """The entries with decisions in place of rows, and whether some were dropped, so that others have their places.

        Those that cannot be read now are left out; `unreadable` names them.
        """
        rows = [one.entry.payload for one in ranked if isinstance(one.entry.payload, DigestRow)]
        due = [one for one in rows if one.decision_id not in self._read and one.decision_id not in self._unreadable]
        keys = [one.key(self.log.agent_id) for one in due]
        dropped, known_of = set(), decision_filter(self.query)
        for row, decision in zip(due, self.log.find(keys, on_unreadable=self._note) if due else [], strict=True):
            if row.decision_id in self._unreadable:
                continue
            known = decision if decision is None or known_of is None else known_of(decision)
            self.found_gone = self.found_gone or decision is None
            if known is None:
                dropped.add(row.decision_id)
            else:
                self._read[row.decision_id] = known
        self._dropped |= dropped
        found = []
        for one in ranked:
            if not isinstance(one.entry.payload, DigestRow):
                found.append(one)
            elif (decision := self._read.get(one.entry.id)) is not None:
                found.append(replace(one, entry=one.entry._replace(payload=decision)))
        return found, bool(dropped)

    def _note(self, one: Unreadable) -> None:
        timestamp = one.sort_key.partition("#")[0]
        self._unreadable[one.id] = missing_item(one.id, one.error.code, str(one.error), timestamp=timestamp)

    @property
    def unreadable(self) -> list[dict[str, Any]]:
        """What is missing of the best entries: decisions in cold storage, and damaged ones."""
        return list(self._unreadable.values())


def not_ranked(query: RecallQuery, end: End, digests: Digests) -> list[dict[str, Any]]:
    """What is missing of the older decisions within the time range, because no digest has it."""
    manifest, outage = digests.manifest, digests.outage
    found = [] if outage is None else [missing_item("digests", outage.code, str(outage))]
    if manifest.through is None:
        return [*([end.why] if end.why else []), *found]
    first, last = date_of(query.span.start_ms), date_of(max(end.before[0] - 1, 0))

    def within(days: Iterable[date]) -> list[date]:
        """Those of some days that have older decisions in the time range, the last first."""
        return sorted([one for one in days if first <= one <= last], reverse=True)

    days_end_ms = day_start_ms(manifest.through) + DAY_MS
    if max(days_end_ms, query.span.start_ms) < end.before[0]:
        to, since = to_iso(end.before[0]), to_iso(days_end_ms)
        found.append(_cut(f"those from {since} to {to} were not ranked: they have no digest yet"))
    if waiting := within(manifest.waiting):
        found.append(
            _cut(f"those of {len(waiting):,} days, the last is {waiting[0]}, were not ranked: they have no digest yet")
        )
    with_rows = {day for day, one in manifest.days.items() if one.rows}
    absent = within(with_rows - digests.indexed - digests.unreadable.keys())
    if absent and outage is None:
        rows = sum(manifest.days[day].rows for day in with_rows if day >= absent[0])
        why = "later recalls index more" if rows <= MAX_ROWS else f"the newest {MAX_ROWS:,} are indexed"
        found.append(_cut(f"those through {absent[0]} were not ranked: {why}"))
    if parts := within(day for day, one in manifest.days.items() if one.omitted_before_ms):
        since = to_iso(manifest.days[parts[0]].omitted_before_ms)
        found.append(_cut(f"of {len(parts):,} days only the latest were ranked, as of {parts[0]} from {since} on"))
    if damaged := within(day for day, one in manifest.days.items() if one.damaged):
        items = manifest.days[damaged[0]].damaged
        why = f"{len(damaged):,} days have damaged decisions, of which the last is {damaged[0]} with {items:,}"
        found.append(missing_item("digests", Damaged.code, why))
    for day in within(digests.unreadable):
        error = digests.unreadable[day]
        found.append(missing_item(digest_key(digests.agent_id, day), error.code, str(error)))
    return found


def _cut(why: str) -> dict[str, Any]:
    return missing_item("decisions", LIMIT, f"of older decisions, {why}; pass a time_range for them")
