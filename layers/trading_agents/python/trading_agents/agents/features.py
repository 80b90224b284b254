"""Access to features: a dictionary of groups, each a dictionary of values."""

import math
from collections.abc import Mapping
from typing import Any

from agent_memory import InvalidInput

Features = Mapping[str, Mapping[str, Any]]
"""`{"hedge": {"net_gamma_exposure": -0.7, …}, "liquidity": {…}, …}`; a group or a value may be missing."""


def number(features: Features, group: str, name: str) -> float | None:
    """Return a number, or None if it is missing or NaN, as during the warm-up of an indicator.

    Raises:
        InvalidInput: the value is not a number; names it.
    """
    value = _group(features, group).get(name)
    if value is None:
        return None
    try:
        result = float(value)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"features.{group}.{name}", f"{value!r:.40} is not a number") from error
    return None if math.isnan(result) else result


def flag(features: Features, group: str, name: str) -> bool:
    """Return whether something was seen; False if it is missing."""
    return bool(_group(features, group).get(name))


def label(features: Features, group: str, name: str) -> str:
    """Return a name in lower case; empty if it is missing."""
    value = _group(features, group).get(name)
    return "" if value is None else str(value).lower()


def _group(features: Features, group: str) -> Mapping[str, Any]:
    values = features.get(group)
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise InvalidInput(f"features.{group}", f"expected a dictionary, got {type(values).__name__}")
    return values
