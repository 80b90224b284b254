"""The decision log of one agent. Every method blocks; `DecisionLogger` is what agents call."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from agent_memory.core.checks import check_integer
from agent_memory.core.clock import Clock, SystemClock, to_iso
from agent_memory.core.errors import NotFound
from agent_memory.decisions.chains import ChainEntry, DecisionChains
from agent_memory.decisions.lineage import Lineage
from agent_memory.decisions.queries import (
    MAX_PAGE,
    DecisionFilter,
    Page,
    beyond,
    make_cursor,
    read_cursor,
    sort_key,
)
from agent_memory.decisions.reader import DecisionReader
from agent_memory.decisions.registry import DecisionRegistry
from agent_memory.decisions.statistics import group_statistics
from agent_memory.decisions.writer import DecisionWriter, ItemResult
from agent_memory.model.decisions import Decision
from agent_memory.ports.stores import Stores


class DecisionLog:
    """Logs and finds one agent's decisions.

    `write_shards` (1 to 32) spreads a busy agent's new decisions over that many partitions of the table.
    """

    def __init__(self, agent_id: str, stores: Stores, clock: Clock | None = None, *, write_shards: int = 1) -> None:
        clock = clock or SystemClock()
        self.agent_id = agent_id
        self._registry = DecisionRegistry(agent_id, stores.states, clock, write_shards)
        self._reader = DecisionReader(agent_id, stores, clock)
        self._chains = DecisionChains(self._registry, self._reader, stores.decisions)
        self._writer = DecisionWriter(self._registry, stores, self._reader, clock, Lineage(self._chains.find))

    # --- writing -----------------------------------------------------------------------------

    def log(self, inputs: Sequence[Mapping[str, Any]]) -> list[ItemResult]:
        """Log decisions, each with the fields of `DecisionInput`; each has its own result, in order.

        The same id with the same content is UNCHANGED, with other content CONFLICT. A decision that cannot be stored
        has an `InvalidInput` as its error and does not affect the others.

        Raises:
            Unavailable: the table did not respond; log the same inputs with the same ids again.
        """
        return self._writer.log(inputs, [f"/decisions/{index}" for index in range(len(inputs))])

    def log_one(self, data: Mapping[str, Any]) -> ItemResult:
        """Log one decision with the fields of `DecisionInput`; raises the reason if it is not logged."""
        (result,) = self._writer.log([data], [""])
        return result.raise_for_error()

    def record_outcomes(self, inputs: Sequence[Mapping[str, Any]]) -> list[ItemResult]:
        """Add outcomes to decisions, each with the fields of `OutcomeItem`; each has its own result, in order.

        The same outcome again is UNCHANGED, a different one of the same horizon is CONFLICT unless `amend` is true; an
        outcome for a decision that is not in the log is NOT_FOUND, and nothing is written for it.

        Raises:
            Unavailable: the table did not respond; send the same inputs again.
        """
        return self._writer.record_outcomes(inputs, [f"/outcomes/{index}" for index in range(len(inputs))])

    def record_outcome(self, data: Mapping[str, Any]) -> ItemResult:
        """Add one outcome with the fields of `OutcomeItem`; raises the reason if it is not added."""
        (result,) = self._writer.record_outcomes([data], [""])
        return result.raise_for_error()

    # --- reading -----------------------------------------------------------------------------

    def get(self, decision_id: str) -> Decision:
        """One decision, from the table or, once it has left that, from the archive.

        Raises:
            InvalidInput: not a decision id. NotFound: this agent logged no such decision.
        """
        (found,) = self._reader.find([self._registry.key(decision_id)])
        if found is None:
            raise NotFound(f"{self.agent_id} has no decision {decision_id}")
        return found

    def stream(
        self, wanted: DecisionFilter, *, newest_first: bool = True, after: str | None = None, first: int | None = None
    ) -> Iterator[Decision]:
        """Decisions in order of time and id across types and tiers, read as they are taken.

        `after` is the sort key of the last decision already seen; `first` is how many will probably be taken.
        """
        span = wanted.validated().span()
        if after is not None:
            span = beyond(span, after, newest_first=newest_first)
        selection = wanted.selection(self.agent_id, self._registry.shards())
        stream = self._reader.stream(
            selection,
            span,
            types=self._registry.types,
            newest_first=newest_first,
            first=None if wanted.has_rest else first,
        )
        if after is not None:
            stream = (one for one in stream if (sort_key(one) < after if newest_first else sort_key(one) > after))
        return filter(wanted.matches_rest, stream) if wanted.has_rest else stream

    def page(
        self, wanted: DecisionFilter, *, limit: int = 100, newest_first: bool = True, cursor: str | None = None
    ) -> Page:
        """Up to `limit` decisions (1 to 1,000) that match, and where to go on.

        Raises:
            InvalidInput: an unusable limit, filter or cursor.
        """
        check_integer("limit", limit, minimum=1, maximum=MAX_PAGE)
        wanted.validated()
        after = None if cursor is None else read_cursor(wanted, cursor, newest_first=newest_first)
        stream = self.stream(wanted, newest_first=newest_first, after=after, first=limit)
        found = list(islice(stream, limit))
        full = len(found) == limit
        return Page(found, make_cursor(wanted, found[-1], newest_first=newest_first) if full else None)

    def chain(self, decision_id: str, depth: int = 5) -> list[ChainEntry]:
        """What led to a decision and what followed from it; see `DecisionChains.chain_of`."""
        return self._chains.chain_of(decision_id, depth)

    def statistics(self, wanted: DecisionFilter, group_by: str = "context") -> dict[str, Any]:
        """Outcomes of the decisions that match, grouped; see `decisions.statistics.group_statistics`."""
        grouped = group_statistics(self.stream(wanted, newest_first=False), group_by)
        start, end = wanted.time_range or (None, None)
        span = wanted.span()
        return {
            "agent_id": self.agent_id,
            "decision_type": wanted.decision_type,
            "time_range": [start and to_iso(span.start_ms), end and to_iso(span.end_ms)],
            **grouped,
        }
