"""Where a replay stands, so that a later run goes on from there and repeats nothing."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Self

from agent_memory.core.clock import to_iso
from agent_memory.ports.states import StateStore

STATE_TYPE = "DEMO_REPLAY"


@dataclass(frozen=True, slots=True)
class ReplayProgress:
    """What an earlier run fixed, and how far it came.

    Attributes:
        bars: Fingerprint of the replayed bars.
        days: Days that the first run was asked for.
        start: Hour of the first cycle, ISO 8601 in UTC.
        cycles: Cycles whose decisions are logged; the outcomes of all but the last of them are too.
        nights_through: Last day whose night has been, as `YYYY-MM-DD`; empty before the first.
    """

    bars: str
    days: int
    start: str
    cycles: int = 0
    nights_through: str = ""

    @classmethod
    def begin(cls, *, bars: str, days: int, now: datetime) -> Self:
        """A replay of `days` times 24 cycles, one an hour, of which the last is at or just before `now`."""
        last = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        return cls(bars, days, (last - timedelta(hours=days * 24 - 1)).isoformat())

    @property
    def started_at(self) -> datetime:
        """Hour of the first cycle."""
        return datetime.fromisoformat(self.start)

    def after_cycles(self, cycles: int) -> Self:
        """The progress once so many cycles are logged."""
        return replace(self, cycles=max(self.cycles, cycles))

    def after_night(self, day: date) -> Self:
        """The progress once the night of `day` has been."""
        return replace(self, nights_through=day.isoformat())


@dataclass(slots=True)
class ProgressStore:
    """Keeps the progress in the agent's own state.

    Each save expects the version it last saw, so that two replays of one agent cannot go on side by side.
    """

    states: StateStore
    agent_id: str
    now: Callable[[], datetime]
    version: int = 0

    def load(self) -> ReplayProgress | None:
        """The progress of an earlier run, if there was one."""
        state = self.states.get(self.agent_id, STATE_TYPE)
        if state is None:
            return None
        self.version = state.version
        return ReplayProgress(**state.data)

    def save(self, progress: ReplayProgress) -> None:
        """Write the progress.

        Raises:
            Conflict: another run has saved in between.
        """
        data: dict[str, Any] = asdict(progress)
        now_ms = int(self.now().timestamp() * 1000)
        state = self.states.put(self.agent_id, STATE_TYPE, data, expected_version=self.version, now_ms=now_ms)
        self.version = state.version


def hour_text(moment: datetime) -> str:
    """A moment for people: `2026-11-20 14:00 UTC`."""
    return f"{to_iso(int(moment.timestamp() * 1000))[:16].replace('T', ' ')} UTC"
