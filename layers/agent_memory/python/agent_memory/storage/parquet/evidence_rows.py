"""Rows of evidence in a Parquet file."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from agent_memory.core.clock import Span
from agent_memory.model.evidence import Evidence, Rewards
from agent_memory.storage.parquet.files import merge_parquet, stream_parquet, to_parquet

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
    return _as_evidence(stream_parquet(body, COLUMNS, as_json=_TEXT_LISTS, **condition))


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


def _as_evidence(rows: Iterable[tuple[Any, ...]]) -> Iterator[Evidence]:
    """Rows of `COLUMNS`, with lists of texts as JSON, as evidence."""
    for decision_id, decision_type, at, success, features, known_ms, question, cluster, *others in rows:
        earlier_ms, earlier_success, policy, policy_version, propensity, joint_propensity, *lists = others
        paths, values, ancestors, memory_ids, experiments, *of_rewards = lists
        reward_paths, reward_values, rewards_ms, earlier_rewards = of_rewards
        yield Evidence(
            decision_id,
            decision_type,
            at,
            success,
            _texts(features),
            # Files of earlier versions have none of the columns from here on.
            at if known_ms is None else known_ms,
            sys.intern(question) if question else "",
            cluster or "",
            tuple(zip(earlier_ms, earlier_success, strict=True)) if earlier_ms else (),
            sys.intern(policy) if policy else "",
            sys.intern(policy_version) if policy_version else "",
            propensity,
            joint_propensity,
            _pairs(paths, values),
            _texts(ancestors),
            tuple(map(sys.intern, _texts(memory_ids))),
            _texts(experiments),
            _pairs(reward_paths, reward_values),
            -1 if rewards_ms is None else rewards_ms,
            _earlier_rewards(earlier_rewards) if earlier_rewards else (),
        )


def _texts(found: str | None) -> tuple[str, ...]:
    """A list of texts in JSON as DuckDB writes it, without spaces; empty without one."""
    if found is None or found == "[]":
        return ()
    # Only the quotes and control characters of a text are escaped: elsewhere this is what is between two texts.
    return tuple(json.loads(found) if "\\" in found else found[2:-2].split('","'))


def _pairs(paths: str | None, values: Sequence[float]) -> tuple[tuple[str, float], ...]:
    found = _texts(paths)
    return tuple(zip(map(sys.intern, found), values, strict=True)) if found else ()


def _earlier_rewards(text: str) -> tuple[tuple[int, Rewards], ...]:
    """`Evidence.earlier_rewards` from JSON."""
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
