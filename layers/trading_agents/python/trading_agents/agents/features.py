"""Features as agents read them: a dictionary of groups, each a dictionary of readings."""

import math
from collections.abc import Mapping
from typing import Any

from agent_memory.core.errors import InvalidInput

Features = Mapping[str, Mapping[str, Any]]
"""`{"hedge": {"net_gamma_exposure": -0.7, …}, "liquidity": {…}, …}`; a group or reading may be missing."""


def number(features: Features, group: str, name: str) -> float | None:
    """A reading, or None where it is missing or NaN, as while an indicator warms up.

    Raises:
        InvalidInput: it is not a number; names it.
    """
    value = _group(features, group).get(name)
    if value is None:
        return None
    try:
        reading = float(value)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"features.{group}.{name}", f"{value!r:.40} is not a number") from error
    return None if math.isnan(reading) else reading


def flag(features: Features, group: str, name: str) -> bool:
    """Whether something was seen; no where it is missing."""
    return bool(_group(features, group).get(name))


def label(features: Features, group: str, name: str) -> str:
    """A name in lower case; empty where it is missing."""
    value = _group(features, group).get(name)
    return "" if value is None else str(value).lower()


def _group(features: Features, group: str) -> Mapping[str, Any]:
    found = features.get(group)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise InvalidInput(f"features.{group}", f"expected a dictionary, got {type(found).__name__}")
    return found
