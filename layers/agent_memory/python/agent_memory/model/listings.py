"""Listings: answers that say what they leave out.

    complete    whether the listing contains everything that was asked for
    missing     what it does not contain: `id`, `reason` and `why` of each
    cursor      where to continue, if the rest can be read with another call

The reasons are the codes of errors (`damaged`, `too_large`, `in_cold_storage`, `unavailable`) and `limit`.
"""

import json
import marshal
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from typing_extensions import TypedDict

from agent_memory.core.errors import AgentMemoryError, Damaged, TooLarge, Unavailable
from agent_memory.core.fields import extensible
from agent_memory.core.http_limits import MAX_ESCAPED_BYTES

T = TypeVar("T")
R = TypeVar("R")

LIMIT = "limit"
"""The reason for what a number in the call, or a fixed maximum, left out."""

MAX_TOP_K = 1_000
"""The maximum number of entries that one recall returns."""

MAX_ANSWER_BYTES = 32_000_000
"""The size up to which an answer within the process is read into memory, as JSON."""

_NAMES_BYTES = 240_000
"""The size up to which a listing names what is missing; the rest is counted."""

MAX_RESPONSE_BYTES = MAX_ESCAPED_BYTES - _NAMES_BYTES - 16_000
"""The size of the entries of an HTTP response: what Lambda can return, less the names and the other members."""

_MAX_TEXT = 300
_WITHOUT_REFERENCES = 2
"""The version of `marshal` that writes each value in full, however often it occurs."""
_BYTES_PER_MARSHALLED = 8
"""At most: a control character is one byte there, and seven as JSON, where its backslash counts twice."""
_MAX_ITEMS_OF_JOB = 20
BAD_VALUES = (KeyError, ValueError, TypeError, AttributeError, IndexError, ArithmeticError, AgentMemoryError)
"""What is raised while a damaged item is read."""


@extensible
class MissingItem(TypedDict):
    """What a listing does not contain, and why; `id` is an id, a key, or the name of a part."""

    id: str
    reason: str
    why: str


class Listing(list[T]):
    """A list that says whether it is complete; it equals a plain list with the same entries.

    Attributes:
        missing: what the listing does not contain, each with `id`, `reason` and `why`.
        cursor: where to continue; None if nothing more can be read.
    """

    def __init__(
        self, entries: Iterable[T] = (), missing: Iterable[Mapping[str, Any]] = (), cursor: str | None = None
    ) -> None:
        super().__init__(entries)
        self.missing: list[dict[str, Any]] = [dict(one) for one in missing]
        self.cursor = cursor

    @property
    def complete(self) -> bool:
        """Whether it contains everything that was asked for."""
        return not self.missing and self.cursor is None

    def map(self, convert: Callable[[T], R]) -> "Listing[R]":
        """The listing with each entry converted."""
        return Listing(map(convert, self), self.missing, self.cursor)

    def members(self) -> dict[str, Any]:
        """`complete`, `missing` and `cursor`, as in the APIs."""
        return {"complete": self.complete, "missing": self.missing, "cursor": self.cursor}

    def body(self, name: str) -> dict[str, Any]:
        """The listing as in the HTTP API, with its entries under a name."""
        return {name: list(self), **self.members()}

    @classmethod
    def from_body(cls, body: Mapping[str, Any], name: str) -> Self:
        """The listing of a response; a service without these members returned everything that it had."""
        return cls(body[name], body.get("missing", ()), body.get("cursor"))


