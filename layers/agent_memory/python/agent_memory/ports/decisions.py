"""The interface of the decision log's table."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Protocol

from agent_memory.core.clock import Span
from agent_memory.model.decisions import Decision, DecisionKey, Outcome, context_type_of
from agent_memory.model.listings import OnUnreadable, raise_error
from agent_memory.model.outcomes import OutcomeUpdate


class WriteStatus(StrEnum):
    """The result of one write."""

    CREATED = auto()
    UNCHANGED = auto()
    """It was there already, with the same content."""
    CONFLICT = auto()
    """It is there with other content, or another writer came first."""
    NOT_FOUND = auto()
    """The decision of an outcome is not there."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The decisions of an agent that meet every condition that is not None; one condition at least is required.

    `context_type` is the canonical text of a market context. `shards` is the number of write partitions that are read:
    those that the agent has used.
    """

    agent_id: str
    decision_type: str | None = None
    success: bool | None = None
    context_type: str | None = None
    shards: int = 1

    def matches(self, decision: Decision) -> bool:
        """Whether a decision meets the conditions."""
        outcome = decision.outcome
        return (
            (self.decision_type is None or decision.decision_type == self.decision_type)
            and (self.success is None or (outcome is not None and outcome.success is self.success))
            and (self.context_type is None or context_type_of(decision.context) == self.context_type)
        )


@dataclass(frozen=True, slots=True)
class Link:
    """A link from an earlier decision to one that followed from it, with the number of steps between them."""

    ancestor_id: str
    steps: int
    descendant: DecisionKey


class DecisionStore(Protocol):
    """The table of the decision log. Nothing is overwritten: decisions and outcomes are facts."""

    def insert(self, decisions: Sequence[Decision]) -> list[WriteStatus]:
        """Write each decision unless its id is taken: CREATED, UNCHANGED or CONFLICT, in order.

        All are checked before the first is written. Raises `InvalidInput` if one cannot be stored.
        """
        ...

    def record_outcomes(self, updates: Sequence[tuple[DecisionKey, OutcomeUpdate]]) -> list[WriteStatus]:
        """Apply each outcome: CREATED, UNCHANGED, CONFLICT or NOT_FOUND, in order; see `apply_outcome`."""
        ...

    def check_decision_fits(self, decision: Decision) -> None:
        """Raise `TooLarge` if `insert` would refuse the decision for its size. Nothing is requested or written."""
        ...

    def check_outcome_fits(self, key: DecisionKey, outcome: Outcome) -> None:
        """Raise `TooLarge` if `record_outcomes` would refuse a first outcome for its size; the key's type is unused."""
        ...

    def get(self, keys: Sequence[DecisionKey], *, on_unreadable: OnUnreadable = raise_error) -> list[Decision | None]:
        """The decisions with these keys, in order; None for those that are not in the table, or cannot be read."""
        ...

    def scan(
        self,
        selection: Selection,
        span: Span,
        *,
        newest_first: bool = True,
        first: int | None = None,
        on_unreadable: OnUnreadable = raise_error,
    ) -> Iterator[Decision]:
        """Decisions in a span, ordered by time and id; pages are read as they are consumed.

        `first` is the number of decisions that the caller probably needs, and the size of the first page. A selection
        by success or context type is read from an index, which is eventually consistent. `on_unreadable` is called
        before the decision after the unreadable one is returned, and possibly earlier.
        """
        ...

    def keys_by_outcome(self, agent_id: str, span: Span, *, success: bool, shards: int) -> Iterator[DecisionKey]:
        """The keys of the decisions in a span with this success, ordered by time and id; read as they are consumed.

        This costs a fraction of reading the decisions. An outcome of the last seconds may be missing. `shards` is as in
        `Selection`.
        """
        ...

    def expire(self, decisions: Sequence[Decision], at_ms: Sequence[int]) -> list[bool]:
        """Set the expiry of each decision whose outcomes are unchanged; returns whether it was set, in order.

        A later outcome removes the expiry.
        """
        ...

    def restore(self, decisions: Sequence[Decision]) -> None:
        """Write decisions that have expired from the table back, with their outcomes."""
        ...

    def replace_outcomes(self, earlier: Decision, later: Decision) -> bool:
        """Store the outcomes of `later` with a decision whose stored version is `earlier`; returns whether it was.

        `later` has to follow from `earlier` by recorded changes, see `model.outcomes.follows`.
        """
        ...

    def link(self, links: Sequence[Link]) -> None:
        """Record which decisions followed from earlier ones. Recording a link again changes nothing."""
        ...

    def links_from(
        self, agent_id: str, ancestor_id: str, *, limit: int, on_unreadable: OnUnreadable = raise_error
    ) -> list[Link]:
        """The links to the decisions that followed from one, oldest first, up to `limit`."""
        ...

    def erase(self, agent_id: str, *, dry_run: bool) -> int:
        """Erase an agent's decisions and links, or only count them; returns how many."""
        ...
