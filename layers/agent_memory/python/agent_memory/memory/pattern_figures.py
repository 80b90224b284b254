"""What is shown of patterns: their figures, and how the figures of one have changed from version to version."""

from collections.abc import Iterable, Sequence
from typing import Any

from agent_memory.core.clock import to_iso
from agent_memory.model.memories import Memory

_SHOWN = ("description", "success_rate", "base_rate", "effect", "status")
_ACTIVE = "active"


def pattern_rows(
    patterns: Iterable[Memory], *, status: str | None = None, min_occurrences: int = 0
) -> list[dict[str, Any]]:
    """The figures of patterns, active ones first, then by confidence; those that lack a figure have None.

    Args:
        patterns: in any order.
        status: only patterns with this status, `active`, `emerging` or `deprecated`.
        min_occurrences: only patterns that rest on at least this many decisions; those that do not say are left out
            only if this is above 0.
    """
    rows = [
        _row(one)
        for one in sorted(patterns, key=lambda one: one.rank, reverse=True)
        if (status is None or one.data.get("status") == status) and _occurrences(one) >= min_occurrences
    ]
    return sorted(rows, key=lambda row: bool(row["status"] != _ACTIVE))  # stable


def confidence_trend(versions: Sequence[Memory]) -> list[dict[str, Any]]:
    """A row for each version of a pattern, oldest first.

    Each has its time `at`, `confidence` (0-1), `version`, `status`, whether the pattern was `removed`, and what the
    confidence rests on: `success_rate` with the 95 % interval `low` to `high`, `base_rate` and `sample_size`.
    """
    return [
        {
            "at": to_iso(one.updated_ms),
            "confidence": one.confidence,
            "version": one.version,
            "status": one.data.get("status"),
            "removed": one.is_removed,
            **_rate(one),
        }
        for one in versions
    ]


def _row(pattern: Memory) -> dict[str, Any]:
    return {
        "pattern_id": pattern.pattern_id,
        **{name: pattern.data.get(name) for name in _SHOWN},
        **_rate(pattern),
        "confidence": pattern.confidence,
        "learned_at": to_iso(pattern.learned_ms),
    }


def _rate(pattern: Memory) -> dict[str, Any]:
    """The success rate of a pattern with its interval; None for what an agent that stored it itself left out."""
    data = pattern.data
    interval = data.get("interval")
    low, high = interval if isinstance(interval, list | tuple) and len(interval) == 2 else (None, None)  # noqa: PLR2004
    return {
        "success_rate": data.get("success_rate"),
        "low": low,
        "high": high,
        "base_rate": data.get("base_rate"),
        "sample_size": data.get("occurrences", data.get("sample_size")),
    }


def _occurrences(pattern: Memory) -> float:
    value = pattern.data.get("occurrences", pattern.data.get("sample_size"))
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0
