"""The decision log of one agent: what may be logged, what is the same, and where things are found."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from agent_memory import keys
from agent_memory.clock import Clock, Instant, SystemClock, parse_instant
from agent_memory.decision_drafts import decision_of, outcome_of
from agent_memory.decision_tiers import DecisionTiers
from agent_memory.errors import AgentMemoryError, Conflict, InvalidInput, NotFound
from agent_memory.ids import parse_decision_id, type_tag
from agent_memory.models import Decision, DecisionType, Document, Outcome
from agent_memory.stores.base import DecisionKey, Span, Written
from agent_memory.stores.connections import Stores

Given = TypeVar("Given")

TimeRange = tuple[Instant | None, Instant | None]
"""From, up to and not including; None leaves that side open."""

MAX_PAGE = 1_000
_ALL_TIME = Span(0, 253_402_300_800_000)


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What became of one item of a batch. `error` names the field and what to do."""

    decision_id: str | None
    status: Written | None
    error: AgentMemoryError | None = None

    def accepted(self) -> "ItemResult":
        """Itself where the item is in the log now; else raises what stood in the way."""
        if self.error is not None:
            raise self.error
        if self.status is Written.CONFLICT:
            raise Conflict(f"decision {self.decision_id} already says something else; nothing was changed")
        if self.status is Written.NOT_FOUND:
            raise NotFound(f"there is no decision {self.decision_id}")
        return self


