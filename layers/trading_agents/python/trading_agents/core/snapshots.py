"""Snapshots of state as plain JSON data: every class writes its own, labelled with a version, and reads it back."""

from collections.abc import Mapping
from typing import Any

from agent_memory import InvalidInput

Snapshot = dict[str, Any]
"""A JSON object: `of` (the kind of object), `version`, and the data."""

_VERSION = 1


def snapshot(of: str, **data: Any) -> Snapshot:
    """Label the data of an object with its kind and a version."""
    return {"of": of, "version": _VERSION, **data}


def data_of(state: Any, of: str) -> Snapshot:
    """Return the data of a snapshot without its label.

    Raises:
        InvalidInput: `state` is not a snapshot of this kind, or its version is unknown.
    """
    if not isinstance(state, Mapping) or state.get("of") != of:
        raise InvalidInput("state", f"is not a snapshot of a {of}; pass what its to_state() returned")
    if state.get("version") != _VERSION:
        raise InvalidInput("state", f"has version {state.get('version')!r:.20} of a {of}; supported is {_VERSION}")
    return {name: value for name, value in state.items() if name not in {"of", "version"}}
