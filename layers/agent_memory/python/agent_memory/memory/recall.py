"""Recall: an agent's long-term memories and its decisions, ranked together for a query.

Recent decisions are read at each call; older ones are ranked by the digests that the nightly job makes of them.
"""

import hashlib
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from operator import itemgetter
from typing import Any

from agent_memory.core.clock import DAY_MS, END_OF_TIME_MS, Clock, date_of, day_start_ms, to_iso
from agent_memory.core.concurrency import map_concurrently, run_concurrently
from agent_memory.core.errors import Damaged, InColdStorage, Unavailable
from agent_memory.core.garbage import without_garbage_collection
from agent_memory.core.json_values import canonical_json
from agent_memory.core.retention import HOT_DAYS
from agent_memory.decisions.collecting import READ_DIRECTLY
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.memory.digest_index import current_digests
from agent_memory.memory.entry_index import memory_entry_id
from agent_memory.memory.meaning import (
    MAX_CHARACTERS,
    EmbedderFailed,
    VectorSpace,
    add_vectors,
    embed,
    vector_model,
)
from agent_memory.memory.memory_indexes import RECALLED_TYPES, current_index, entry_id_of, unreadable_in
from agent_memory.memory.memory_outcomes import memory_outcomes
from agent_memory.memory.older_decisions import End, OlderDecisions, not_ranked
from agent_memory.memory.ranking import HalfLives, Question, Ranked, rank, statistics_of
from agent_memory.memory.reader import MemoryReader
from agent_memory.memory.recall_filters import decision_filter, entry_filter
from agent_memory.memory.recall_indexes import KeptIndex, indexes_of, locked
from agent_memory.memory.recall_query import RecallQuery
from agent_memory.memory.recalled_entries import as_dict, decision_entry, memory_entry, name_of
from agent_memory.memory.text_index import QueryWords, TextStatistics
from agent_memory.model.decisions import Decision
from agent_memory.model.digests import DigestRow
from agent_memory.model.listings import (
    LIMIT,
    Ranking,
    Unreadable,
    fitting,
    missing_item,
)
from agent_memory.model.memories import Memory
from agent_memory.model.recall_weights import Weights
from agent_memory.ports.stores import Stores

RECENT_DECISIONS = 1_000
MAX_DECISIONS = 20_000
_MAX_RANKINGS = 5

# After this time, a decision has half its importance.
DECISION_HALF_LIFE_SECONDS = 86_400.0


