"""Rows of evidence in a Parquet file."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, repeat
from typing import Any, TypeVar

from agent_memory.core.clock import Span
from agent_memory.model.evidence import Evidence, Result, Rewards
from agent_memory.storage.parquet.files import merge_parquet, stream_batches, stream_parquet, to_parquet

COLUMNS = {
    "decision_id": "VARCHAR",
    "decision_type": "VARCHAR",
    "timestamp_ms": "BIGINT",
    "success": "BOOLEAN",
    "features": "VARCHAR[]",
    "known_ms": "BIGINT",
    "question": "VARCHAR",
    "cluster": "VARCHAR",
    "earlier_ms": "BIGINT[]",
    "earlier_success": "BOOLEAN[]",
    "policy": "VARCHAR",
    "policy_version": "VARCHAR",
    "propensity": "DOUBLE",
    "joint_propensity": "DOUBLE",
    "number_paths": "VARCHAR[]",
    "number_values": "DOUBLE[]",
    "ancestors": "VARCHAR[]",
    "memory_ids": "VARCHAR[]",
    "experiments": "VARCHAR[]",
    "reward_paths": "VARCHAR[]",
    "reward_values": "DOUBLE[]",
    "rewards_ms": "BIGINT",
    "earlier_rewards": "VARCHAR",
}
Value = TypeVar("Value")
_TEXT_LISTS = frozenset(name for name, kind in COLUMNS.items() if kind == "VARCHAR[]")
_OF_POLICIES = {"policy", "policy_version", "propensity", "joint_propensity"}
_OF_REWARDS = {"reward_paths", "reward_values", "rewards_ms", "earlier_rewards"}
OPTIONAL = frozenset({*_OF_POLICIES, *_OF_REWARDS, "ancestors", "memory_ids", "experiments"})
"""Columns of what decisions of earlier versions did not have, so that a file without them lacks nothing.

