"""LangGraph: `AgentMemoryStore`, a `BaseStore` on an agent's long-term memory, and `decision_tools`.

An item is one memory of the type `LANGGRAPH_ITEM`, whose id is a digest of namespace and key, so that labels and keys
may contain any character. Every version of an item is kept, and a deleted one keeps its history.
"""

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import mul
from typing import Any

from langchain_core.tools import BaseTool, StructuredTool
from langgraph.store.base import (
    BaseStore,
    GetOp,
    IndexConfig,
    Item,
    ListNamespacesOp,
    MatchCondition,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
    TTLConfig,
    ensure_embeddings,
    get_text_at_path,
    tokenize_path,
    validate_op_namespace,
)

from agent_memory.client.decision_logger import DecisionLogger
from agent_memory.client.executor import in_thread
from agent_memory.client.integrations.conditions import meets
from agent_memory.client.memory_manager import MemoryManager
from agent_memory.core.errors import InvalidInput, NotFound, Unavailable

MEMORY_TYPE = "LANGGRAPH_ITEM"
_DELETED = "deleted by the graph"
_ENTIRE_VALUE = "$"


class AgentMemoryStore(BaseStore):
    """A LangGraph store on any store of this package: a file, AWS, or the HTTP API. Works on any loop and thread.

    A search or a listing of namespaces reads all items of the agent. It raises an error where they do not fit into one
    answer, instead of leaving some out.

    Args:
        memory: the memory of the agent.
        index: as of `InMemoryStore`: `embed`, and the `fields` that are embedded, by default the entire value. Without
            it, searches filter, and newer items come first.
        ttl: defaults for expiry. Reads renew it only if `refresh_on_read` is set: every renewal is a version.
        now: the time, for tests.
    """

    supports_ttl = True

    def __init__(
        self,
        memory: MemoryManager,
        *,
        index: IndexConfig | None = None,
        ttl: TTLConfig | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._memory = memory.sync
        self.ttl_config = {"refresh_on_read": False, **(ttl or {})}
        self._now = now
        self._embeddings = ensure_embeddings(index["embed"]) if index else None
        self._fields = [_path(one) for one in (index or {}).get("fields") or [_ENTIRE_VALUE]]

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Reads see the store as it was before the batch; of several writes of an item, the last one counts."""
        given = _valid(ops)
        vectors = _Vectors()
        if self._embeddings is not None:
            texts, queries = self._texts_of_all(given), _queries(given)
            vectors.of_texts = dict(zip(texts, self._embeddings.embed_documents(texts), strict=True)) if texts else {}
            vectors.of_queries = {query: self._embeddings.embed_query(query) for query in queries}
        return self._run(given, vectors)

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """As `batch`, in a thread; embeds by the embedder's own coroutines."""
        given = _valid(ops)
        vectors = _Vectors()
        if self._embeddings is not None:
            texts, queries = self._texts_of_all(given), _queries(given)
            found = await self._embeddings.aembed_documents(texts) if texts else []
            vectors.of_texts = dict(zip(texts, found, strict=True))
            vectors.of_queries = {query: await self._embeddings.aembed_query(query) for query in queries}
        return await in_thread(self._run, given, vectors)

    def _run(self, given: Sequence[Op], vectors: "_Vectors") -> list[Result]:
        results = [None if isinstance(op, PutOp) else self._read(op, vectors) for op in given]
        for op in _last_writes(given):
            self._put(op, vectors)
        return results

    def _read(self, op: GetOp | SearchOp | ListNamespacesOp, vectors: "_Vectors") -> Result:
        if isinstance(op, GetOp):
            return self._get(op)
        if isinstance(op, SearchOp):
            return self._search(op, vectors)
        if isinstance(op, ListNamespacesOp):
            return self._namespaces(op)
        raise ValueError(f"{type(op).__name__} is no operation of a store")

    # --- items -----------------------------------------------------------------------------------

    def _get(self, op: GetOp) -> Item | None:
        try:
            stored = self._memory.get_ltm(MEMORY_TYPE, _id_of(op.namespace, op.key))
        except NotFound:
            return None
        if self._has_expired(stored):
            return None
        self._renew([stored], op.refresh_ttl)
        return Item(**_item(stored))

    def _put(self, op: PutOp, vectors: "_Vectors") -> None:
        name = _id_of(op.namespace, op.key)
        if op.value is None:
            try:
                self._memory.delete_ltm(MEMORY_TYPE, name, _DELETED)
            except NotFound:
                return
        else:
            found = [list(map(float, vectors.of_texts[text])) for text in self._texts(op)]
            data = {"namespace": list(op.namespace), "key": op.key, "value": op.value, "vectors": found}
            self._memory.store_ltm(MEMORY_TYPE, name, {**data, **self._expiry(op.ttl)})

    def _expiry(self, minutes: float | None) -> dict[str, Any]:
        if minutes is None:
            return {}
        try:
            expires_at = self._now() + timedelta(minutes=minutes)
        except (TypeError, ValueError, OverflowError) as error:
            raise InvalidInput("ttl", f"{minutes!r} minutes cannot be added to the time") from error
        return {"ttl_minutes": minutes, "expires_at": expires_at.isoformat()}

    def _has_expired(self, stored: Mapping[str, Any]) -> bool:
        return "expires_at" in stored and datetime.fromisoformat(stored["expires_at"]) <= self._now()

    def _renew(self, found: Sequence[dict[str, Any]], refresh_ttl: bool) -> None:
        for stored in found:
            if refresh_ttl and "ttl_minutes" in stored:
                data = {**stored, **self._expiry(stored["ttl_minutes"])}
                self._memory.store_ltm(MEMORY_TYPE, stored["pattern_id"], data)

    def _items(self) -> list[dict[str, Any]]:
        """All items that have not expired, newest first."""
        found = self._memory.retrieve_ltm(MEMORY_TYPE)
        if not found.complete:
            raise Unavailable(f"the items cannot all be read: {found.missing[0]['why']}")
        current = [one for one in found if not self._has_expired(one)]
        return sorted(current, key=lambda one: (one["updated_at"], one["pattern_id"]), reverse=True)

    # --- searches --------------------------------------------------------------------------------

    def _search(self, op: SearchOp, vectors: "_Vectors") -> list[SearchItem]:
        depth = len(op.namespace_prefix)
        found = [
            one
            for one in self._items()
            if tuple(one["namespace"][:depth]) == tuple(op.namespace_prefix) and meets(one["value"], op.filter or {})
        ]
        scored: list[tuple[float | None, dict[str, Any]]] = [(None, one) for one in found]
        if op.query and self._embeddings is not None:
            query = vectors.of_queries[op.query]
            scored = [(_score(query, one["vectors"]), one) for one in found]
            scored.sort(key=lambda pair: -math.inf if pair[0] is None else pair[0], reverse=True)
        page = scored[op.offset : op.offset + op.limit]
        self._renew([one for _, one in page], op.refresh_ttl)
        return [SearchItem(**_item(one), score=score) for score, one in page]

    def _texts(self, op: PutOp) -> list[str]:
        """What is embedded of an item."""
        if self._embeddings is None or op.index is False or op.value is None:
            return []
        paths = self._fields if op.index is None else map(_path, op.index)
        return [text for path in paths for text in get_text_at_path(op.value, path)]

    def _texts_of_all(self, given: Sequence[Op]) -> list[str]:
        return list(dict.fromkeys(text for op in _last_writes(given) for text in self._texts(op)))

    def _namespaces(self, op: ListNamespacesOp) -> list[tuple[str, ...]]:
        found = {tuple(one["namespace"]) for one in self._items()}
        conditions = op.match_conditions or ()
        matching = {one[: op.max_depth] for one in found if all(_matches(one, condition) for condition in conditions)}
        return sorted(matching)[op.offset : op.offset + op.limit]


@dataclass
class _Vectors:
    """The vectors of the texts of a batch's items, and of its queries."""

    of_texts: Mapping[str, Sequence[float]] = field(default_factory=dict)
    of_queries: Mapping[str, Sequence[float]] = field(default_factory=dict)


def _path(field: str) -> str | list[str]:
    """A field's path, as LangGraph finds its text; that of the entire value is not taken apart."""
    return field if field == _ENTIRE_VALUE else tokenize_path(field)


def _valid(ops: Iterable[Op]) -> list[Op]:
    given = list(ops)
    for op in given:
        validate_op_namespace(op)
    return given


def _last_writes(given: Sequence[Op]) -> Iterable[PutOp]:
    """The last write of each item."""
    return {(op.namespace, op.key): op for op in given if isinstance(op, PutOp)}.values()


def _queries(given: Sequence[Op]) -> set[str]:
    return {op.query for op in given if isinstance(op, SearchOp) and op.query}


def decision_tools(log: DecisionLogger, memory: MemoryManager) -> list[BaseTool]:
    """`log_decision` and `advise` as tools of a graph's nodes; the arguments and errors are those of the methods."""
    methods = ((log.sync.log_decision, log.log_decision), (memory.sync.advise, memory.advise))
    return [_tool(blocking, method) for blocking, method in methods]


def _tool(blocking: Callable[..., Any], method: Callable[..., Any]) -> BaseTool:
    summary = (method.__doc__ or "").partition("\n")[0]
    tool = StructuredTool.from_function(blocking, method, name=method.__name__, description=summary)
    schema: Any = tool.args_schema
    schema.model_config["extra"] = "forbid"  # an argument that is misspelled is an error, instead of left out
    schema.model_rebuild(force=True)
    return tool


def _id_of(namespace: Sequence[str], key: str) -> str:
    return hashlib.sha256(json.dumps([list(namespace), key]).encode()).hexdigest()


def _item(stored: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "namespace": tuple(stored["namespace"]),
        "key": stored["key"],
        "value": stored["value"],
        "created_at": datetime.fromisoformat(stored["learned_at"]),
        "updated_at": datetime.fromisoformat(stored["updated_at"]),
    }


def _matches(namespace: tuple[str, ...], condition: MatchCondition) -> bool:
    length = len(condition.path)
    part = namespace[:length] if condition.match_type == "prefix" else namespace[-length:]
    return len(part) == length and all(label in ("*", own) for label, own in zip(condition.path, part, strict=True))


def _score(query: Sequence[float], vectors: Sequence[Sequence[float]]) -> float | None:
    """The cosine of the nearest vector; None without any.

    Raises:
        InvalidInput: the item was embedded by another model, so that no cosine can be computed.
    """
    for one in vectors:
        if len(one) != len(query):
            problem = f"an item has a vector of {len(one)} numbers, the query one of {len(query)}: put the items again"
            raise InvalidInput("index/embed", problem)
    return max((_cosine(query, one) for one in vectors), default=None)


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    length = math.hypot(*one) * math.hypot(*other)
    return sum(map(mul, one, other)) / length if length else 0.0