class MemoryRecall:
    """Ranks an agent's memories, those of its pools and its decisions for a query. Every method blocks."""

    def __init__(self, reader: MemoryReader, log: DecisionLog, stores: Stores, clock: Clock) -> None:
        self._reader = reader
        self._log = log
        self._stores = stores
        self._clock = clock

    def recall(self, query: RecallQuery) -> Ranking:
        """The most relevant entries; see `MemoryManager.recall`.

        Raises:
            InvalidInput: names the argument. Unavailable: the table did not respond.
        """
        present_ms = self._clock.now_ms() if query.as_of_ms is None else query.as_of_ms
        now_ms, after = query.position() or (present_ms, None)
        question = Question(
            query.text,
            now=now_ms / 1000,
            half_lives=HalfLives(query.half_lives or {}, DECISION_HALF_LIFE_SECONDS),
            weights=Weights.of({**self._stores.recall_weights, **(query.weights or {})}),
            accepts=entry_filter(query),
            after=after,
        )
        started = time.monotonic()
        for is_fresh in (False, True):
            with without_garbage_collection():
                candidates = self._candidates(query, now_ms, fresh=is_fresh)
            question = replace(question, outcomes=self._outcomes(candidates))
            question = self._with_meaning(question, candidates)
            ranked, best, statistics = self._best(query, question, candidates)
            # An erased agent leaves no change behind that says so.
            if query.as_of is not None or candidates.are_fresh(started) or self._are_current(best):
                break
        cursor = query.cursor_after(ranked[query.top_k - 1].place, now_ms) if len(ranked) > query.top_k else None
        found = fitting(
            [(one.entry, as_dict(one)) for one in best],
            as_dict=itemgetter(1),
            id_of=lambda one: name_of(one[0]),
            max_bytes=self._log.max_answer_bytes,
            missing=candidates.missing,
            read_directly=READ_DIRECTLY,
        )
        if query.as_of is None:
            self._reader.count_accesses([one.payload for one, _ in found if isinstance(one.payload, Memory)])
        statistics = {**statistics, "ranked_at": to_iso(now_ms)}
        return Ranking([one for _, one in found], [*found.missing, *candidates.notes], cursor, statistics)

    def _best(
        self, query: RecallQuery, question: Question, candidates: "_Candidates"
    ) -> tuple[list[Ranked], list[Ranked], dict[str, Any]]:
        """The best entries, one more than are asked for; those that are returned, with decisions; and frequencies.

        Ranking is repeated while digests name decisions that are gone or no longer meet the filters.
        """
        older = candidates.older
        if older is None:
            ranked, statistics = _ranked(query, question, candidates)
            return ranked, ranked[: query.top_k], statistics
        for attempt in range(_MAX_RANKINGS):
            ranked, statistics = _ranked(query, question, candidates)
            best, is_cut = older.read(ranked[: query.top_k])
            if not is_cut:
                break
            if older.found_gone and attempt == 0:
                # Whoever erased them has erased their digests.
                older.digests = current_digests(self._log.agent_id, self._stores, fresh=True) or older.digests
        else:
            why = "some of the best are gone or do not meet the filters any more, by what their digests say; ask again"
            candidates.missing.append(missing_item("decisions", LIMIT, why))
        candidates.missing += [*not_ranked(query, older.end, older.digests), *older.unreadable]
        return ranked, best, statistics

    def _outcomes(self, candidates: "_Candidates") -> dict[str, float]:
        """What came of the agent's decisions that rested on its memories, by the ids of their entries."""
        kinds = {kind for one in candidates.indexes for kind in one.index.kinds()}
        return {
            memory_entry_id(self._log.agent_id, kind, memory_id): outcome
            for memory_id, outcome in candidates.outcomes.items()
            for kind in kinds
        }

    def _with_meaning(self, question: Question, candidates: "_Candidates") -> Question:
        """The question with the vector of its text; without, and the reason in what is missing, if that fails.

        Entries for which the embedder fails are ranked by words beside the others, and counted in what is missing.
        """
        embedder = self._stores.embedder
        if embedder is None or not question.text.strip() or not question.weights.meaning:
            return question
        try:
            model = vector_model(embedder)
            (vector,) = embed(embedder, [question.text[:MAX_CHARACTERS]])
        except EmbedderFailed as error:
            why = f"entries are ranked by words only: {error}"
            candidates.notes.append(missing_item("embedder", Unavailable.code, why))
            return replace(question, vector=None)
        space = VectorSpace(model, len(vector))
        known = indexes_of(self._stores.decisions).embedded
        rest = add_vectors(candidates.indexes, embedder, space, known, is_first_page=question.after is None)
        if rest.waiting:
            why = f"{rest.waiting:,} entries have no embedding yet, and are ranked by words; later recalls embed more"
            candidates.notes.append(missing_item("embeddings", LIMIT, why))
        if rest.failed:
            why = f"{rest.failed:,} entries have no embedding, and are ranked by words: {rest.error}"
            candidates.notes.append(missing_item("embeddings", Unavailable.code, why))
        return replace(question, vector=vector, model=space.name)

    def _are_current(self, ranked: Sequence[Ranked]) -> bool:
        """Whether the memories that were found are still those in the store."""
        found = {one.entry.id: one.entry.payload for one in ranked if isinstance(one.entry.payload, Memory)}
        keys = [(one.agent_id, one.memory_type, one.pattern_id) for one in found.values()]
        try:
            return {entry_id_of(one): one for one in self._reader.get_many(keys)} == found
        except Damaged:  # since the index was made: a fresh one names it
            return False

    def _candidates(self, query: RecallQuery, now_ms: int, *, fresh: bool) -> "_Candidates":
        """What is ranked: memories of the agent and its pools, and decisions that meet the filters."""
        found = _Candidates()
        of_memories: list[Unreadable] = []
        of_decisions: list[Unreadable] = []
        digests = partial(current_digests, self._log.agent_id, self._stores)
        indexes, (kept, decisions, end), of_older = run_concurrently(
            lambda: self._memories(query, of_memories, fresh=fresh) if query.success is None else [],
            lambda: self._decisions(query, now_ms, of_decisions) if query.with_decisions else (KeptIndex(), (), None),
            lambda: None if query.has_start or not query.with_decisions else digests(),
        )
        found.indexes.extend([*indexes, kept])
        found.outcomes.update(memory_outcomes(decisions))
        found.missing.extend([one.as_dict() for one in (*of_memories, *of_decisions)])
        if end is not None:
            of_older = of_older or digests()
            if of_older is None:
                found.missing += [end.why] if end.why else []
            elif len(of_older.kept.index):
                found.older = OlderDecisions(self._log, query, end, of_older)
            else:
                found.missing += not_ranked(query, end, of_older)
        return found

    def _memories(self, query: RecallQuery, unreadable: list[Unreadable], *, fresh: bool) -> list[KeptIndex]:
        """The indexes of memories, brought up to date."""
        if query.as_of is None:
            kept = map_concurrently(partial(current_index, fresh=fresh), self._reader.namespaces)
            for one in kept:
                unreadable += unreadable_in(one)
            return kept
        types = [query.kind] if query.kind is not None else self._reader.types(RECALLED_TYPES)
        memories = [
            memory
            for memory_type in types
            for memory in self._reader.list_all(memory_type, as_of=query.as_of, on_unreadable=unreadable.append)
        ]
        past = KeptIndex()
        past.index.sync({entry_id_of(one): one for one in memories}, memory_entry)
        return [past]

    def _decisions(
        self, query: RecallQuery, now_ms: int, unreadable: list[Unreadable]
    ) -> tuple[KeptIndex, Collection[Decision], End | None]:
        """The decisions that meet the filters, the newest thousand of them, and their index, brought up to date.

        Filters are applied to the newest 20,000 decisions of the time range, until there are a thousand that meet them.
        With them, where they end, unless the start of the time range was reached.
        """
        criteria, name = self._criteria(query, now_ms)
        stream = self._log.stream(criteria, first=RECENT_DECISIONS + 1, on_unreadable=unreadable.append)
        kept = indexes_of(self._stores.decisions).of(self._log.agent_id, name)
        found: dict[str, Decision] = {}
        span = criteria.span()
        end = None if query.has_start else End((span.start_ms, ""))
        last = span.end_ms, ""
        known_of = decision_filter(query)
        try:
            for number, decision in enumerate(stream):
                if len(found) >= RECENT_DECISIONS or number >= MAX_DECISIONS:
                    why = _why_cut(number, number > len(found), to_iso(decision.timestamp_ms))
                    end = End(last, missing_item("decisions", LIMIT, why))
                    break
                last = decision.timestamp_ms, decision.decision_id
                known = decision if known_of is None else known_of(decision)
                if known is not None:
                    found[known.decision_id] = known
        except InColdStorage as error:
            end = End(last, missing_item("archive", error.code, str(error)))
        with kept.lock:
            kept.index.sync(found, decision_entry)
        return kept, found.values(), end

    @staticmethod
    def _criteria(query: RecallQuery, now_ms: int) -> tuple[DecisionFilter, str]:
        """The filter of decisions, and the name of its index.

        Without a start, those in the table are searched: a call without one never reads the archive day by day, nor
        requests that days are restored from cold storage.
        """
        span = query.span
        start_ms, end_ms = span.start_ms, span.end_ms
        if query.as_of_ms is not None:
            end_ms = min(end_ms, query.as_of_ms + 1)
        oldest_ms = max(0, day_start_ms(date_of(now_ms)) - (HOT_DAYS - 2) * DAY_MS)
        if not query.has_start:
            start_ms = min(oldest_ms, end_ms)
        end = None if end_ms == END_OF_TIME_MS else to_iso(end_ms)
        # What an outcome is now says nothing of what was known then.
        success = query.success if query.as_of_ms is None else None
        criteria = replace(query.decisions, time_range=(to_iso(start_ms), end), success=success)
        filters = [query.kind, query.symbol, query.success, query.context, query.tags, query.as_of_ms]
        conditions = canonical_json([*filters, start_ms if query.has_start else None, end_ms])
        return criteria, f"decisions {hashlib.sha256(conditions.encode()).hexdigest()}"