Rows without `ancestors`, `memory_ids` or rewards get them when their decisions are read again, as after a quarantine.
"""


def evidence_rows(body: bytes, span: Span) -> Iterator[Evidence]:
    """The rows of an evidence file in a span, ordered by time and id."""
    return stream_evidence(body, **in_span(span))


def stream_evidence(body: bytes, **condition: Any) -> Iterator[Evidence]:
    """The rows of an evidence file that a condition selects, as `stream_parquet` has it; all without one."""
    return chain.from_iterable(map(_as_evidence, stream_batches(body, COLUMNS, as_json=_TEXT_LISTS, **condition)))


def merge_rows(body: bytes | None, rows: Iterable[Evidence], span: Span) -> bytes:
    """A file with the rows of another one in a span, except that `rows` replace those of the same decisions."""
    return merge_parquet(
        body or to_parquet([], COLUMNS),
        map(_columns_of, rows),
        COLUMNS,
        key="decision_id",
        order="timestamp_ms, decision_id",
        **in_span(span),
    )


def times_of(body: bytes) -> list[int]:
    """When the decisions of a file were made, ascending, in milliseconds since the epoch."""
    return [at_ms for (at_ms,) in stream_parquet(body, {"timestamp_ms": COLUMNS["timestamp_ms"]})]


def in_span(span: Span) -> dict[str, Any]:
    """The condition that selects the rows of a span."""
    return {"where": "timestamp_ms BETWEEN ? AND ?", "parameters": [span.start_ms, span.end_ms - 1]}


def _as_evidence(rows: Sequence[tuple[Any, ...]]) -> Iterator[Evidence]:
    """Rows of `COLUMNS`, with lists of texts as JSON, as evidence: by column, which is faster than row by row."""
    decision_id, decision_type, at, success, features, known_ms, question, cluster, *others = zip(*rows, strict=True)
    earlier_ms, earlier_success, policy, policy_version, propensity, joint_propensity, *lists = others
    paths, values, ancestors, memory_ids, experiments, *of_rewards = lists
    reward_paths, reward_values, rewards_ms, earlier_rewards = of_rewards
    return map(
        Evidence,
        decision_id,
        _decoded(decision_type, sys.intern),
        at,
        success,
        map(_texts, features),
        # Files of earlier versions have none of the columns from here on.
        [at_ms if known is None else known for at_ms, known in zip(at, known_ms, strict=True)],
        _decoded(question, _name),
        [name or "" for name in cluster],
        map(_results, earlier_ms, earlier_success) if any(earlier_ms) else repeat(()),
        _decoded(policy, _name),
        _decoded(policy_version, _name),
        propensity,
        joint_propensity,
        _pairs(paths, values),
        _decoded(ancestors, _texts),
        _decoded(memory_ids, _names),
        _decoded(experiments, _texts),
        _pairs(reward_paths, reward_values),
        [-1 if at_ms is None else at_ms for at_ms in rewards_ms],
        _decoded(earlier_rewards, _earlier_rewards),
    )


def _decoded(column: Sequence[Any], decode: Callable[[Any], Value]) -> Iterable[Value]:
    """The values of a column, each different one of which is decoded once; an endless iterable if all are the same."""
    by_value = {one: decode(one) for one in set(column)}
    return repeat(by_value[column[0]]) if len(by_value) == 1 else map(by_value.__getitem__, column)


def _name(found: str | None) -> str:
    """A text that is the same for many rows."""
    return sys.intern(found) if found else ""


def _texts(found: str | None) -> tuple[str, ...]:
    """A list of texts in JSON as DuckDB writes it, without spaces; empty without one."""
    if found is None or found == "[]":
        return ()
    # Only the quotes and control characters of a text are escaped: elsewhere this is what is between two texts.
    return tuple(json.loads(found) if "\\" in found else found[2:-2].split('","'))


def _names(found: str | None) -> tuple[str, ...]:
    return tuple(map(sys.intern, _texts(found)))


def _results(earlier_ms: Sequence[int] | None, earlier_success: Sequence[bool | None]) -> tuple[Result, ...]:
    return tuple(zip(earlier_ms, earlier_success, strict=True)) if earlier_ms else ()


def _pairs(paths: Sequence[str | None], values: Sequence[Sequence[float]]) -> Iterable[Rewards]:
    """Numbers by their paths, of each row."""
    names = {one: _names(one) for one in set(paths)}
    if not any(names.values()):
        return repeat(())
    return [
        tuple(zip(of_row, found, strict=True)) if (of_row := names[one]) else ()
        for one, found in zip(paths, values, strict=True)
    ]


def _earlier_rewards(text: str | None) -> tuple[tuple[int, Rewards], ...]:
    """`Evidence.earlier_rewards` from JSON."""
    if not text:
        return ()
    return tuple(
        (at_ms, tuple((sys.intern(path), value) for path, value in rewards)) for at_ms, rewards in json.loads(text)
    )


def _columns_of(row: Evidence) -> dict[str, Any]:
    return {
        "decision_id": row.decision_id,
        "decision_type": row.decision_type,
        "timestamp_ms": row.timestamp_ms,
        "success": row.success,
        "features": row.features,
        "known_ms": row.known_ms,
        "question": row.question,
        "cluster": row.cluster,
        "earlier_ms": [known_ms for known_ms, _ in row.earlier],
        "earlier_success": [success for _, success in row.earlier],
        "policy": row.policy or None,
        "policy_version": row.policy_version or None,
        "propensity": row.propensity,
        "joint_propensity": row.joint_propensity,
        "number_paths": [path for path, _ in row.numbers],
        "number_values": [value for _, value in row.numbers],
        "ancestors": row.ancestors,
        "memory_ids": row.memory_ids,
        "experiments": row.experiments,
        "reward_paths": [path for path, _ in row.rewards],
        "reward_values": [value for _, value in row.rewards],
        "rewards_ms": None if row.rewards_ms < 0 else row.rewards_ms,
        "earlier_rewards": json.dumps(row.earlier_rewards) if row.earlier_rewards else None,
    }
