"""The interface of the decision log's table."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum, auto
from itertools import filterfalse
from typing import NamedTuple, Protocol, Self, cast

from agent_memory.core.clock import Span
from agent_memory.core.json_values import Document
from agent_memory.model.decision_text import has_words
from agent_memory.model.decisions import (
    Decision,
    DecisionDict,
    DecisionKey,
    Outcome,
    context_type_of,
    matches_context,
)
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
    """The decisions of an agent that meet every condition; without an index, a decision type is required.

    `context_type` is the canonical text of a market context, `context` has what `matches_context` compares, `words` are
    those that `has_words` looks for, and `is_pending` selects decisions without an outcome. `shards` is the number of
    write partitions that are read: those that the agent has used.
    """

    agent_id: str
    decision_type: str | None = None
    success: bool | None = None
    context_type: str | None = None
    shards: int = 1
    context: Document | None = None
    is_pending: bool = False
    words: tuple[str, ...] = ()

    @property
    def has_index(self) -> bool:
        """Whether the decisions are read from an index, that by context; else they are read by type."""
        return self.context_type is not None

    @property
    def needs_content(self) -> bool:
        """Whether what a decision says is compared, besides its type, its time and its success."""
        return self.context is not None or bool(self.words)

    @property
    def selects_by_type(self) -> bool:
        """Whether the type is the only condition, which all decisions of its partition meet."""
        others = (self.success, self.context_type, self.context, self.is_pending or None, self.words or None)
        return self.decision_type is not None and others == (None,) * len(others)

    def matches(self, decision: Decision) -> bool:
        """Whether a decision meets the conditions."""
        outcome = decision.outcome
        return (
            (self.decision_type is None or decision.decision_type == self.decision_type)
            and (self.success is None or (outcome is not None and outcome.success is self.success))
            and not (self.is_pending and outcome is not None)
            and (self.context_type is None or context_type_of(decision.context) == self.context_type)
            and (self.context is None or matches_context(decision.context, self.context))
            and (not self.words or has_words(decision, self.words))
        )


@dataclass(frozen=True, slots=True)
class Position:
    """How far a scan has come: it has read everything up to and including the decision with this time and id."""

    timestamp_ms: int
    decision_id: str


class Entry(Protocol):
    """What a listing needs of a decision. A store may have it in less time than the decision itself."""

    @property
    def timestamp_ms(self) -> int:
        """The time of the decision."""
        ...

    @property
    def decision_id(self) -> str:
        """The id of the decision."""
        ...

    @property
    def max_bytes(self) -> int | None:
        """A bound of the size of `as_dict()` as JSON; None if it has to be measured."""
        ...

    def as_dict(self) -> DecisionDict:
        """The decision as in the Python and HTTP APIs."""
        ...


class Alike(NamedTuple):
    """Decisions of a table that are alike in what statistics count.

    The outcome has the success of all of them, and the measurements that were asked for; what else is in it may differ.
    """

    decision_type: str
    context_type: str | None
    outcome: Outcome | None
    number: int

    @classmethod
    def of(cls, decision: Decision) -> Self:
        """One decision."""
        return cls(decision.decision_type, context_type_of(decision.context), decision.outcome, 1)


def decisions_only(found: Iterable[Decision | Position]) -> Iterator[Decision]:
    """The decisions among positions, without a call of Python code for each."""
    return cast("Iterator[Decision]", filterfalse(Position.__instancecheck__, found))


class Order(NamedTuple):
    """The order in which decisions are read, and the size of the first page; None for that of the store."""

    newest_first: bool = True
    first: int | None = None


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

    def check_outcome_fits(self, outcome: Outcome) -> None:
        """Raise `TooLarge` if `record_outcomes` would refuse a first outcome for its size."""
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
        by success or context type is read with eventual consistency. It has a decision type or a context type: stores
        may refuse one without (`ValueError`). `on_unreadable` is called before the decision after the unreadable one is
        returned, and possibly earlier. A damaged decision that
        certainly does not meet the conditions may be left out without a call.
        """
        return decisions_only(self.scan_with_positions(selection, span, Order(newest_first, first), on_unreadable))

    def scan_with_positions(
        self, selection: Selection, span: Span, order: Order, on_unreadable: OnUnreadable
    ) -> Iterator[Decision | Position]:
        """As `scan`, with a position after each request that the store needed, whatever it has found.

        A caller that has no more time stops at a position and continues after it later.
        """
        ...

    def scan_entries(
        self, selection: Selection, span: Span, order: Order, on_unreadable: OnUnreadable
    ) -> Iterator[Entry | Position]:
        """As `scan_with_positions`, for a listing."""
        return self.scan_with_positions(selection, span, order, on_unreadable)

    def count(
        self,
        selection: Selection,
        span: Span,
        measurements: Sequence[str],  # noqa: ARG002  for stores that put decisions together
        on_unreadable: OnUnreadable,
    ) -> Iterator[Alike]:
        """The numbers of decisions in a span that are alike, in any order.

        `measurements` are the names of members of an outcome, or of its metrics, that the caller needs.
        """
        return map(Alike.of, self.scan(selection, span, newest_first=False, on_unreadable=on_unreadable))

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
