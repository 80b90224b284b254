"""Renders pages: Jinja with escaping of every value, and the report's ways to write numbers, dates and names."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from jinja2 import Environment
from starlette.datastructures import QueryParams

from agent_memory.cli.console.view import Column, Row
from agent_memory.reporting import formatting
from agent_memory.reporting.environment import new_environment

_BAR_WIDTH = 120
_WHOLE_FROM, _SCIENTIFIC_FROM = 1e3, 1e15
_SHARED = (
    "context",
    "count",
    "day",
    "dollars",
    "fading",
    "interval",
    "name",
    "percent",
    "plural",
    "points",
    "shortened",
)
"""The filters of `reporting.formatting` that the pages use."""


class Leaf(NamedTuple):
    """A value of a document that is not itself an object, and the path to it."""

    path: str
    value: Any


@cache
def environment() -> Environment:
    """The templates' environment."""
    shared = [getattr(formatting, one) for one in _SHARED]
    own = (days_back, decimal, instant, leaves, position, pretty, segment, shown, stated, with_query)
    return new_environment("agent_memory.cli.console", "templates", (*shared, *own))


def decimal(number: float | None) -> str:
    """`0.4941`, `2,592,000`: four significant digits, and all of those before the point."""
    if number is None:
        return formatting.MISSING
    if isinstance(number, int):
        return f"{number:,}"
    return f"{number:,.0f}" if _WHOLE_FROM <= abs(number) < _SCIENTIFIC_FROM else f"{number:,.4g}"


def instant(value: str | None) -> str:
    """An ISO time as `2026-11-20 10:30:00`, in UTC; the script shows it in local time where that was chosen."""
    return formatting.MISSING if value is None else value[:19].replace("T", " ")


def days_back(as_of: str, now: str) -> int:
    """How many days before now a day is, as a number that is not over zero; 0 for text that is not a day yet."""
    try:
        return min(0, (date.fromisoformat(as_of[:10]) - date.fromisoformat(now[:10])).days)
    except ValueError:
        return 0


def position(fraction: float) -> str:
    """A fraction as a coordinate of a small bar."""
    return f"{_BAR_WIDTH * min(1.0, max(0.0, fraction)):.1f}"


def pretty(value: Any) -> str:
    """JSON over several lines."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def shown(value: Any) -> str:
    """Any JSON value as text of one line; text as it is."""
    if value is None:
        return formatting.MISSING
    if value in ([], {}):
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def stated(columns: Sequence[Column], rows: Sequence[Row]) -> list[Column]:
    """The columns without those that no row states, as an estimate no confidence; CSV has all."""
    return [one for one in columns if any(row.get(one.key) is not None for row in rows)]


def segment(text: str) -> str:
    """Text as one segment of a path."""
    return quote(text, safe="")


def leaves(document: Mapping[str, Any]) -> list[Leaf]:
    """The values of a document with their paths, as `market.trend`."""
    return list(_leaves(document, ""))


def _leaves(document: Mapping[str, Any], prefix: str) -> Iterator[Leaf]:
    for key, value in document.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{path}.")
        else:
            yield Leaf(path, value)


def with_query(query: QueryParams, **changes: str | None) -> str:
    """The query of this page with other values; None removes one. Empty without any."""
    kept = [(name, value) for name, value in query.multi_items() if name not in changes and value]
    pairs = urlencode([*kept, *((name, value) for name, value in changes.items() if value)])
    return f"?{pairs}" if pairs else ""
