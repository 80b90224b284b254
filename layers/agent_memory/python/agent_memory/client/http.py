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
from agent_memory.core.checks import check_expected_version, check_integer, check_text
from agent_memory.core.clock import Instant
from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.errors import InvalidInput, shown
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
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.memory.cycles import Cycle
from agent_memory.memory.long_term import memory_conditions
from agent_memory.memory.ranking import RecallQuery
from agent_memory.model.decisions import Decision, DecisionDict, Outcome
from agent_memory.model.listings import Listing
from agent_memory.model.records import largest_field

Json = dict[str, Any]

_MAX_CONCURRENT_REQUESTS = 4
# What the API's answers contain at least.
_DECISION = {"decision_id": str}
_VERSION = {"version": int}


class HttpBackend:
    """`DecisionBackend` and `MemoryBackend` of one agent over HTTP.

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
            "limit": integer_text(limit, "limit"),
            "order": "newest" if newest_first else "oldest",
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

    def analyze_decision_patterns(self, filters: DecisionFilter, group_by: str) -> Json:
        """See `DecisionBackend`."""
        filters.validated()
        query = {
            "decision_type": filters.decision_type,
            **time_query(filters.time_range),
            "group_by": check_text("group_by", group_by),
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
        requests, results = batches(name, inputs, make_idempotent)

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
        body = json_text({"signal": signal}, "signal")
        return bool(self._send("POST", "memory/signals/removal", body, expect={"removed": bool})["removed"])

    def check_rate_limit(self, source_id: str, limit: int, window_seconds: int) -> Json:
        """See `MemoryBackend`."""
        path = f"memory/rate-limits/{path_segment(check_source(source_id, 'source_id'))}"
        body = {"limit": plain_json(limit, "limit"), "window_seconds": plain_json(window_seconds, "window_seconds")}
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
        version = integer_text(check_expected_version(expected_version), "expected_version")
        query = {"reason": _reason(reason), "expected_version": version, "writer": self._writer}
        path, body = _memory_path(memory_type, pattern_id), document_text(data, "data", "")
        return self._send("PUT", path, body, query=query, expect=_VERSION)

    def retrieve_ltm(self, memory_type: str, filters: Document | None, *, as_of: Instant | None) -> Listing[Json]:
        """See `MemoryBackend`."""
        query = {
            "filters": None if filters is None else json_text(memory_conditions(filters), "filters"),
            "as_of": iso_text(as_of, "as_of"),
        }
        found = self._list_with_pools(f"memory/ltm/{path_segment(check_memory_type(memory_type))}", query, "memories")
        found.sort(key=lambda one: -1.0 if one["confidence"] is None else float(one["confidence"]), reverse=True)
        return found

    def update_ltm_confidence(
        self, memory_type: str, pattern_id: str, new_confidence: float, *, reason: str | None
    ) -> Json:
        """See `MemoryBackend`."""
        body = json_text({"new_confidence": new_confidence}, "new_confidence")
        path = f"{_memory_path(memory_type, pattern_id)}/confidence"
        return self._send("PUT", path, body, query={"reason": _reason(reason), "writer": self._writer}, expect=_VERSION)

    def get_ltm_history(self, memory_type: str, pattern_id: str) -> Listing[Json]:
        """See `MemoryBackend`."""
        path = f"{_memory_path(memory_type, pattern_id)}/history"
        return Listing.from_body(self._send("GET", path, expect={"changes": list}), "changes")

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

    def recall(self, query: RecallQuery) -> Listing[Json]:
        """See `MemoryBackend`."""
        parameters = {
            "query": query.text,
            "kind": query.kind,
            "symbol": query.symbol,
            "top_k": integer_text(query.top_k, "top_k"),
            "explain": boolean_text(query.explain, "explain"),
            "half_lives": object_text(query.half_lives, "half_lives"),
        }
        found = self._list_with_pools("memory/recall", parameters, "found")
        found.sort(key=lambda entry: float(entry["score"]), reverse=True)
        del found[query.top_k :]
        return found

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
        query = {"expected_version": integer_text(check_expected_version(expected_version), "expected_version")}
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
        query = {"expected_version": integer_text(check_expected_version(expected_version), "expected_version")}
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
        paths = [f"{agent}/{path}" for agent in (self.agent_id, *self.pools)]
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


def _reason(reason: str | None) -> str | None:
    return None if reason is None else check_text("reason", reason)
