"""Queries of the decision log: filters, pages and cursors."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Literal

from agent_memory.core import ids, keys
from agent_memory.core.clock import END_OF_TIME_MS, Instant, Span, parse_instant
from agent_memory.core.errors import InvalidInput, shown
from agent_memory.core.json_values import Document, canonical_json, check_object, plain_json
from agent_memory.model.decisions import DecisionDict, context_type_of
from agent_memory.model.listings import Listing
from agent_memory.ports.decisions import Entry, Position, Selection

TimeRange = tuple[Instant | None, Instant | None]
"""Start (included) and end (not included); None leaves that side open."""

SuccessFilter = bool | Literal["pending"] | None
"""True or False for decisions with that headline outcome, "pending" for those without an outcome, None for all."""

MAX_PAGE = 1_000
_ALL_TIME = Span(0, END_OF_TIME_MS)
_ARGUMENTS = {"success": "success_filter"}  # where the argument has another name than the field


@dataclass(frozen=True, slots=True)
class DecisionFilter:
    """The conditions of a query; None means no condition.

    `context` has fields that a decision's context must have; those that the context itself lacks are looked up in its
    `market`. `context_type` is the complete market context as canonical text, `trend=bullish|volatility=high`, for
    which the table has an index. `text` has words, each of which a decision must have somewhere, in capitals or not.
    """

    decision_type: str | None = None
    time_range: TimeRange | None = None
    success: SuccessFilter = None
    context: Document | None = None
    context_type: str | None = None
    text: str | None = None

    def __post_init__(self) -> None:
        if self.context is not None:
            object.__setattr__(self, "context", check_object("context_filter", self.context))
        for name in ("success", "context_type", "decision_type", "text"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, plain_json(value, _ARGUMENTS.get(name, name)))
        if self.time_range is not None:
            object.__setattr__(self, "time_range", _pair(self.time_range))

    def validated(self) -> "DecisionFilter":
        """Return the filter itself, or raise `InvalidInput`, which names the argument."""
        if self.decision_type is not None:
            ids.check_decision_type(self.decision_type)
        if self.success is not None and self.success != "pending" and not isinstance(self.success, bool):
            raise InvalidInput("success_filter", f"{shown(self.success)} is not true, false or pending")
        if self.context_type is not None and not (self.context_type and isinstance(self.context_type, str)):
            raise InvalidInput("context_type", "expected text such as trend=bullish|volatility=high")
        if self.text is not None and not isinstance(self.text, str):
            raise InvalidInput("text", "expected words with spaces between them")
        self.span()
        return self

    def span(self) -> Span:
        """The span of the time range."""
        if self.time_range is None:
            return _ALL_TIME
        start, end = self.time_range
        span = Span(
            _ALL_TIME.start_ms if start is None else parse_instant(start, "time_range/start"),
            _ALL_TIME.end_ms if end is None else parse_instant(end, "time_range/end"),
        )
        if span.start_ms > span.end_ms:
            raise InvalidInput("time_range", "the start is after the end")
        return span

    def selection(self, agent_id: str, shards: int) -> Selection:
        """The conditions without the time range, as stores evaluate them."""
        return Selection(
            agent_id,
            decision_type=self.decision_type,
            success=self.success if isinstance(self.success, bool) else None,
            context_type=_plain_market(self.context) if self.context_type is None else self.context_type,
            shards=shards,
            context=self.context or None,
            is_pending=self.success == "pending",
            words=self.words,
        )

    @property
    def words(self) -> tuple[str, ...]:
        """The words of the text."""
        return tuple(dict.fromkeys((self.text or "").split()))

    @property
    def is_filtered(self) -> bool:
        """Whether there are conditions besides the type and the time, so that not all that is read is returned."""
        return bool(self.context or self.words) or self.success is not None or self.context_type is not None

    def digest(self, agent_id: str) -> str:
        """Eight hexadecimal characters that identify the agent and the filter without its time range."""
        conditions = [agent_id, self.decision_type, self.success, self.context, self.context_type, *self.words]
        return hashlib.sha256(canonical_json(conditions).encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Page:
    """Decisions in order; the listing has the same decisions as in the APIs, what is missing, and the cursor.

    The cursor is None on the last page. If the query has conditions besides the type and the time, a page may have
    fewer decisions than its limit, or none, before the last one: it ends when its time is over.
    """

    decisions: Sequence[Entry]
    listing: Listing[DecisionDict]

    @property
    def cursor(self) -> str | None:
        """The cursor of the next page."""
        return self.listing.cursor

    def as_dict(self) -> dict[str, Any]:
        """The page as in the APIs."""
        return self.listing.body("decisions")


def sort_key(one: Entry | Position) -> str:
    """The key by which decisions are ordered, as text."""
    return keys.decision_sk(one.timestamp_ms, one.decision_id)


def make_cursor(agent_id: str, criteria: DecisionFilter, last: str, *, newest_first: bool) -> str:
    """An opaque cursor: the sort key at which a page ended, and a digest of the query for which it is valid."""
    return base64.urlsafe_b64encode(f"{_query_digest(agent_id, criteria, newest_first)}{last}".encode()).decode()


def read_cursor(agent_id: str, criteria: DecisionFilter, cursor: object, *, newest_first: bool) -> str:
    """The sort key of the last decision of the previous page.

    Raises:
        InvalidInput: not a cursor, or a cursor of another query or of another agent.
    """
    query_digest, after = _decoded(cursor)
    if query_digest != _query_digest(agent_id, criteria, newest_first):
        message = "belongs to another query; use the agent, the filters and the order of the first page"
        raise InvalidInput("cursor", message)
    return after


def place_of(cursor: str) -> str:
    """The sort key in a cursor of any query. Raises `InvalidInput` if it is not a cursor."""
    return _decoded(cursor)[1]


def _decoded(cursor: object) -> tuple[str, str]:
    """The digest of the query, and the sort key."""
    try:
        text = base64.urlsafe_b64decode(str(cursor).encode()).decode()
        query_digest, after = text[:9], text[9:]
        time, _, decision_id = after.partition("#")
        # Sort keys are compared as text, so that another text of the same time is another place.
        is_sort_key = keys.decision_sk(parse_instant(time), ids.check_decision_id(decision_id)) == after
    except (ValueError, InvalidInput) as error:
        raise _no_cursor() from error
    if not is_sort_key:
        raise _no_cursor()
    return query_digest, after


def _no_cursor() -> InvalidInput:
    return InvalidInput("cursor", "not the cursor of a page; pass it unchanged")


def _query_digest(agent_id: str, criteria: DecisionFilter, newest_first: bool) -> str:
    return f"{criteria.digest(agent_id)}{'n' if newest_first else 'o'}"


def span_after(span: Span, after: str, *, newest_first: bool) -> Span:
    """The part of a span in which the decisions after a sort key are."""
    time_ms = parse_instant(after.partition("#")[0], "cursor")
    if newest_first:
        return Span(span.start_ms, min(span.end_ms, time_ms + 1))
    return Span(max(span.start_ms, time_ms), span.end_ms)


def _pair(time_range: Any) -> TimeRange:
    """A time range as a tuple; its times may be of any class."""
    try:
        start, end = time_range
    except (TypeError, ValueError) as error:
        raise _no_pair() from error
    if isinstance(time_range, str | Mapping | AbstractSet):
        raise _no_pair()
    return start, end


def _no_pair() -> InvalidInput:
    return InvalidInput("time_range", "expected a pair: start (included) and end (not included)")


def _plain_market(context: Document | None) -> str | None:
    """The context type that a context filter implies: a `market` that is text is the complete market context."""
    market = (context or {}).get("market")
    return context_type_of({"market": market}) if isinstance(market, str) else None
