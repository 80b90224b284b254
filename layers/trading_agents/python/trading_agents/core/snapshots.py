"""What is remembered as plain JSON data: each class writes a snapshot of its own, with a version, and reads it back."""

from collections.abc import Mapping
from typing import Any

from agent_memory.core.errors import InvalidInput

Snapshot = dict[str, Any]
"""A JSON object: `of` (what it is of), `version`, and the data."""

_VERSION = 1


def snapshot(of: str, **data: Any) -> Snapshot:
    """The data of something, labelled."""
    return {"of": of, "version": _VERSION, **data}


def data_of(state: Any, of: str) -> Snapshot:
    """The data of a snapshot, without its label.

    Raises:
        InvalidInput: it is a snapshot of something else, or of a version that this code does not read.
    """
    if not isinstance(state, Mapping) or state.get("of") != of:
        raise InvalidInput("state", f"is not a snapshot of a {of}; give what its to_state() returned")
    if state.get("version") != _VERSION:
        raise InvalidInput("state", f"version {state.get('version')!r:.20} of a {of} is unknown; known is {_VERSION}")
    return {name: value for name, value in state.items() if name not in {"of", "version"}}
