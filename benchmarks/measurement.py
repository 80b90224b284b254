"""One row of `make bench`: what was measured, its goal, and the same work done by a peer."""

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A row.

    Attributes:
        name: what was measured.
        unit: of `ours` and `of_peer`.
        ours: the result; None if it was left out.
        goal: what the result, or its ratio to the peer's, is to reach; None if there is none.
        goal_of: which of the two.
        at_least: whether more is better.
        peer: what else was measured.
        of_peer: its result.
        is_exact: whether it is a count, which is the same on every machine.
        left_out: why it was not measured.
    """

    name: str
    unit: str
    ours: float | None = None
    goal: float | None = None
    goal_of: Literal["ours", "ratio"] = "ours"
    at_least: bool = False
    peer: str = ""
    of_peer: float | None = None
    is_exact: bool = False
    left_out: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours by the peer's."""
        return self.ours / self.of_peer if self.ours is not None and self.of_peer else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None if there is none, or the row was left out."""
        value = self.ours if self.goal_of == "ours" else self.ratio
        if value is None or self.goal is None:
            return None
        return value >= self.goal if self.at_least else value <= self.goal

    def as_dict(self) -> dict[str, Any]:
        """The row in `results.json`."""
        about = {"name": self.name, "unit": self.unit, "is_exact": self.is_exact}
        if self.left_out:
            return about | {"left_out": self.left_out}
        return about | {
            "ours": rounded(self.ours),
            "goal": self.goal,
            "goal_of": self.goal_of,
            "at_least": self.at_least,
            "peer": self.peer or None,
            "of_peer": rounded(self.of_peer),
            "ratio": rounded(self.ratio),
            "met": self.met,
        }


def rounded(value: float | None) -> float | None:
    """A number with four significant digits, integers as they are."""
    return value if value is None or float(value).is_integer() else float(f"{value:.4g}")
