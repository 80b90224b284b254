"""Counts of decisions under names, and the success rates they give."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from agent_memory.learning.intervals import wilson_interval

Name = TypeVar("Name", bound=Any)


@dataclass(slots=True)
class Tally:
    """How many decisions there are, how many have an outcome, and how many succeeded."""

    decisions: int = 0
    with_outcome: int = 0
    succeeded: int = 0

    def add(self, success: bool | None) -> Self:
        """Count one decision; None while its outcome is unknown."""
        self.decisions += 1
        self.with_outcome += success is not None
        self.succeeded += success is True
        return self

    def rate(self) -> dict[str, Any]:
        """Success rate with its 95 % Wilson interval, each None where no outcome is known."""
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
