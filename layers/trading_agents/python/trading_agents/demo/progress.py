"""The progress of a replay, from which a later run continues without repeating anything."""

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from agent_memory.ports.states import StateStore

STATE_TYPE = "DEMO_REPLAY"


@dataclass(frozen=True, slots=True)
class ReplayProgress:
    """The parameters that the first run fixed, and how far the replay has come.

    Attributes:
        bars: Fingerprint of the replayed bars.
        days: Days that the first run was asked for.
        start: Hour of the first cycle, ISO 8601 in UTC.
        cycles: Cycles whose decisions are logged, with the outcomes of all but the last.
        jobs_through: Last day whose nightly job has run, as `YYYY-MM-DD`; empty before the first.
    """

    bars: str
    days: int
    start: str
    cycles: int = 0
    jobs_through: str = ""

    @classmethod
    def begin(cls, *, bars: str, days: int, now: datetime) -> Self:
        """Return a replay of `days` times 24 hourly cycles, the last of which is at the full hour before `now`."""
        last = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        return cls(bars, days, (last - timedelta(hours=days * 24 - 1)).isoformat())

    @property
    def started_at(self) -> datetime:
        """Hour of the first cycle."""
        return datetime.fromisoformat(self.start)

    def after_cycles(self, cycles: int) -> Self:
        """Return the progress after this many cycles are logged."""
        return replace(self, cycles=max(self.cycles, cycles))

    def after_job(self, day: date) -> Self:
        """Return the progress after the nightly job of `day`."""
        return replace(self, jobs_through=day.isoformat())

    def to_data(self) -> dict[str, Any]:
        """Return the progress as it is stored."""
        data = asdict(self)
        data["nights_through"] = data.pop("jobs_through")
        return data

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Return the progress that was stored."""
        cycles, jobs_through = data.get("cycles", 0), data.get("nights_through", "")
        return cls(data["bars"], data["days"], data["start"], cycles, jobs_through)


@dataclass(slots=True)
class ProgressStore:
    """Stores the progress as a state of the agent.

    Each save expects the version of the last one, so that two replays of one agent cannot run side by side.
    """

    states: StateStore
    agent_id: str
    now: Callable[[], datetime]
    version: int = 0

    def load(self) -> ReplayProgress | None:
        """Return the progress of an earlier run, if there was one."""
        state = self.states.get(self.agent_id, STATE_TYPE)
        if state is None:
            return None
        self.version = state.version
        return ReplayProgress.from_data(state.data)

    def save(self, progress: ReplayProgress) -> None:
        """Store the progress.

        Raises:
            Conflict: another run has saved in the meantime.
        """
        now_ms = int(self.now().timestamp() * 1000)
        state = self.states.put(
            self.agent_id, STATE_TYPE, progress.to_data(), expected_version=self.version, now_ms=now_ms
        )
        self.version = state.version


@dataclass(frozen=True, slots=True)
class ProgressCopy:
    """A copy of the progress in a file, which can be read before the local cloud is started."""

    path: Path

    def load(self) -> ReplayProgress | None:
        """Return the progress, or None if there is no readable copy."""
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
            return ReplayProgress.from_data(json.loads(self.path.read_text(encoding="utf-8")))
        return None

    def save(self, progress: ReplayProgress) -> None:
        """Write the copy. `OSError` if it fails."""
        self.path.write_text(json.dumps(progress.to_data()), encoding="utf-8")


def hour_text(time: datetime) -> str:
    """Return a time as displayed: `2026-11-20 14:00 UTC`."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
