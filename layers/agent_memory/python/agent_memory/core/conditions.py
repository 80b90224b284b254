"""The rule of all filters: which JSON values meet a condition.

- An object meets an object that has some of its members: each of these must meet its condition, at any depth.
- A list meets a list of as many items, each of which meets the condition at its place. A tuple is a list.
- Numbers meet by value, so that `1` meets `1.0`; `True` and `False` meet themselves only, never 1 and 0.
- Text meets the same text, character by character.
- None meets an explicit null, never a member that is missing.
"""

from collections.abc import Mapping
from typing import Any

from agent_memory.core.json_values import Document, canonical_json


def meets(value: Any, condition: Any) -> bool:
    """Whether a JSON value meets a condition; both consist of what `plain_json` returns."""
    if isinstance(condition, Mapping):
        return isinstance(value, Mapping) and meets_all(value, condition)
    if isinstance(condition, list | tuple):
        is_as_long = isinstance(value, list | tuple) and len(value) == len(condition)
        return is_as_long and all(map(meets, value, condition))
    return isinstance(value, bool) == isinstance(condition, bool) and bool(value == condition)


def meets_all(document: Document, conditions: Document) -> bool:
    """Whether a document has every member that the conditions name, with a value that meets its condition."""
    return all(name in document and meets(document[name], condition) for name, condition in conditions.items())


def canonical_parts(conditions: Document) -> list[str]:
    """Texts that the canonical JSON of a document has if the document, or any object in it, meets the conditions.

    A search for them tells most documents that do not match from the others without parsing any. Numbers are not part
    of them, as equal numbers may have several texts.
    """
    return [part for name, condition in conditions.items() for part in _parts_of_member(name, condition)]


def _parts_of_member(name: str, condition: Any) -> list[str]:
    label = f"{canonical_json(name)}:"
    if isinstance(condition, Mapping):
        return [f"{label}{{", *canonical_parts(condition)]
    if isinstance(condition, list | tuple):
        return [f"{label}["]
    is_number = isinstance(condition, int | float) and not isinstance(condition, bool)
    return [label if is_number else f"{label}{canonical_json(condition)}"]
