"""The arguments of a recall, checked."""

import base64
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent_memory.core.checks import check_boolean, check_integer, check_list, check_text
from agent_memory.core.clock import END_OF_TIME_MS, Instant, Span, parse_instant, to_iso
from agent_memory.core.errors import InvalidInput
from agent_memory.core.ids import check_memory_type
from agent_memory.core.json_values import Document, canonical_json, check_object
from agent_memory.decisions.queries import DecisionFilter, SuccessFilter, TimeRange
from agent_memory.memory.ranking import Place
from agent_memory.model.listings import MAX_TOP_K
from agent_memory.model.recall_weights import Weights


@dataclass(frozen=True, slots=True)
class RecallQuery:
    """The arguments of `MemoryManager.recall`, converted; `InvalidInput` names an invalid one.

    Attributes:
        statistics: word frequencies to rank by, instead of those of what is searched.
        with_decisions: whether decisions are searched, or memories only.
    """

    text: str
    kind: str | None = None
    symbol: str | None = None
    top_k: int = 5
    explain: bool = False
    half_lives: Mapping[str, float] | None = None
    time_range: TimeRange | None = None
    as_of: Instant | None = None
    context: Document | None = None
    tags: Sequence[str] | None = None
    success: SuccessFilter = None
    weights: Mapping[str, float] | None = None
    cursor: str | None = None
    statistics: Mapping[str, Any] | None = None
    with_decisions: bool = True
    decisions: DecisionFilter = field(init=False)

    def __post_init__(self) -> None:
        self._set("text", check_text("query", self.text))
        self._set("top_k", check_integer("top_k", self.top_k, minimum=1, maximum=MAX_TOP_K))
        self._set("explain", check_boolean("explain", self.explain))
        if self.kind is not None:
            self._set("kind", check_memory_type(self.kind, "kind"))
        if self.symbol is not None:
            self._set("symbol", check_text("symbol", self.symbol))
        if self.as_of is not None:
            self._set("as_of", to_iso(parse_instant(self.as_of, "as_of")))
        if self.cursor is not None:
            self._set("cursor", check_text("cursor", self.cursor))
        if self.tags is not None:
            tags = check_list("tags", self.tags)
            self._set("tags", tuple(check_text(f"tags/{n}", tag) for n, tag in enumerate(tags)))
        for name in ("half_lives", "context", "weights", "statistics"):
            if (value := getattr(self, name)) is not None:
                self._set(name, check_object(name, value))
        Weights.of(self.weights)
        self._set("decisions", DecisionFilter(self.kind, self.time_range, self.success, self.context).validated())
        self._set("time_range", self.decisions.time_range)

    @property
    def as_of_ms(self) -> int | None:
        """The time at which things are recalled as they were then; None for the present."""
        return None if self.as_of is None else parse_instant(self.as_of, "as_of")

    @property
    def has_start(self) -> bool:
        """Whether the time range has a start."""
        return self.time_range is not None and self.time_range[0] is not None

    @property
    def span(self) -> Span:
        """The span of the times of entries."""
        return self.decisions.span()

    def digest(self) -> str:
        """What identifies the ranking that a cursor belongs to."""
        options = [self.half_lives, self.as_of_ms, self.context, self.tags, self.success, self.weights]
        span = self.span
        text = canonical_json([self.text, self.kind, self.symbol, span.start_ms, span.end_ms, *options])
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    def cursor_after(self, place: Place, now_ms: int) -> str:
        """The cursor of what comes after a place, at the same time, so that scores do not change from page to page."""
        text = json.dumps([self.digest(), now_ms, *place], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode()

    def position(self) -> tuple[int, Place] | None:
        """The time of the first page and where the last page ended; None for the first page.

        Raises:
            InvalidInput: not a cursor, or a cursor of another query.
        """
        if self.cursor is None:
            return None
        try:
            digest, now_ms, score, time, entry_id = json.loads(base64.urlsafe_b64decode(self.cursor.encode()))
            position = int(now_ms), (float(score), float(time), str(entry_id))
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise InvalidInput("cursor", "not the cursor of a recall; pass it unchanged") from error
        if not 0 <= position[0] < END_OF_TIME_MS or any(map(math.isnan, position[1][:2])):
            raise InvalidInput("cursor", "has no time, or no place in a ranking; pass it unchanged")
        if digest != self.digest():
            raise InvalidInput("cursor", "belongs to another query; use the arguments of the first page")
        return position

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
