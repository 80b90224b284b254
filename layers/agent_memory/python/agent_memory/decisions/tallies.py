"""Counts of decisions by name, and their success rates."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from agent_memory.learning.intervals import wilson_interval

Name = TypeVar("Name", bound=Any)


@dataclass(slots=True)
class Tally:
    """The numbers of decisions, of those that have an outcome, and of those that succeeded."""

    decisions: int = 0
    with_outcome: int = 0
    succeeded: int = 0

    def add(self, success: bool | None) -> Self:
        """Count one decision; `success` is None if it has no outcome yet."""
        self.decisions += 1
        self.with_outcome += success is not None
        self.succeeded += success is True
        return self

    def rate(self) -> dict[str, Any]:
        """The success rate with its 95 % Wilson interval; all three are None if there are no outcomes."""
        counts = {"with_outcome": self.with_outcome, "succeeded": self.succeeded}
        if not self.with_outcome:
            return {**counts, "success_rate": None, "low": None, "high": None}
        rate = self.succeeded / self.with_outcome
        low, high = wilson_interval(rate, self.with_outcome)
        return {**counts, "success_rate": rate, "low": low, "high": high}


def count(tallies: dict[Name, Tally], names: Iterable[Name], success: bool | None) -> None:
    """Count one decision under each of its names."""
    for name in names:
        tallies.setdefault(name, Tally()).add(success)