@dataclass(frozen=True, slots=True)
class DecisionFilter:
    """Which decisions are wanted; what is None does not restrict."""

    decision_type: str | None = None
    time_range: TimeRange | None = None
    success: bool | None = None
    context: Document | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some decisions in order, and the cursor of the next page, None on the last."""

    decisions: list[Decision]
    cursor: str | None


class DecisionLog:
    """Logs and finds one agent's decisions. Every method blocks; `DecisionLogger` is the async face."""

    def __init__(self, agent_id: str, stores: Stores, clock: Clock | None = None) -> None:
        self.agent_id = keys.check_agent_id(agent_id)
        self._stores = stores
        self._clock = clock or SystemClock()
        self._tiers = DecisionTiers(self.agent_id, stores, self._clock)
        self._type_names: dict[int, str] = {type_tag(kind): str(kind) for kind in DecisionType}
        self._registered: set[str] = set()

    # --- writing -----------------------------------------------------------------------------

    def log(self, drafts: Sequence[Mapping[str, Any]]) -> list[ItemResult]:
        """Log decisions; each has its own result, in order.

        A draft is a mapping with `decision_type`, `context` and `reasoning`, and where wanted
        `metadata`, `decision_id` and `timestamp`. The same id with the same content is UNCHANGED,
        with other content CONFLICT. A draft that cannot be stored has an `InvalidInput` as its error
        and does not hinder the others.

        Raises:
            Unavailable: the table did not answer; log the same drafts with the same ids again.
        """
        return self._log([self._prepare(draft, f"/decisions/{index}") for index, draft in enumerate(drafts)])

    def log_one(self, draft: Mapping[str, Any]) -> ItemResult:
        """Log one decision; raises what stands in the way, fields named from the draft's own root."""
        (result,) = self._log([self._prepare(draft, "")])
        return result.accepted()

    def record_outcomes(self, reports: Sequence[Mapping[str, Any]]) -> list[ItemResult]:
        """Add outcomes to decisions; each has its own result, in order.

        A report is a mapping with `decision_id`, `outcome` (a mapping) and `success`, and where wanted
        `metrics`. The same outcome again is UNCHANGED, another one CONFLICT; an outcome for a decision
        that is not in the log is NOT_FOUND, and nothing is written for it.

        Raises:
            Unavailable: the table did not answer; send the same reports again.
        """
        return self._record([self._prepare_outcome(one, f"/outcomes/{index}") for index, one in enumerate(reports)])

    def record_outcome(self, report: Mapping[str, Any]) -> ItemResult:
        """Add one outcome; raises what stands in the way, fields named from the report's own root."""
        (result,) = self._record([self._prepare_outcome(report, "")])
        return result.accepted()

    # --- reading -----------------------------------------------------------------------------

    def get(self, decision_id: str) -> Decision:
        """One decision, from the table or, once it has left that, from the archive.

        Raises:
            InvalidInput: not a decision id. NotFound: this agent logged no such decision.
        """
        found = self._tiers.find(self._key(decision_id, "decision_id"))
        if found is None:
            raise NotFound(f"{self.agent_id} has no decision {decision_id}")
        return found

    def stream(
        self, wanted: DecisionFilter, *, newest_first: bool = True, after: str | None = None
    ) -> Iterator[Decision]:
        """Decisions in order of time and id across types and tiers, read as they are taken.

        `after` is the sort key of the last decision already seen.
        """
        span = _span(wanted.time_range)
        if after is not None:
            span = _beyond(span, after, newest_first=newest_first)
        kinds = [wanted.decision_type] if wanted.decision_type else self._stores.states.decision_types(self.agent_id)
        for decision in self._tiers.stream(kinds, span, newest_first=newest_first):
            is_new = after is None or (_sort_key(decision) < after if newest_first else _sort_key(decision) > after)
            if is_new and _matches(decision, wanted):
                yield decision

    def page(
        self, wanted: DecisionFilter, *, limit: int = 100, newest_first: bool = True, cursor: str | None = None
    ) -> Page:
        """Up to `limit` decisions (1 to 1,000) that match, and where to go on.

        Raises:
            InvalidInput: an unusable limit, type, time range or cursor.
        """
        if not 1 <= limit <= MAX_PAGE:
            raise InvalidInput("limit", f"{limit} is not between 1 and {MAX_PAGE:,}")
        if wanted.decision_type is not None:
            keys.check_decision_type(wanted.decision_type)
        after = _checked_cursor(cursor)
        found = list(islice(self.stream(wanted, newest_first=newest_first, after=after), limit + 1))
        more = len(found) > limit
        return Page(found[:limit], _sort_key(found[limit - 1]) if more else None)

    # --- inside --------------------------------------------------------------------------------

    def _prepare(self, draft: Mapping[str, Any], path: str) -> Decision | AgentMemoryError:
        try:
            return decision_of(draft, agent_id=self.agent_id, now_ms=self._clock.now_ms(), path=path)
        except InvalidInput as error:
            return error

    def _prepare_outcome(self, report: Mapping[str, Any], path: str) -> tuple[DecisionKey, Outcome] | AgentMemoryError:
        try:
            decision_id, outcome = outcome_of(report, now_ms=self._clock.now_ms(), path=path)
            return self._key(decision_id, f"{path}/decision_id"), outcome
        except (InvalidInput, NotFound) as error:
            return error

    def _log(self, prepared: Sequence[Decision | AgentMemoryError]) -> list[ItemResult]:
        decisions = [one for one in prepared if isinstance(one, Decision)]
        self._register({decision.decision_type for decision in decisions})
        written = iter(self._insert(decisions))
        return [ItemResult(None, None, one) if isinstance(one, AgentMemoryError) else next(written) for one in prepared]

    def _insert(self, decisions: Sequence[Decision]) -> list[ItemResult]:
        ids = [decision.decision_id for decision in decisions]
        return _write_in_rounds(ids, decisions, self._stores.decisions.insert)

    def _record(self, prepared: Sequence[tuple[DecisionKey, Outcome] | AgentMemoryError]) -> list[ItemResult]:
        outcomes = [one for one in prepared if not isinstance(one, AgentMemoryError)]
        ids = [key.decision_id for key, _ in outcomes]
        written = iter(_write_in_rounds(ids, outcomes, self._stores.decisions.record_outcomes))
        return [ItemResult(None, None, one) if isinstance(one, AgentMemoryError) else next(written) for one in prepared]

    def _register(self, decision_types: set[str]) -> None:
        """Make the agent and its types known to the night shift, once a process."""
        if not decision_types <= self._registered:
            self._stores.states.register(self.agent_id, decision_types, self._clock.now_ms())
            self._registered |= decision_types
            self._type_names |= {type_tag(kind): kind for kind in decision_types}

    def _key(self, decision_id: object, field: str) -> DecisionKey:
        parts = parse_decision_id(decision_id, field)
        if parts.type_tag not in self._type_names:
            known = self._stores.states.decision_types(self.agent_id)
            self._type_names |= {type_tag(kind): kind for kind in known}
        if parts.type_tag not in self._type_names:
            raise NotFound(f"{self.agent_id} has no decision {decision_id}")
        return DecisionKey(self.agent_id, self._type_names[parts.type_tag], parts.timestamp_ms, str(decision_id))