@dataclass(slots=True)
class _Candidates:
    """What is ranked, what should have been, by what it could not be ranked, and what came of memories."""

    indexes: list[KeptIndex] = field(default_factory=list)
    missing: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    outcomes: dict[str, float] = field(default_factory=dict)
    older: OlderDecisions | None = None

    @property
    def all_indexes(self) -> list[KeptIndex]:
        """Those of memories and recent decisions, and that of digests."""
        return [*self.indexes, *([self.older.digests.kept] if self.older else [])]

    def are_fresh(self, since: float) -> bool:
        """Whether all memories were read since this time of the monotonic clock."""
        return all(one.state is None or one.state.loaded_at >= since for one in self.indexes)


def _ranked(query: RecallQuery, question: Question, candidates: _Candidates) -> tuple[list[Ranked], dict[str, Any]]:
    """The best entries, one more than are asked for, and the frequencies of the words of the query."""
    stems, older = QueryWords.of(query.text).stems(), candidates.older
    with locked(candidates.all_indexes):
        indexes = [one.index for one in candidates.indexes]
        own = statistics_of(indexes, stems)
        if older is not None:
            # Only older decisions count, so that a word is not counted twice, and never what a query as of a time must
            # not know.
            index, accepts, is_wanted = older.digests.kept.index, question.accepts, older.filter()
            indexes.append(index)
            own.add(index.statistics(stems, before=older.before_seconds))
            question = replace(
                question,
                importances=older.importances(),
                accepts=lambda entry: (
                    is_wanted(entry.payload)
                    if isinstance(entry.payload, DigestRow)
                    else accepts is None or accepts(entry)
                ),
            )
        statistics = own if query.statistics is None else TextStatistics.of(query.statistics)
        ranked = rank(indexes, question, top_k=query.top_k + 1, explain=query.explain, statistics=statistics)
    return ranked, own.as_dict()


def _why_cut(number: int, is_filtered: bool, since: str) -> str:
    searched = "searched with the filters" if is_filtered else "ranked"
    return f"only the newest {number:,} decisions were {searched}, those after {since}; pass a time_range for others"
