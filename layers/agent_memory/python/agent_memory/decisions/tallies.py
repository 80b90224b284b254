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

    def add(self, success: bool | None, decisions: int = 1) -> Self:
        """Count decisions that are alike; `success` is None if they have no outcome yet."""
        return self.merge(decisions, decisions * (success is not None), decisions * (success is True))

    def merge(self, decisions: int, with_outcome: int, succeeded: int) -> Self:
        """Add the numbers of other decisions."""
        self.decisions += decisions
        self.with_outcome += with_outcome
        self.succeeded += succeeded
        return self

    def rate(self) -> dict[str, Any]:
        """The success rate with its 95 % Wilson interval; all three are None if there are no outcomes."""
        counts = {"with_outcome": self.with_outcome, "succeeded": self.succeeded}
        if not self.with_outcome:
            return {**counts, "success_rate": None, "low": None, "high": None}
        rate = self.succeeded / self.with_outcome
        low, high = wilson_interval(rate, self.with_outcome)
        return {**counts, "success_rate": rate, "low": low, "high": high}


def count(tallies: dict[Name, Tally], names: Iterable[Name], success: bool | None, decisions: int = 1) -> None:
    """Count decisions that are alike under each of their names."""
    for name in names:
        tallies.setdefault(name, Tally()).add(success, decisions)
