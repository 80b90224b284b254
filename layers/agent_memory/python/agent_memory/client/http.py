"""`HttpBackend`: the decision log and memory of an agent over the HTTP API."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from agent_memory.client.bodies import (
    Batch,
    MakeIdempotent,
    batches,
    document_text,
    fits_in_batch,
    idempotent_decision,
    idempotent_outcome,
    json_text,
    object_text,
)
from agent_memory.client.requests import (
    Members,
    Query,
    Requests,
    boolean_text,
    integer_text,
    iso_text,
    path_segment,
    time_query,
    too_large,
)
from agent_memory.core.checks import check_boolean, check_expected_version, check_integer, check_items, check_text
from agent_memory.core.clock import Instant, parse_date, parse_instant
from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.errors import InColdStorage, InvalidInput, shown
from agent_memory.core.http_limits import MAX_BATCH, MAX_BODY_BYTES
from agent_memory.core.ids import (
    MAX_SHARDS,
    check_agent_id,
    check_checkpoint,
    check_decision_id,
    check_memory_type,
    check_pattern_id,
    check_pools,
    check_source,
    check_stm_key,
)
from agent_memory.core.json_values import Document, plain_json
from agent_memory.core.retention import STM_MAX_SECONDS
from agent_memory.decisions.chains import MAX_LINKS
from agent_memory.decisions.performance import PerformanceCounts
from agent_memory.decisions.queries import DecisionFilter, TimeRange
from agent_memory.memory.advice import AdviceQuery, joined
from agent_memory.memory.cycles import MAX_RATE_LIMIT, Cycle
from agent_memory.memory.long_term import check_confidence, learned_time_as_text, memory_conditions
from agent_memory.memory.quarantines import released_somewhere
from agent_memory.memory.ranking import FIRST, place_of
from agent_memory.memory.recall_query import RecallQuery
from agent_memory.memory.similar import SimilarQuery
from agent_memory.memory.text_index import TextStatistics
from agent_memory.model.decisions import Decision, DecisionDict, Outcome
from agent_memory.model.listings import Listing, Ranking
from agent_memory.model.memories import MAX_REASON
from agent_memory.model.records import largest_field

Json = dict[str, Any]

_MAX_CONCURRENT_REQUESTS = 4
# What the API's answers contain at least.
_DECISION = {"decision_id": str}
_VERSION = {"version": int}


class HttpBackend:
    """`DecisionBackend`, `MemoryBackend` and `AnalyticsBackend` of one agent over HTTP.

    Args:
        requests: sends requests below `/v1/agents/`; shared with the backends of the pools.
        agent_id: the agent.
        pools: agent ids whose long-term memory is read together with the agent's own.
        writer: the agent id recorded as the author of memory changes; None is the agent itself.
        write_shards: number of partitions (1 to 32) that new decisions are distributed over.
    """

    max_batch = MAX_BATCH

    def __init__(
        self, requests: Requests, agent_id: str, pools: Sequence[str], writer: str | None, write_shards: int
    ) -> None:
        self._requests = requests
        self.agent_id = check_agent_id(agent_id)
        self.pools = check_pools(pools)
        self._writer = None if writer is None else check_agent_id(writer, "writer")
        self.write_shards = check_integer("write_shards", write_shards, minimum=1, maximum=MAX_SHARDS)
        self.url = f"{requests.base_url}{agent_id}/"

    def close(self) -> None:
        """See `Backend`."""
        self._requests.close()

    def check_decision(self, decision: Decision, payload: bytes) -> None:
        """See `buffering.sinks.SizeLimits`."""
        _check_fits(decision, payload)

    def check_outcome(self, outcome: Outcome, payload: bytes) -> None:
        """See `buffering.sinks.SizeLimits`."""
        _check_fits(outcome, payload)

    # --- decisions -----------------------------------------------------------------------------

    def log_decision(self, data: Mapping[str, Any]) -> str:
        """See `DecisionBackend`."""
        body = json_text(self._idempotent_decision(data), "")
        return str(self._send("POST", "decisions", body, expect=_DECISION)["decision_id"])

    def log_decisions(self, inputs: Sequence[Mapping[str, Any]]) -> list[Json]:
        """See `DecisionBackend`."""
        return self._in_batches("decisions", inputs, self._idempotent_decision)

    def log_outcome(self, data: Mapping[str, Any]) -> None:
        """See `DecisionBackend`."""
        body = idempotent_outcome(data)
        decision_id = check_decision_id(body.pop("decision_id"), "/decision_id")  # the path names it
        self._send("POST", f"decisions/{decision_id}/outcome", json_text(body, ""), expect=_DECISION)

    def log_outcomes(self, inputs: Sequence[Mapping[str, Any]]) -> list[Json]:
        """See `DecisionBackend`."""
        return self._in_batches("outcomes", inputs, idempotent_outcome)

    def get_decision(self, decision_id: str) -> DecisionDict:
        """See `DecisionBackend`."""
        decision_id = check_decision_id(decision_id)
        decision: Any = self._send("GET", f"decisions/{decision_id}", expect=_DECISION)
        return decision  # type: ignore[no-any-return]  # the API's schema says so

    def page_decisions(self, filters: DecisionFilter, *, limit: int, newest_first: bool, cursor: str | None) -> Json:
        """See `DecisionBackend`."""
        # Checked here too, so that errors name the caller's arguments instead of query parameters.
        filters.validated()
        query = {
            "decision_type": filters.decision_type,
            **time_query(filters.time_range),
            "success": None if filters.success is None else str(filters.success).lower(),
            "context": object_text(filters.context, "context_filter"),
            "context_type": filters.context_type,
            "text": filters.text,
            "limit": integer_text(limit, "limit"),
            "order": "newest" if check_boolean("newest_first", newest_first) else "oldest",
            "cursor": cursor,
        }
        return self._send("GET", "decisions", query=query, expect={"decisions": list, "cursor": object})

    def get_decision_chain(self, decision_id: str, depth: int, *, limit: int) -> Listing[Json]:
        """See `DecisionBackend`."""
        path = f"decisions/{check_decision_id(decision_id)}/chain"
        # The default is not sent, so that services without this parameter accept the request.
        limit_text = None if limit == MAX_LINKS else integer_text(limit, "limit")
        query = {"depth": integer_text(depth, "depth"), "limit": limit_text}
        return Listing.from_body(self._send("GET", path, query=query, expect={"chain": list}), "chain")

    def analyze_decision_patterns(self, filters: DecisionFilter, group_by: str, *, exact: bool) -> Json:
        """See `DecisionBackend`."""
        filters.validated()
        query = {
            "decision_type": filters.decision_type,
            **time_query(filters.time_range),
            "group_by": check_text("group_by", group_by),
            **({"exact": "true"} if check_boolean("exact", exact) else {}),
        }
        return self._send("GET", "decisions/statistics", query=query, expect={"total": dict, "groups": list})

    def _idempotent_decision(self, data: Any, path: str = "") -> Json:
        return idempotent_decision(data, path, write_shards=self.write_shards)

    def _in_batches(
        self, name: str, inputs: Sequence[Mapping[str, Any]], make_idempotent: MakeIdempotent
    ) -> list[Json]:
        """Send inputs in as few requests as possible, some of them concurrently; returns a result for each, in order.

        An error is raised after all requests have finished, so that nothing is written after the caller sees it.
        """
        requests, results = batches(name, check_items(f"/{name}", inputs), make_idempotent)

        def send(batch: Batch) -> dict[int, Json] | Exception:
            try:
                answer = self._send("POST", f"{name}/batch", batch.body, expect={"results": list})
                return batch.by_position(answer["results"])
            except Exception as error:  # raised below, after all requests have finished
                return error

        for sent in map_concurrently(send, requests, max_threads=_MAX_CONCURRENT_REQUESTS):
            if isinstance(sent, Exception):
                raise sent
            results |= sent
        return [results[position] for position in range(len(inputs))]

    # --- analytics -----------------------------------------------------------------------------

    def performance(self, time_range: TimeRange | None) -> Json:
        """See `AnalyticsBackend`."""
        query, counts = time_query(time_range), PerformanceCounts()
        missing: list[Json] = []
        cursor: str | None = None
        while True:
            part = self._send(
                "GET", "analytics/performance", query={**query, "cursor": cursor}, expect={"by_type": list}
            )
            counts.add_rows(part)
            missing += part["missing"]
            cursor = part["cursor"]
            if cursor is None or any(one["reason"] == InColdStorage.code for one in part["missing"]):
                break
        members = {"complete": not missing and cursor is None, "missing": missing, "cursor": cursor}
        totals = {"decisions": counts.decisions, "with_outcome": counts.with_outcome}
        return {**part, **totals, **counts.as_dict(), **members}

    def patterns(self, *, status: str | None, min_occurrences: int) -> Listing[Json]:
        """See `AnalyticsBackend`."""
        query = {
            "status": None if status is None else check_text("status", status),
            "min_occurrences": integer_text(min_occurrences, "min_occurrences"),
        }
        return Listing.from_body(
            self._send("GET", "analytics/patterns", query=query, expect={"patterns": list}), "patterns"
        )

    def confidence_trend(self, pattern_id: str) -> Listing[Json]:
        """See `AnalyticsBackend`."""
        path = f"analytics/patterns/{path_segment(check_pattern_id(pattern_id))}/confidence"
        return Listing.from_body(self._send("GET", path, expect={"versions": list}), "versions")

    # --- short-term memory ---------------------------------------------------------------------

    def store_stm(self, key: str, data: Any, ttl_seconds: int) -> bool:
        """See `MemoryBackend`."""
        path = f"memory/stm/{path_segment(check_stm_key(key))}"
        ttl_seconds = check_integer("ttl_seconds", ttl_seconds, minimum=1, maximum=STM_MAX_SECONDS)
        body = json_text({"data": plain_json(data, "data"), "ttl_seconds": ttl_seconds}, "body")
        self._send("PUT", path, body, expect={"key": str})
        return True

    def retrieve_stm(self, key: str, *, strict: bool) -> Any | None:  # noqa: ARG002  the API always is
        """See `MemoryBackend`."""
        return self._send("GET", f"memory/stm/{path_segment(check_stm_key(key))}", expect={"data": object})["data"]

    def clear_stm(self, pattern: str | None) -> int:
        """See `MemoryBackend`."""
        pattern = None if pattern is None else check_text("pattern", pattern)
        return int(self._send("DELETE", "memory/stm", query={"pattern": pattern}, expect={"erased": int})["erased"])

    def write_cycle(self, cycle: Cycle) -> bool:
        """See `MemoryBackend`."""
        self._send("POST", "memory/cycles", json_text(cycle.as_dict(), "body"), expect={"cycle_id": str})
        return True

    def read_cycle(
        self, *, cycles: int, signals_since: Instant | None, performance: Mapping[str, Sequence[str]] | None
    ) -> Json:
        """See `MemoryBackend`."""
        query = {
            "cycles": integer_text(cycles, "cycles"),
            "signals_since": iso_text(signals_since, "signals_since"),
            "performance": object_text(performance, "performance"),
        }
        return self._send("GET", "memory/cycles", query=query, expect={"queries": list, "signals": list})

    def remove_signal(self, signal: Any) -> bool:
        """See `MemoryBackend`."""
        body = json_text({"signal": plain_json(signal, "signal")}, "body")
        return bool(self._send("POST", "memory/signals/removal", body, expect={"removed": bool})["removed"])

    def check_rate_limit(self, source_id: str, limit: int, window_seconds: int) -> Json:
        """See `MemoryBackend`."""
        path = f"memory/rate-limits/{path_segment(check_source(source_id, 'source_id'))}"
        body = {
            "limit": check_integer("limit", limit, minimum=1, maximum=MAX_RATE_LIMIT),
            "window_seconds": check_integer("window_seconds", window_seconds, minimum=1, maximum=STM_MAX_SECONDS),
        }
        return self._send("POST", path, json_text(body, "body"), expect={"allowed": bool})

    # --- long-term memory ----------------------------------------------------------------------

    def pool(self, name: str) -> "HttpBackend":
        """See `MemoryBackend`."""
        if name not in self.pools:
            pools = ", ".join(self.pools) or "none"
            raise InvalidInput("name", f"{shown(name, 80)} is not one of the agent's pools: {pools}")
        return _PoolBackend(self._requests, name, (), self.agent_id, self.write_shards)

    def store_ltm(
        self, memory_type: str, pattern_id: str, data: Document, *, reason: str | None, expected_version: int | None
    ) -> Json:
        """See `MemoryBackend`."""
        version = _version(expected_version)
        query = {"reason": _reason(reason), "expected_version": version, "writer": self._writer}
        path, body = _memory_path(memory_type, pattern_id), document_text(learned_time_as_text(data), "data", "")
        return self._send("PUT", path, body, query=query, expect=_VERSION)

    def get_ltm(self, memory_type: str, pattern_id: str) -> Json:
        """See `MemoryBackend`."""
        return self._send("GET", _memory_path(memory_type, pattern_id), expect=_VERSION)

    def delete_ltm(self, memory_type: str, pattern_id: str, *, reason: str, expected_version: int | None) -> Json:
        """See `MemoryBackend`."""
        version = _version(expected_version)
        query = {"reason": check_text("reason", reason), "expected_version": version, "writer": self._writer}
        return self._send("DELETE", _memory_path(memory_type, pattern_id), query=query, expect=_VERSION)

    def retrieve_ltm(
        self, memory_type: str, filters: Document | None, *, as_of: Instant | None, matches: Document | None
    ) -> Listing[Json]:
        """See `MemoryBackend`."""
        query = {
            "filters": None if filters is None else json_text(memory_conditions(filters), "filters"),
            "as_of": iso_text(as_of, "as_of"),
            "matches": object_text(matches, "matches"),
        }
        found = self._list_with_pools(f"memory/ltm/{path_segment(check_memory_type(memory_type))}", query, "memories")
        found.sort(key=lambda one: -1.0 if one["confidence"] is None else float(one["confidence"]), reverse=True)
        return found

    def advise(self, query: AdviceQuery) -> Json:
        """See `MemoryBackend`. Each pool is asked by itself, and the first that has an estimate answers.

        With pools the choice is made here, so that a seed leads to the same one as on the stores.
        """
        query = query.checked()
        parameters = {
            "decision_type": query.decision_type,
            "context": json_text(query.context, "context"),
            "options": json_text(query.options, "options"),
            "choice": query.choice,
            "choose": None if self.pools else query.choose,
            "count": integer_text(query.count, "count"),
            "exploration": repr(query.exploration),
            "seed": query.seed,
            "result": query.result,
            "withhold": None if query.withhold is None else json_text(query.withhold, "withhold"),
            "recent": "true" if query.recent else None,
        }
        paths = [f"{agent}/memory/advice" for agent in self._namespaces]
        send = partial(self._requests.send, "GET", query=parameters, expect={"options": list, "memory_ids": list})
        answers = map_concurrently(send, paths)
        return joined(answers, query, self.agent_id) if self.pools else answers[0]

    def update_ltm_confidence(
        self, memory_type: str, pattern_id: str, new_confidence: float, *, reason: str | None
    ) -> Json:
        """See `MemoryBackend`."""
        body = json_text({"new_confidence": check_confidence(new_confidence, "new_confidence")}, "body")
        path = f"{_memory_path(memory_type, pattern_id)}/confidence"
        return self._send("PUT", path, body, query={"reason": _reason(reason), "writer": self._writer}, expect=_VERSION)

    def get_ltm_history(self, memory_type: str, pattern_id: str) -> Listing[Json]:
        """See `MemoryBackend`."""
        path = f"{_memory_path(memory_type, pattern_id)}/history"
        return Listing.from_body(self._send("GET", path, expect={"changes": list}), "changes")

    def influence(self, memory_id: str, time_range: TimeRange | None) -> Json:
        """See `MemoryBackend`."""
        path = f"memory/influence/{path_segment(check_pattern_id(memory_id, 'memory_id'))}"
        return self._send("GET", path, query=time_query(time_range), expect={"decisions": list, "fed": list})

    def crowding(self, day: str) -> list[Json]:
        """See `MemoryBackend`."""
        query, expect = {"date": parse_date(day, "day").isoformat()}, {"memories": list}
        return [
            self._requests.send("GET", f"{agent}/memory/crowding", query=query, expect=expect)
            for agent in self._namespaces
        ]

    def quarantine(self, memory_id: str, reason: str, memory_type: str | None) -> list[Json]:
        """See `MemoryBackend`."""
        body = json_text(
            {"reason": check_text("reason", reason, MAX_REASON), "memory_type": _type(memory_type)}, "body"
        )
        path = _quarantine_path(memory_id)
        return [
            self._requests.send("PUT", f"{agent}/{path}", body, expect={"memories": list}) for agent in self._namespaces
        ]

    def release(self, memory_id: str, reason: str, memory_type: str | None) -> list[Json]:
        """See `MemoryBackend`."""
        query = {"reason": check_text("reason", reason, MAX_REASON), "memory_type": _type(memory_type)}
        path = _quarantine_path(memory_id)

        def release_in(agent: str) -> Json:
            return self._requests.send("DELETE", f"{agent}/{path}", query=query, expect={"memories": list})

        return released_somewhere(release_in, self._namespaces)

    def list_quarantines(self) -> list[Json]:
        """See `MemoryBackend`."""
        return list(self._send("GET", "memory/quarantines", expect={"quarantines": list})["quarantines"])

    @property
    def _namespaces(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([self.agent_id, *self.pools]))

    def consolidate_to_ltm(self, stm_key: str, pattern_type: str) -> Json:
        """See `MemoryBackend`."""
        body = json_text(
            {
                "stm_key": check_stm_key(stm_key, "stm_key"),
                "pattern_type": check_memory_type(pattern_type, "pattern_type"),
            },
            "body",
        )
        return self._send("POST", "memory/consolidations", body, query={"writer": self._writer}, expect=_VERSION)

    def recall(self, query: RecallQuery) -> Ranking:
        """See `MemoryBackend`. Pools are ranked with the agent: by the word frequencies of all, as of one time."""
        rankings = self._recall_each(query)
        if len(rankings) > 1 and all(one.statistics for one in rankings):
            total = TextStatistics()
            for one in rankings:
                total.add(TextStatistics.of(one.statistics))
            ranked_ms = parse_instant(rankings[0].statistics["ranked_at"], "ranked_at")
            rankings = self._recall_each(query, total.as_dict(), query.cursor or query.cursor_after(FIRST, ranked_ms))
        found = sorted([entry for one in rankings for entry in one], key=place_of)
        missing = [item for one in rankings for item in one.missing]
        cursor = next((one.cursor for one in rankings if one.cursor), None)
        if found[: query.top_k] and (cursor or len(found) > query.top_k) and rankings[0].statistics:
            ranked_ms = parse_instant(rankings[0].statistics["ranked_at"], "ranked_at")
            cursor = query.cursor_after(place_of(found[: query.top_k][-1]), ranked_ms)
        return Ranking(found[: query.top_k], missing, cursor, rankings[0].statistics)

    def _recall_each(
        self, query: RecallQuery, statistics: Json | None = None, cursor: str | None = None
    ) -> list[Ranking]:
        """The rankings of the agent and of the memories of each of its pools, requested concurrently."""
        start_and_end = query.time_range or (None, None)
        success = query.success if query.success is None else str(query.success).lower()
        parameters = {
            "query": query.text,
            "kind": query.kind,
            "symbol": query.symbol,
            "top_k": integer_text(query.top_k, "top_k"),
            "explain": boolean_text(query.explain, "explain"),
            "half_lives": object_text(query.half_lives, "half_lives"),
            **time_query(start_and_end),
            "as_of": iso_text(query.as_of, "as_of"),
            "context": object_text(query.context, "context"),
            "tags": None if query.tags is None else json_text(list(query.tags), "tags"),
            "success": success,
            "weights": object_text(query.weights, "weights"),
            "cursor": cursor or query.cursor,
            "statistics": object_text(statistics, "statistics"),
        }

        def send(agent: str) -> Json:
            # A pool shares its memories; its decisions are those of another agent.
            asked = parameters if agent == self.agent_id else {**parameters, "decisions": "false"}
            return self._requests.send("GET", f"{agent}/memory/recall", query=asked, expect={"found": list})

        return [Ranking.from_body(body, "found") for body in map_concurrently(send, self._namespaces)]

    def similar(self, query: SimilarQuery) -> Json:
        """See `MemoryBackend`."""
        parameters = {
            "context": json_text(query.context, "context"),
            "decision_type": query.decision_type,
            "top_k": integer_text(query.top_k, "top_k"),
            "min_similarity": repr(query.min_similarity),
            "as_of": iso_text(query.as_of, "as_of"),
            **time_query(query.time_range or (None, None)),
        }
        return self._send("GET", "memory/similar", query=parameters, expect={"similar": list, "complete": bool})

    def get_context_memory(self, filters: DecisionFilter, *, limit: int, level: str | None, cursor: str | None) -> Json:
        """See `MemoryBackend`."""
        filters.validated()
        query = {
            **time_query(filters.time_range),
            "context": None if filters.context is None else json_text(filters.context, "context_filter"),
            "limit": integer_text(limit, "limit"),
            "level": None if level is None else check_text("level", level),
            "cursor": None if cursor is None else check_text("cursor", cursor),
        }
        return self._send("GET", "memory/contexts", query=query, expect={"entries": list, "complete": bool})

    # --- state ---------------------------------------------------------------------------------

    def save_state(self, state: Document, *, expected_version: int | None) -> Json:
        """See `MemoryBackend`."""
        query = {"expected_version": _version(expected_version)}
        return self._send("PUT", "state", document_text(state, "state", ""), query=query, expect=_VERSION)

    def load_state(self, *, fresh: bool) -> Json | None:
        """See `MemoryBackend`."""
        query = {"fresh": boolean_text(fresh, "fresh")}
        state: Json | None = self._send("GET", "state", query=query, expect={"state": object})["state"]
        return state

    def create_checkpoint(self, name: str) -> Json:
        """See `MemoryBackend`."""
        return self._send("PUT", f"state/checkpoints/{path_segment(check_checkpoint(name))}", expect=_VERSION)

    def list_checkpoints(self) -> Listing[Json]:
        """See `MemoryBackend`."""
        body = self._send("GET", "state/checkpoints", expect={"checkpoints": list})
        return Listing.from_body(body, "checkpoints")

    def restore_checkpoint(self, name: str, *, expected_version: int | None) -> Json:
        """See `MemoryBackend`."""
        query = {"expected_version": _version(expected_version)}
        path = f"state/checkpoints/{path_segment(check_checkpoint(name))}/restore"
        return self._send("POST", path, query=query, expect=_VERSION)

    def list_configurations(self) -> Listing[Json]:
        """See `MemoryBackend`."""
        body = self._send("GET", "state/configurations", expect={"configurations": list})
        return Listing.from_body(body, "configurations")

    # --- requests ------------------------------------------------------------------------------

    def _send(
        self, method: str, path: str, body: str | None = None, *, query: Query | None = None, expect: Members
    ) -> Json:
        return self._requests.send(method, f"{self.agent_id}/{path}", body, query=query, expect=expect)

    def _list_with_pools(self, path: str, query: Mapping[str, str | None], name: str) -> Listing[Json]:
        """The entries of the agent and of each of its pools, requested concurrently, and what is missing of them."""
        paths = [f"{agent}/{path}" for agent in self._namespaces]
        bodies = map_concurrently(partial(self._requests.send, "GET", query=query, expect={name: list}), paths)
        listings: list[Listing[Json]] = [Listing.from_body(body, name) for body in bodies]
        return Listing(
            [entry for listing in listings for entry in listing],
            [missing for listing in listings for missing in listing.missing],
        )


class _PoolBackend(HttpBackend):
    """The memory of a pool, on the connections of the agent's backend."""

    def close(self) -> None:
        """Does nothing: the agent's backend closes the connections."""


def _check_fits(one: Decision | Outcome, payload: bytes) -> None:
    """Check that a batch request of one item is not too large; `payload` is the item as JSON."""
    # With the escapes of quotes and backslashes it is at most twice as large, so that most need not be measured.
    if 2 * len(payload) > MAX_BODY_BYTES and not fits_in_batch(payload.decode()):
        raise too_large(largest_field(one))


def _memory_path(memory_type: str, pattern_id: str) -> str:
    return f"memory/ltm/{path_segment(check_memory_type(memory_type))}/{path_segment(check_pattern_id(pattern_id))}"


def _quarantine_path(memory_id: str) -> str:
    return f"memory/quarantines/{path_segment(check_pattern_id(memory_id, 'memory_id'))}"


def _type(memory_type: str | None) -> str | None:
    return None if memory_type is None else check_memory_type(memory_type)


def _version(expected_version: int | None) -> str | None:
    version = check_expected_version(expected_version)
    return None if version is None else str(version)


def _reason(reason: str | None) -> str | None:
    return None if reason is None else check_text("reason", reason)
