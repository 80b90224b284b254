"""What may be asked of the decision log: filters, pages and cursors."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from agent_memory.core import ids, keys
from agent_memory.core.clock import END_OF_TIME_MS, Instant, Span, parse_instant
from agent_memory.core.errors import InvalidInput
from agent_memory.core.ids import parse_decision_id
from agent_memory.core.json_values import Document, canonical_json
from agent_memory.model.decisions import Decision, context_type_of
from agent_memory.ports.decisions import Selection

TimeRange = tuple[Instant | None, Instant | None]
"""From, up to and not including; None leaves that side open."""

SuccessFilter = bool | Literal["pending"] | None
"""True or False by the headline outcome, "pending" while there is none, None for any."""

MAX_PAGE = 1_000
_ALL_TIME = Span(0, END_OF_TIME_MS)


@dataclass(frozen=True, slots=True)
class DecisionFilter:
    """Which decisions are wanted; what is None does not restrict.

    `context` is a part of the context; names that the context lacks are looked for in its `market`. `context_type`
    is the whole market context as canonical text, `trend=bullish|volatility=high`, and is found by an index.
    """

    decision_type: str | None = None
    time_range: TimeRange | None = None
    success: SuccessFilter = None
    context: Document | None = None
    context_type: str | None = None

    def validated(self) -> "DecisionFilter":
        """Itself, or `InvalidInput` that names what is unusable."""
        if self.decision_type is not None:
            ids.check_decision_type(self.decision_type)
        if self.success is not None and self.success != "pending" and not isinstance(self.success, bool):
            raise InvalidInput("success_filter", f"{self.success!r:.40} is none of true, false, pending")
        if self.context is not None and not isinstance(self.context, Mapping):
            raise InvalidInput("context_filter", f"expected a JSON object, got {type(self.context).__name__}")
        if self.context_type is not None and not isinstance(self.context_type, str):
            raise InvalidInput("context_type", "expected text such as trend=bullish|volatility=high")
        self.span()
        return self

    def span(self) -> Span:
        """The moments that are wanted."""
        if self.time_range is None:
            return _ALL_TIME
        if not isinstance(self.time_range, tuple | list) or len(self.time_range) != 2:  # noqa: PLR2004
            raise InvalidInput("time_range", "expected (from, up to and not including)")
        start, end = self.time_range
        span = Span(
            _ALL_TIME.start_ms if start is None else parse_instant(start, "time_range/start"),
            _ALL_TIME.end_ms if end is None else parse_instant(end, "time_range/end"),
        )
        if span.start_ms > span.end_ms:
            raise InvalidInput("time_range", "starts after its end")
        return span

    def selection(self, agent_id: str, shards: int) -> Selection:
        """What a store is asked for; `matches_rest` sees to what that leaves open."""
        return Selection(
            agent_id,
            decision_type=self.decision_type,
            success=self.success if isinstance(self.success, bool) else None,
            context_type=self.context_type or _plain_market(self.context),
            shards=shards,
        )

    @property
    def has_rest(self) -> bool:
        """Whether some of what a store finds may not be wanted."""
        return bool(self.context) or self.success == "pending"

    def matches_rest(self, decision: Decision) -> bool:
        """Whether a decision that was selected is wanted."""
        if self.success == "pending" and decision.outcome is not None:
            return False
        return not self.context or matches_context(decision.context, self.context)

    def digest(self) -> str:
        """Eight characters that tell one filter from another, time ranges aside."""
        said = canonical_json([self.decision_type, self.success, self.context, self.context_type])
        return hashlib.sha256(said.encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Page:
    """Some decisions in order, and the cursor of the next page.

    The cursor is None where nothing can follow; a full page may be followed by an empty one.
    """

    decisions: list[Decision]
    cursor: str | None

    def as_dict(self) -> dict[str, Any]:
        """The page as agents and HTTP see it."""
        return {"decisions": [decision.as_dict() for decision in self.decisions], "cursor": self.cursor}


def sort_key(decision: Decision) -> str:
    """What decisions are ordered by, as text."""
    return keys.decision_sk(decision.timestamp_ms, decision.decision_id)


def make_cursor(wanted: DecisionFilter, last: Decision, *, newest_first: bool) -> str:
    """Where a page ended: text that says nothing to the caller and is good for the same question only."""
    return base64.urlsafe_b64encode(f"{_question(wanted, newest_first)}{sort_key(last)}".encode()).decode()


def read_cursor(wanted: DecisionFilter, cursor: object, *, newest_first: bool) -> str:
    """The sort key of the decision that the earlier page ended with.

    Raises:
        InvalidInput: not a cursor, or one of another question.
    """
    try:
        text = base64.urlsafe_b64decode(str(cursor).encode()).decode()
        question, after = text[:9], text[9:]
        moment, _, decision_id = after.partition("#")
        parse_instant(moment)
        parse_decision_id(decision_id)
    except (ValueError, InvalidInput) as error:
        raise InvalidInput("cursor", "not a cursor of an earlier page; pass it on as it came") from error
    if question != _question(wanted, newest_first):
        raise InvalidInput("cursor", "belongs to another query; repeat the filters and the order of the first page")
    return after


def _question(wanted: DecisionFilter, newest_first: bool) -> str:
    return f"{wanted.digest()}{'n' if newest_first else 'o'}"


def beyond(span: Span, after: str, *, newest_first: bool) -> Span:
    """The part of a span in which decisions after a sort key can lie."""
    moment = parse_instant(after.partition("#")[0], "cursor")
    if newest_first:
        return Span(span.start_ms, min(span.end_ms, moment + 1))
    return Span(max(span.start_ms, moment), span.end_ms)


def _plain_market(context: Document | None) -> str | None:
    """The context type that a filter implies: a market given as plain text is the whole market context."""
    market = (context or {}).get("market")
    return context_type_of({"market": market}) if isinstance(market, str) else None


def matches_context(context: Document, wanted: Document) -> bool:
    """Whether a context has all that is wanted, looking into `market` for what it lacks itself."""
    market = context.get("market")
    inner = market if isinstance(market, Mapping) else {}
    return all(
        _equals(context[name], value) if name in context else name in inner and _equals(inner[name], value)
        for name, value in wanted.items()
    )


def _equals(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(value, Mapping) and all(k in value and _equals(value[k], v) for k, v in wanted.items())
    return bool(value == wanted) and isinstance(value, bool) == isinstance(wanted, bool)
