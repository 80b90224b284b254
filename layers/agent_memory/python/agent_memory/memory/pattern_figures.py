"""What is shown of patterns: their figures, and how the figures of one have changed from version to version."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agent_memory.core.clock import to_iso
from agent_memory.model.memories import Memory

_ACTIVE = "active"
_SENTENCES = ("description", "rule", "text")


def pattern_rows(
    patterns: Iterable[Memory], *, status: str | None = None, min_occurrences: int = 0
) -> list[dict[str, Any]]:
    """The figures of patterns, active ones first, then by confidence.

    Agents may store patterns themselves, with any data: what is missing, or is no text where text belongs, or no rate
    from 0 to 1 where a rate belongs, is None.

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
            "status": _text(one.data.get("status")),
            "removed": one.is_removed,
            **_rate(one),
        }
        for one in versions
    ]


def sentence_of(memory: Mapping[str, Any]) -> str | None:
    """What a memory says, in its own words."""
    return next((memory[one] for one in _SENTENCES if isinstance(memory.get(one), str)), None)


def _row(pattern: Memory) -> dict[str, Any]:
    return {
        "pattern_id": pattern.pattern_id,
        "description": sentence_of(pattern.data),
        "effect": _number(pattern.data.get("effect"), -1, 1),
        "status": _text(pattern.data.get("status")),
        **_rate(pattern),
        "confidence": pattern.confidence,
        "learned_at": to_iso(pattern.learned_ms),
    }


def _rate(pattern: Memory) -> dict[str, Any]:
    """The success rate of a pattern with its interval."""
    data = pattern.data
    interval = data.get("interval")
    low, high = interval if isinstance(interval, list | tuple) and len(interval) == 2 else (None, None)  # noqa: PLR2004
    low, high = _number(low, 0, 1), _number(high, 0, 1)
    is_interval = low is not None and high is not None and low <= high
    return {
        "success_rate": _number(data.get("success_rate"), 0, 1),
        "low": low if is_interval else None,
        "high": high if is_interval else None,
        "base_rate": _number(data.get("base_rate"), 0, 1),
        "sample_size": _sample_size(pattern),
    }


def _occurrences(pattern: Memory) -> float:
    return _sample_size(pattern) or 0


def _sample_size(pattern: Memory) -> float | None:
    return _number(pattern.data.get("occurrences", pattern.data.get("sample_size")), 0, math.inf)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object, lowest: float, highest: float) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return value if lowest <= value <= highest else None
