"""Advice in a replay: from the estimates as they were when each replayed day began, and from that day's own results.

A replay is simulated from its first cycle on in every run, so that the advice of a past day has to be what it was then.
"""

import contextlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from agent_memory.core.clock import parse_instant
from agent_memory.learning.estimate_update import RecentResult, with_recent
from agent_memory.learning.expected_results import estimate_id, expected_result
from agent_memory.memory.matching import facts_of

Record = dict[str, Any]

_ESTIMATE = estimate_id("SIGNAL_GENERATION", "reasoning.source")


class Estimates(Protocol):
    """Where estimates are read; `MemoryManager` and `AgentMemoryClient` are such."""

    async def retrieve_ltm(
        self, memory_type: str, filters: Record | None = None, *, as_of: datetime | None = None
    ) -> Sequence[Record]:
        """Memories of a type, with `as_of` as they were at that time."""
        ...


class EstimatesCopy:
    """The estimate that each replayed day began with, in a file of a line per day.

    A memory has a version for each day, so that reading one of months ago from the table reads hundreds.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: dict[str, Record | None] = {}
        with contextlib.suppress(OSError):
            for line in path.read_text(encoding="utf-8").splitlines():
                with contextlib.suppress(ValueError):  # of a run that was killed while it wrote
                    self._lines.update(json.loads(line))

    def has(self, day: datetime) -> bool:
        """Whether a day is in the copy."""
        return day.isoformat() in self._lines

    def of(self, day: datetime) -> Record | None:
        """The estimate of a day that is in the copy; None if there was none on that day."""
        return self._lines[day.isoformat()]

    def add(self, day: datetime, estimate: Record | None) -> None:
        """Add the estimate of a day. `OSError` if it cannot be written."""
        self._lines[day.isoformat()] = estimate
        with self._path.open("a", encoding="utf-8") as lines:
            lines.write("\n" + json.dumps({day.isoformat(): estimate}))

    def clear(self) -> None:
        """Remove all, as for a new replay."""
        self._lines.clear()
        self._path.unlink(missing_ok=True)


class DayEstimates:
    """The hunter's adviser in a replay. It reads the estimate of sources once a day, from the copy if that has it."""

    def __init__(self, estimates: Estimates, copy: EstimatesCopy | None = None) -> None:
        self._estimates = estimates
        self._copy = copy
        self._day: datetime | None = None
        self._estimate: Record | None = None

    async def begin(self, at: datetime) -> None:
        """Use what was known when the UTC day of a cycle began.

        Raises:
            Unavailable: the table did not respond.
        """
        midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
        if midnight != self._day:
            self._day, self._estimate = midnight, await self._of(midnight)

    def judged(self, signals: Iterable[tuple[Record, bool]]) -> None:
        """Count signals of which it became known on this day whether they were right."""
        if self._estimate is not None:
            results = [
                RecentResult(one["reasoning"]["source"], facts_of(one["context"]), float(success))
                for one, success in signals
            ]
            self._estimate = with_recent(self._estimate, "success", results)

    async def advise(self, _: str, context: Mapping[str, Any], options: Sequence[str], /, **__: Any) -> Record:
        """What to expect of each source in a context, as `MemoryManager.advise` says it; always by recent results."""
        facts = facts_of(dict(context))
        expected = {option: expected_result(self._estimate, "success", option, facts) for option in options}
        return {
            "options": [
                {"option": option, "expected": one.mean, "is_prior": one.is_prior} for option, one in expected.items()
            ],
            "memory_ids": [_ESTIMATE] if self._estimate is not None else [],
        }

    async def _of(self, midnight: datetime) -> Record | None:
        if self._copy is not None and self._copy.has(midnight):
            return self._copy.of(midnight)
        found = await self._read(None)
        if found is not None and parse_instant(found["updated_at"]) > parse_instant(midnight):
            found = await self._read(midnight)  # this day was replayed in an earlier run
        if self._copy is not None:
            self._copy.add(midnight, found)
        return found

    async def _read(self, as_of: datetime | None) -> Record | None:
        found = await self._estimates.retrieve_ltm(
            "ESTIMATE", {"pattern_id": _ESTIMATE, "status": "active"}, as_of=as_of
        )
        return next(iter(found), None)