class Ranking(Listing[dict[str, Any]]):
    """The best entries of a ranking. It is complete if everything was ranked; `cursor` leads to the next best.

    Attributes:
        statistics: how frequent the words of the query are in what was ranked, and when it was; empty if not known.
    """

    def __init__(
        self,
        entries: Iterable[dict[str, Any]] = (),
        missing: Iterable[Mapping[str, Any]] = (),
        cursor: str | None = None,
        statistics: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(entries, missing, cursor)
        self.statistics = dict(statistics or {})

    @property
    def complete(self) -> bool:
        """Whether everything that meets the filters was ranked."""
        return not self.missing

    def body(self, name: str) -> dict[str, Any]:
        """The ranking as in the HTTP API."""
        return {**super().body(name), "statistics": self.statistics}

    @classmethod
    def from_body(cls, body: Mapping[str, Any], name: str) -> Self:
        """The ranking of a response; that of an earlier version has neither a cursor nor statistics."""
        return cls(body[name], body.get("missing", ()), body.get("cursor"), body.get("statistics"))


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A stored item that cannot be read, with its position in the order of the listing, as a sort key."""

    id: str
    error: AgentMemoryError
    sort_key: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The item as a listing names it."""
        return missing_item(self.id, self.error.code, str(self.error))


OnUnreadable = Callable[[Unreadable], None]
"""Is called with each item that a store cannot read and leaves out."""


def raise_error(one: Unreadable) -> None:
    """Raise the item's error: what a store does unless the caller names what is missing."""
    raise one.error


def parsed(item_id: str, parse: Callable[..., T], *stored: Any) -> T:
    """The value that `parse` makes of a stored item.

    Raises:
        Damaged: it is not an item of this package.
    """
    try:
        return parse(*stored)
    except BAD_VALUES as error:
        raise Damaged(f"{item_id:.{_MAX_TEXT}} is damaged or was written by another program: {error!r:.120}") from error


def missing_item(item_id: str, reason: str, why: str, **details: Any) -> dict[str, Any]:
    """What a listing does not contain."""
    return {"id": item_id[:_MAX_TEXT], "reason": reason, "why": why[:_MAX_TEXT], **details}


def too_large(item_id: str, *, read_directly: str) -> dict[str, Any]:
    """An entry that does not fit into an answer."""
    return missing_item(item_id, TooLarge.code, f"does not fit into this answer; read it with {read_directly}")


def named(missing: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What is missing, up to the size that an answer has for names; the rest is counted in a last entry."""
    size = AnswerSize(_NAMES_BYTES)
    kept = [one for one in missing if size.add(one)]
    if len(kept) == len(missing):
        return kept
    rest = len(missing) - len(kept)
    return [*kept, missing_item("others", LIMIT, f"{rest:,} more are missing than are named here", count=rest)]


def _size_bound(entry: Any) -> float:
    """A number that is not below the size of a JSON value as text."""
    try:
        return _BYTES_PER_MARSHALLED * len(marshal.dumps(entry, _WITHOUT_REFERENCES))
    except ValueError:  # not a plain value
        return math.inf


class AnswerSize:
    """The size of an answer while it is put together. One rule for all listings: an entry is added only if it fits."""

    def __init__(self, max_bytes: int) -> None:
        self._left = max_bytes
        self._unmeasured: list[Any] = []
        self._bound: float = 0

    def add(self, entry: Any, bound: float | None = None) -> bool:
        """Add a JSON value unless it exceeds what is left of the answer; returns whether it was added.

        Entries are measured only where a `bound` of their size, which is computed faster if it is not known, does not
        fit any more.
        """
        if bound is None:
            bound = _size_bound(entry)
        if self._bound + bound <= self._left:
            self._bound += bound
            self._unmeasured.append(entry)
            return True
        for one in self._unmeasured:
            self._fits(one)
        self._unmeasured, self._bound = [], 0
        return self._fits(entry)

    def _fits(self, entry: Any) -> bool:
        text = json.dumps(entry, separators=(",", ":"), ensure_ascii=False)
        size = len(text.encode("utf-8", "surrogatepass")) + text.count('"') + text.count("\\") + 1
        if size > self._left:
            return False
        self._left -= size
        return True


def skip_damaged(one: Unreadable) -> None:
    """Leave a damaged item out; raise any other error."""
    if not isinstance(one.error, Damaged):
        raise one.error


class Damages:
    """Collects damaged items for a caller that reads everything, as `on_unreadable`.

    What cannot be read at the moment is raised: a retry will read it, so that nothing is computed from less.
    """

    def __init__(self) -> None:
        self._items: dict[str, Unreadable] = {}

    def __call__(self, one: Unreadable) -> None:
        """Add a damaged item; raise any other error."""
        skip_damaged(one)
        self._items[one.id] = one

    def items(self) -> list[Unreadable]:
        """The damaged items, each once."""
        return list(self._items.values())

    def as_dicts(self) -> list[dict[str, Any]]:
        """The damaged items, each with `id`, `reason` and `why`."""
        return [one.as_dict() for one in self._items.values()]

    def members(self) -> dict[str, Any]:
        """`complete` and `missing`, as in a listing."""
        return {"complete": not self._items, "missing": named(self.as_dicts())}

    def figures(self) -> dict[str, Any]:
        """For the figures of a job: the number of damaged items, and the first of them by name."""
        return {"damaged": len(self._items), "damaged_items": self.as_dicts()[:_MAX_ITEMS_OF_JOB]}


def never_empty_by_outage(listing: Listing[T]) -> Listing[T]:
    """The listing; `Unavailable` if it is empty only because a store did not respond."""
    if not listing:
        for one in listing.missing:
            if one["reason"] == Unavailable.code:
                raise Unavailable(f"{one['id']}: {one['why']}")
    return listing


def fitting(
    entries: Iterable[T],
    *,
    as_dict: Callable[[T], Mapping[str, Any]],
    id_of: Callable[[T], str],
    max_bytes: int,
    missing: Iterable[Mapping[str, Any]] = (),
    read_directly: str,
) -> Listing[T]:
    """The entries that fit into one answer, in order; the others are named as too large.

    Raises:
        Unavailable: no entry is left, because a store did not respond.
    """
    size = AnswerSize(max_bytes)
    kept: list[T] = []
    left_out: list[Mapping[str, Any]] = []
    for entry in entries:
        if size.add(as_dict(entry)):
            kept.append(entry)
        else:
            left_out.append(too_large(id_of(entry), read_directly=read_directly))
    return never_empty_by_outage(Listing(kept, named([*missing, *left_out])))


def fitting_rows(
    rows: list[dict[str, Any]],
    unreadable: Iterable[Unreadable],
    *,
    id_of: Callable[[dict[str, Any]], str],
    max_bytes: int,
) -> Listing[dict[str, Any]]:
    """`fitting` for rows of an agent's memory, which `MemoryManager` reads without a limit."""
    missing = [one.as_dict() for one in unreadable]
    return fitting(rows, as_dict=dict, id_of=id_of, max_bytes=max_bytes, missing=missing, read_directly="MemoryManager")
