"""Takes decisions from a stream up to a limit and a size, and keeps account of what is left out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from agent_memory.core.errors import Unavailable
from agent_memory.decisions.queries import sort_key
from agent_memory.model.decisions import DecisionDict
from agent_memory.model.listings import AnswerSize, OnUnreadable, Unreadable, too_large
from agent_memory.ports.decisions import Entry, Position

READ_DIRECTLY = "get_decision, or over HTTP with DecisionLogger"


E = TypeVar("E", bound=Entry)


@dataclass(slots=True)
class Collected(Generic[E]):
    """Decisions in order, and what is missing between them.

    Attributes:
        decisions: those that fit.
        entries: the same decisions as in the APIs.
        missing: what was left out up to `last`, each with its sort key.
        last: the sort key of the last decision that was taken or left out, or of the position at which the time was
            over; None if there was none.
        has_more: whether there may be more decisions after `last`.
        error: the failure that ended the stream early.
    """

    decisions: list[E] = field(default_factory=list)
    entries: list[DecisionDict] = field(default_factory=list)
    missing: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    last: str | None = None
    has_more: bool = False
    error: Unavailable | None = None

    def missing_items(self) -> list[dict[str, Any]]:
        """What is missing, without the sort keys."""
        return [one for _, one in self.missing]


def collect(
    read: Callable[[OnUnreadable], Iterator[E | Position]],
    *,
    limit: int,
    size: AnswerSize,
    newest_first: bool,
    looks_ahead: bool,
    stops_at_size: bool,
    time_is_over: Callable[[], bool] = lambda: False,
) -> Collected[E]:
    """Take decisions from the stream that `read` opens.

    Args:
        read: opens the stream; it is passed what to call with items that cannot be read.
        limit: the maximum number of decisions, including those that are too large.
        size: what is left of the answer.
        newest_first: the order of the stream.
        looks_ahead: read one decision more than the limit, to know whether there are more.
        stops_at_size: stop at a decision that does not fit, unless it is the first; else it is named as too large.
        time_is_over: whether to stop at the next position of the stream.
    """
    unreadable: list[Unreadable] = []
    found = Collected[E]()
    taken = 0
    last: E | Position | None = None
    try:
        for decision in read(unreadable.append):
            if isinstance(decision, Position):
                if time_is_over():
                    last, found.has_more = decision, True
                    break
                continue
            entry = decision.as_dict()
            if taken == limit:
                found.has_more = True
                break
            if size.add(entry, decision.max_bytes):
                found.decisions.append(decision)
                found.entries.append(entry)
            elif stops_at_size and found.decisions:
                found.has_more = True
                break
            else:
                left_out = too_large(decision.decision_id, read_directly=READ_DIRECTLY)
                found.missing.append((sort_key(decision), left_out))
            last, taken = decision, taken + 1
            if taken == limit and not looks_ahead:
                found.has_more = True
                break
    except Unavailable as error:
        found.error = error
    found.last = sort_key(last) if last is not None else None
    # Stores read ahead: what comes after the last decision belongs to the next page.
    found.missing += [
        (one.sort_key, one.as_dict()) for one in unreadable if not found.has_more or _precedes(one, found, newest_first)
    ]
    found.missing.sort(key=lambda one: one[0], reverse=newest_first)
    return found


def _precedes(one: Unreadable, found: Collected[E], newest_first: bool) -> bool:
    last = found.last or ""
    return one.sort_key > last if newest_first else one.sort_key < last
