"""The filters of a recall: on entries, and on the rows of digests."""

from collections.abc import Callable, Mapping
from typing import Any

from agent_memory.core.json_values import parsed_json
from agent_memory.decisions.queries import SuccessFilter
from agent_memory.memory.entry_index import Entry
from agent_memory.memory.recall_query import RecallQuery
from agent_memory.memory.recalled_entries import decision_entry
from agent_memory.model.decisions import Decision, matches_context
from agent_memory.model.digests import DigestRow
from agent_memory.model.outcomes import known_at
from agent_memory.model.recalled_parts import tags_of


def entry_filter(query: RecallQuery) -> Callable[[Entry], bool] | None:
    """Whether an entry of a memory or a decision meets the filters but `success`; None without such filters."""
    kind, symbol, tags, context, span = query.kind, query.symbol, query.tags, query.context, query.span
    is_timed = query.time_range is not None
    if kind is None and symbol is None and not tags and not context and not is_timed:
        return None

    def accepts(entry: Entry) -> bool:
        document: Mapping[str, Any] = (
            entry.payload.context if isinstance(entry.payload, Decision) else entry.payload.data
        )
        return (
            (kind is None or entry.kind == kind)
            and (symbol is None or entry.symbol == symbol)
            and (not is_timed or span.start_ms <= round(entry.timestamp * 1000) < span.end_ms)
            and (not tags or set(tags) <= tags_of(entry.payload))
            and (not context or matches_context(document, context))
        )

    return accepts


def row_filter(query: RecallQuery) -> Callable[[DigestRow], bool]:
    """Whether the row of a digest meets the filters, or may do so if it is partial."""
    kind, symbol, tags, context, span = query.kind, query.symbol, query.tags, query.context, query.span
    at_ms, success = query.as_of_ms, query.success

    def accepts(row: DigestRow) -> bool:
        if (
            (kind is not None and row.decision_type != kind)
            or not span.start_ms <= row.timestamp_ms < span.end_ms
            or (at_ms is not None and row.timestamp_ms > at_ms)
        ):
            return False
        headline = None if success is None else row.headline(at_ms)
        if not _has_success(success, None if headline is None else headline.success):
            return False
        return row.is_partial or (
            (symbol is None or row.symbol == symbol)
            and (not tags or set(tags) <= set(row.tags))
            and (not context or matches_context(parsed_json(row.context or "{}"), context))
        )

    return accepts


def decision_filter(query: RecallQuery) -> Callable[[Decision], Decision | None] | None:
    """A function that returns a decision as it was known at the time of the query; None if it did not meet filters.

    There is none if that is every decision as it is.
    """
    at_ms, success, accepts = query.as_of_ms, query.success, entry_filter(query)
    if at_ms is None and success is None and accepts is None:
        return None

    def known(decision: Decision) -> Decision | None:
        found = decision if at_ms is None else known_at(decision, at_ms)
        if not _has_success(success, found.outcome.success if found.outcome else None):
            return None
        return found if accepts is None or accepts(decision_entry(found.decision_id, found)) else None

    return known


def _has_success(wanted: SuccessFilter, success: bool | None) -> bool:
    """Whether a decision whose headline outcome has this success, None without an outcome, meets the filter."""
    return wanted is None or (success is None if wanted == "pending" else success is wanted)
