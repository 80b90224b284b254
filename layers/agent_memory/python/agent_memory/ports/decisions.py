"""What the domain asks of a store. Adapters hold no policy: they read, write and refuse.

Every store raises `Unavailable` when the service behind it does not answer; none turns a failure
into an empty result.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from agent_memory.core.clock import Span
from agent_memory.model.decisions import Decision, DecisionKey, context_type_of
from agent_memory.model.outcomes import OutcomeUpdate


class WriteStatus(StrEnum):
    """What became of one write."""

    CREATED = "created"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which of an agent's decisions to read: those that meet all of what is given, one thing at least.

    `context_type` is the canonical text of a whole market context. `shards` tells how many write partitions the
    agent has used; what lies beyond is not read.
    """

    agent_id: str
    decision_type: str | None = None
    success: bool | None = None
    context_type: str | None = None
    shards: int = 1

    def matches(self, decision: Decision) -> bool:
        """Whether a decision meets the selection."""
        outcome = decision.outcome
        return (
            (self.decision_type is None or decision.decision_type == self.decision_type)
            and (self.success is None or (outcome is not None and outcome.success is self.success))
            and (self.context_type is None or context_type_of(decision.context) == self.context_type)
        )


@dataclass(frozen=True, slots=True)
class Link:
    """Says that a decision came of an earlier one, so many steps before it."""

    ancestor_id: str
    steps: int
    descendant: DecisionKey


class DecisionStore(Protocol):
    """The hot decision log. Nothing in it is overwritten: decisions and outcomes are facts."""

    def insert(self, decisions: Sequence[Decision]) -> list[WriteStatus]:
        """Write each decision unless its id is taken: CREATED, UNCHANGED or CONFLICT, in order.

        All are checked before the first is written. Raises `InvalidInput` for one that cannot be stored.
        """
        ...

    def record_outcomes(self, reports: Sequence[tuple[DecisionKey, OutcomeUpdate]]) -> list[WriteStatus]:
        """Take in each outcome: CREATED, UNCHANGED, CONFLICT or NOT_FOUND, in order; see `outcomes.settled`."""
        ...

    def get(self, keys: Sequence[DecisionKey]) -> list[Decision | None]:
        """The decisions with these keys, in order; None for what is not here."""
        ...

    def scan(
        self, wanted: Selection, span: Span, *, newest_first: bool = True, first: int | None = None
    ) -> Iterator[Decision]:
        """Decisions in a span, ordered by time and id; read page by page as they are taken.

        `first` tells how many the caller probably takes: no more are read at first. By success or context type the
        order comes from an index, which follows the table within moments.
        """
        ...

    def expire(self, decisions: Sequence[Decision], at_ms: Sequence[int]) -> list[bool]:
        """Let each decision vanish from its own moment on, given that its outcomes are still those at hand.

        Returns whether each does, in order. An outcome that comes later takes the expiry away again.
        """
        ...

    def restore(self, decisions: Sequence[Decision]) -> None:
        """Write decisions that had left, with their outcomes, unless they are here."""
        ...

    def link(self, links: Sequence[Link]) -> None:
        """Note what came of earlier decisions. The same link again changes nothing."""
        ...

    def links_from(self, agent_id: str, ancestor_id: str, *, most: int) -> list[Link]:
        """What came of a decision, oldest first, up to `most` links."""
        ...

    def erase(self, agent_id: str, *, dry_run: bool) -> int:
        """Erase an agent's decisions and links, or only count them; returns how many."""
        ...
