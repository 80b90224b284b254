"""The condition of a market in one word: volatile, trending or ranging."""

from collections.abc import Mapping
from typing import Any, Literal, get_args

Condition = Literal["volatile", "trending", "ranging"]
CONDITIONS: tuple[Condition, ...] = get_args(Condition)

_TURBULENT_FROM = 0.5
_TRENDING_FROM = 25.0


def market_condition(features: Mapping[str, Mapping[str, Any]]) -> Condition | None:
    """Return the condition from the features of a bar; None while its trend strength is unknown.

    Volatile in a turbulent market (`markov.p_turbulent` above 0.5), else trending with an ADX above 25 (J. W. Wilder,
    New Concepts in Technical Trading Systems, 1978), else ranging.
    """
    adx = features.get("sentiment", {}).get("trend_strength")
    if adx is None:
        return None
    if features.get("markov", {}).get("p_turbulent", 0.0) > _TURBULENT_FROM:
        return "volatile"
    return "trending" if adx > _TRENDING_FROM else "ranging"
