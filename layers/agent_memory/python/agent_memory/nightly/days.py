"""Which UTC days a nightly job processes: those that have ended, each once and in order.

What a job learns from a day follows from what it learned before, so that days are not exchangeable. Progress is a state
of the agent; a job begins with the days that earlier ones have missed.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Self

from agent_memory.core.clock import DAY_MS, Span, date_of, day_start_ms, last_ended_day, parse_date
from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.errors import Conflict
from agent_memory.core.json_values import Document
from agent_memory.core.keys import LEARNING_PROGRESS, LEARNING_STARTED
from agent_memory.core.retention import EVIDENCE_DAYS
from agent_memory.core.retries import retry_conflicts
from agent_memory.model.listings import skip_damaged
from agent_memory.model.states import State
from agent_memory.ports.decisions import Selection
from agent_memory.ports.stores import Stores

_DAY = timedelta(days=1)


def days_through(first: date, last: date) -> list[date]:
    """The days from `first` to `last`, both included."""
    return [first + n * _DAY for n in range((last - first).days + 1)]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far learning has come, as one version of a state.

    Attributes:
        learned_through: the last day that was learned; None if unknown.
        version: of the state, 0 before the first.
        learning: a later day whose memories are being written, or were when a job was interrupted.
        forgotten_through: the last day that was learned and then forgotten, if it is later: evidence says what jobs
            have seen until then, and they are to see it again.
    """

    learned_through: date | None
    version: int
    learning: date | None = None
    forgotten_through: date | None = None

    @classmethod
    def of(cls, state: State) -> Self:
        """The progress that a state says."""
        days = {name: parse_date(day) for name, day in state.data.items()}
        return cls(days["learned_through"], state.version, days.get("learning"), days.get("forgotten_through"))

    @property
    def last(self) -> date | None:
        """The last day that memories may have been written for."""
        return self.learning or self.learned_through

    @property
    def seen_through(self) -> date | None:
        """The last day whose evidence a job has seen at its end."""
        days = [one for one in (self.learned_through, self.forgotten_through) if one is not None]
        return max(days, default=None)

    def as_data(self) -> Document:
        """The data of the state; `forgotten_through` only until it is learned again."""
        days = {"learned_through": self.learned_through, "learning": self.learning}
        if self.forgotten_through == self.seen_through != self.learned_through:
            days["forgotten_through"] = self.forgotten_through
        return {name: one.isoformat() for name, one in days.items() if one is not None}


class LearnedDays:
    """How far an agent's nightly job has come in learning."""

    def __init__(self, agent_id: str, stores: Stores) -> None:
        self._agent_id = agent_id
        self._stores = stores

    def progress(self) -> Progress:
        """The progress. A day that has not ended cannot have been learned: then the last day that was is unknown."""
        state = self._stores.states.get(self._agent_id, LEARNING_PROGRESS)
        if state is None:
            return Progress(None, 0)
        learned_through = parse_date(state.data["learned_through"])
        if learned_through > last_ended_day(self._stores.clock.now_ms()):
            return Progress(None, state.version)
        return Progress.of(state)

    def due(self, day: date, progress: Progress) -> list[date]:
        """The days that the job of `day` learns: those that were missed, up to the 90 of the evidence, and then `day`.

        The last day that was learned is learned again; a day before it is not, and the result is empty.
        """
        oldest = day - (EVIDENCE_DAYS - 1) * _DAY
        if progress.learned_through is not None:
            if progress.last is not None and progress.last > day:
                return []
            return days_through(min(day, max(oldest, progress.learned_through + _DAY)), day)
        if progress.version:  # the memories contain what was learned from the days before already
            return [day]
        return days_through(self._first_day_with_decisions(oldest, day), day)

    def start(self, day: date) -> None:
        """Announce that the job of a day reads decisions, before it does: outcomes that it misses are noted then."""

        def announce() -> None:
            states, started = self._stores.states, self._stores.states.get(self._agent_id, LEARNING_STARTED)
            if started is not None and parse_date(started.data["day"]) >= day:
                return
            version, now_ms = started.version if started else 0, self._stores.clock.now_ms()
            data = {"day": day.isoformat()}
            states.put(self._agent_id, LEARNING_STARTED, data, expected_version=version, now_ms=now_ms)

        retry_conflicts(announce)

    def begin(self, day: date, progress: Progress) -> Progress:
        """Announce that memories of a day will be written, so that no job learns the day before it again.

        Returns the new progress. `Conflict` if another job came first.
        """
        if progress.learned_through is None or progress.last == day:
            return progress
        return self._put(day, replace(progress, learning=day))

    def advance(self, day: date, progress: Progress) -> Progress:
        """Record that a day was learned; returns the new progress. `Conflict` if another job came first."""
        if progress.learned_through == day:
            return progress
        return self._put(day, replace(progress, learned_through=day, learning=None))

    def forget_since(self, day: date, progress: Progress) -> None:
        """Record that `day` and all later ones are to be learned again. `Conflict` if a job came first."""
        before = day - _DAY
        if progress.learning is not None or progress.learned_through is None or progress.learned_through > before:
            seen = progress.seen_through
            self._put(before, replace(progress, learned_through=before, learning=None, forgotten_through=seen))

    def _put(self, day: date, progress: Progress) -> Progress:
        """Store a progress in place of the one whose version it has; returns it with its own."""
        put, now_ms = self._stores.states.put, day_start_ms(day) + DAY_MS
        data, version = progress.as_data(), progress.version
        state = put(self._agent_id, LEARNING_PROGRESS, data, expected_version=version, now_ms=now_ms)
        return Progress.of(state)

    def check_unchanged(self, progress: Progress) -> None:
        """Raise `Conflict` if another job has learned a day since this progress was read."""
        if self.progress() != progress:
            raise Conflict(f"another nightly job of {self._agent_id} has learned a day in the meantime")

    def _first_day_with_decisions(self, oldest: date, day: date) -> date:
        registered = self._stores.states.registration(self._agent_id)
        span = Span(day_start_ms(oldest), day_start_ms(day) + DAY_MS)

        def first_of(decision_type: str) -> date:
            selection = Selection(self._agent_id, decision_type, shards=registered.write_shards)
            scanned = self._stores.decisions.scan(
                selection, span, newest_first=False, first=1, on_unreadable=skip_damaged
            )
            return next((date_of(one.timestamp_ms) for one in scanned), day)

        return min(map_concurrently(first_of, registered.decision_types), default=day)