def _write_in_rounds(
    ids: Sequence[str], items: Sequence[Given], write: Callable[[Sequence[Given]], list[Written]]
) -> list[ItemResult]:
    """Write all; an id that comes again waits for the next round, since a request may hold an item only once."""
    results: dict[int, ItemResult] = {}
    waiting = list(range(len(items)))
    while waiting:
        first_of = {ids[place]: place for place in reversed(waiting)}
        now = sorted(first_of.values())
        written = _one_by_one_if_refused([ids[place] for place in now], [items[place] for place in now], write)
        results |= zip(now, written, strict=True)
        waiting = [place for place in waiting if place not in results]
    return [results[place] for place in range(len(items))]


def _one_by_one_if_refused(
    ids: Sequence[str], items: Sequence[Given], write: Callable[[Sequence[Given]], list[Written]]
) -> list[ItemResult]:
    """Write all at once; where one cannot be stored, each by itself, so that the others are."""
    try:
        statuses = write(items)
    except InvalidInput as error:
        if len(items) == 1:
            return [ItemResult(ids[0], None, error)]
        pairs = zip(ids, items, strict=True)
        return [result for one_id, item in pairs for result in _one_by_one_if_refused([one_id], [item], write)]
    return [ItemResult(one_id, status) for one_id, status in zip(ids, statuses, strict=True)]


def _span(time_range: TimeRange | None) -> Span:
    if time_range is None:
        return _ALL_TIME
    start, end = time_range
    span = Span(
        _ALL_TIME.start_ms if start is None else parse_instant(start, "time_range/start"),
        _ALL_TIME.end_ms if end is None else parse_instant(end, "time_range/end"),
    )
    if span.start_ms > span.end_ms:
        raise InvalidInput("time_range", "starts after its end")
    return span


def _beyond(span: Span, after: str, *, newest_first: bool) -> Span:
    moment = parse_instant(after.partition("#")[0], "cursor")
    if newest_first:
        return Span(span.start_ms, min(span.end_ms, moment + 1))
    return Span(max(span.start_ms, moment), span.end_ms)


def _checked_cursor(cursor: str | None) -> str | None:
    if cursor is None:
        return None
    moment, _, decision_id = cursor.partition("#")
    try:
        parse_instant(moment)
        parse_decision_id(decision_id)
    except InvalidInput as error:
        raise InvalidInput("cursor", "not a cursor of an earlier page; pass it on as it came") from error
    return cursor


def _sort_key(decision: Decision) -> str:
    return keys.decision_sk(decision.timestamp_ms, decision.decision_id)


def _matches(decision: Decision, wanted: DecisionFilter) -> bool:
    has_success = wanted.success is None or (
        decision.outcome is not None and decision.outcome.success is wanted.success
    )
    return has_success and (not wanted.context or _holds(decision.context, wanted.context))


def _holds(context: Document, wanted: Document) -> bool:
    """Whether a context has all that is wanted, looking into `market` for what it lacks itself."""
    market = context.get("market")
    inner = market if isinstance(market, Mapping) else {}
    return all(
        _same(context[name], value) if name in context else name in inner and _same(inner[name], value)
        for name, value in wanted.items()
    )


def _same(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(value, Mapping) and all(k in value and _same(value[k], v) for k, v in wanted.items())
    return bool(value == wanted)
