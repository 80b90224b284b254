"""What the domain asks of a store. Adapters hold no policy: they read, write and refuse.

Every store raises `Unavailable` when the service behind it does not answer; none turns a failure
into an empty result.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from agent_memory.ids import shard_of
from agent_memory.keys import context_type_of
from agent_memory.models import Decision, Document, State
from agent_memory.outcomes import Report
from agent_memory.stores.short_term_commands import Command


class Written(StrEnum):
    """What became of one write."""

    CREATED = "created"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class DecisionKey:
    """Where a decision lies: all of it follows from the agent and the id."""

    agent_id: str
    decision_type: str
    timestamp_ms: int
    decision_id: str

    @classmethod
    def of(cls, decision: Decision) -> "DecisionKey":
        """The key of a decision at hand."""
        return cls(decision.agent_id, decision.decision_type, decision.timestamp_ms, decision.decision_id)

    @property
    def shard(self) -> int:
        """The write partition that the decision lies in."""
        return shard_of(self.decision_id)


@dataclass(frozen=True, slots=True)
class Span:
    """Moments from `start_ms` up to, not including, `end_ms`."""

    start_ms: int
    end_ms: int


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

    def insert(self, decisions: Sequence[Decision]) -> list[Written]:
        """Write each decision unless its id is taken: CREATED, UNCHANGED or CONFLICT, in order.

        All are checked before the first is written. Raises `InvalidInput` for one that cannot be stored.
        """
        ...

    def record_outcomes(self, reports: Sequence[tuple[DecisionKey, Report]]) -> list[Written]:
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

    def bring_back(self, decisions: Sequence[Decision]) -> None:
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


@dataclass(frozen=True, slots=True)
class Registration:
    """What an agent is known to have used: its decision types, sorted, and the most write shards."""

    decision_types: tuple[str, ...] = ()
    write_shards: int = 1


class StateStore(Protocol):
    """Small named states of an agent, each with a version, and the register of agents."""

    def get(self, agent_id: str, state_type: str) -> State | None:
        """The state, or None."""
        ...

    def put(
        self,
        agent_id: str,
        state_type: str,
        data: Document,
        *,
        expected_version: int,
        now_ms: int,
        beside: Mapping[str, Document] | None = None,
    ) -> State:
        """Write the state, given that its version is `expected_version` (0: none yet); else `Conflict`.

        `beside` holds other states by their type, each written as a first version together with it or not at all.
        """
        ...

    def below(self, agent_id: str, prefix: str) -> list[tuple[str, State]]:
        """The states whose type begins with a prefix, in order of their type, with the rest of that."""
        ...

    def remove(self, agent_id: str, state_type: str) -> None:
        """Remove a state, if it is there."""
        ...

    def register(self, agent_id: str, decision_types: Iterable[str], write_shards: int, now_ms: int) -> None:
        """Note that an agent makes decisions of these types, spread over so many shards."""
        ...

    def registration(self, agent_id: str) -> Registration:
        """What is registered of an agent; nothing of an unknown one."""
        ...

    def agents(self) -> list[str]:
        """Every registered agent, sorted."""
        ...

    def erase(self, agent_id: str, *, dry_run: bool) -> int:
        """Erase an agent's states and its registration, or only count them; returns how many."""
        ...


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of an object of `size` bytes, from `start` on. Two parts with one `tag` are of the same version of it."""

    body: bytes
    start: int
    size: int
    tag: str


class BlobStore(Protocol):
    """Whole objects under keys."""

    def read(self, key: str) -> bytes | None:
        """The object, or None where there is none; `InColdStorage` where it has to be restored first."""
        ...

    def restore(self, key: str) -> None:
        """Ask for an object in cold storage to be readable for a week; nothing happens to others."""
        ...

    def read_part(self, key: str, start: int, end: int | None = None) -> Part | None:
        """Bytes `start` up to, not including, `end`; a negative start counts from the end. None where there is none.

        A part that reaches beyond the object is cut to it.
        """
        ...

    def write(self, key: str, body: bytes) -> None:
        """Write the object, replacing an earlier one."""
        ...

    def list_keys(self, prefix: str) -> list[str]:
        """The keys of all objects below a prefix, in key order."""
        ...

    def list_prefixes(self, prefix: str) -> list[str]:
        """The 'folders' directly under a prefix, in key order, each ending in '/'."""
        ...

    def erase(self, prefix: str, *, dry_run: bool) -> int:
        """Erase the objects below a prefix with all their versions, or only count these; returns how many."""
        ...


class ShortTermStore(Protocol):
    """Values that vanish by themselves."""

    def run(self, commands: Sequence[Command]) -> list[Any]:
        """What each command answers, in order. They take effect together, in one round trip.

        Raises `TypeError` or `ValueError` for what is no JSON; nothing is done then.
        """
        ...

    def count(self, prefix: str) -> int:
        """How many keys begin with this prefix."""
        ...

    def dump(self, prefix: str) -> Iterator[tuple[str, Any]]:
        """Every key below a prefix with its value, in no order."""
        ...

    def erase(self, prefix: str, pattern: str = "*", *, dry_run: bool) -> int:
        """Erase the keys below a prefix whose rest matches a glob pattern, or only count them; returns how many."""
        ...
