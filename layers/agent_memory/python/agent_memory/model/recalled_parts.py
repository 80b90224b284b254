"""What recall takes of memories and decisions: their words, tags, symbol and importance."""

from collections.abc import Iterable, Mapping
from typing import Any

from agent_memory.model.decisions import Decision, Outcome
from agent_memory.model.memories import Memory

DEFAULT_IMPORTANCE = 0.5
"""The importance of a memory that states no confidence, and of a decision whose outcome has no `quality`."""

_NO_TEXT = frozenset({int, float, bool, type(None)})
_HEADINGS = ("description", "rule", "tags")


def symbol_of(decision: Decision) -> str | None:
    """The symbol of a decision, which its context names, or else its reasoning."""
    symbol = decision.context.get("symbol", decision.reasoning.get("symbol"))
    return symbol if isinstance(symbol, str) else None


def importance_of(outcome: Outcome) -> float:
    """The quality of an outcome."""
    quality = outcome.metrics.get("quality", DEFAULT_IMPORTANCE)
    is_measured = isinstance(quality, int | float) and 0 <= quality <= 1
    return float(quality) if is_measured else DEFAULT_IMPORTANCE


def tags_of(payload: Memory | Decision) -> set[str]:
    """The tags of a memory, or of a decision: those of its context, reasoning and metadata."""
    documents = (
        [payload.data] if isinstance(payload, Memory) else [payload.context, payload.reasoning, payload.metadata]
    )
    tags: set[str] = set()
    for document in documents:
        given = document.get("tags")
        if isinstance(given, str):
            tags.add(given)
        elif isinstance(given, list | tuple):
            tags.update(one for one in given if isinstance(one, str))
    return tags


def strings_in(*values: Any) -> list[str]:
    """The strings in JSON values, in order, names included; numbers are not matched by words."""
    strings: list[str] = []
    _add_strings(values, strings)
    return strings


def _add_strings(values: Iterable[Any], strings: list[str]) -> None:
    """`strings_in`, with a call for each object and list only."""
    for one in values:
        kind = type(one)
        if kind is str or isinstance(one, str):
            strings.append(one)
        elif kind in _NO_TEXT:
            continue
        elif kind is dict or isinstance(one, Mapping):
            for name, value in one.items():
                strings.append(name)
                if type(value) is str:  # as most
                    strings.append(value)
                elif type(value) not in _NO_TEXT:
                    _add_strings((value,), strings)
        elif isinstance(one, list | tuple):
            _add_strings(one, strings)


def memory_texts(pattern_id: str, data: Mapping[str, Any]) -> tuple[str, str]:
    """All text of a memory, and what counts as its heading: its description, rule and tags."""
    headings: list[Any] = []
    others: list[Any] = []
    for name, value in data.items():
        if name in _HEADINGS:
            headings.append(value)
        else:
            others += (name, value)
    text = " ".join([pattern_id.replace("_", " "), *strings_in(*others)])
    return text, " ".join(strings_in(*headings)) if headings else ""
