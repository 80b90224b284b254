"""The weights of the parts of recall's score (`memory.ranking`), and the variable that sets them."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from agent_memory.core.errors import InvalidInput, shown

WEIGHTS_VARIABLE = "AGENT_MEMORY_RECALL_WEIGHTS"
_MAX_WEIGHT = 1_000.0


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of the parts of a score; the defaults were measured, see docs/recall.md."""

    importance: float = 1.0
    text: float = 1.0
    meaning: float = 0.5
    outcome: float = 0.5

    @classmethod
    def of(cls, given: Mapping[str, Any] | None) -> Self:
        """The default weights, with those that are given.

        Raises:
            InvalidInput: names the weight.
        """
        names = [one.name for one in fields(cls)]
        for name, weight in (given or {}).items():
            if name not in names:
                raise InvalidInput(f"weights/{name:.40}", f"the weights are {', '.join(names)}")
            is_number = isinstance(weight, int | float) and not isinstance(weight, bool)
            if not is_number or not 0 <= weight <= _MAX_WEIGHT:
                raise InvalidInput(f"weights/{name}", f"{shown(weight)} is not a number from 0 to {_MAX_WEIGHT:,.0f}")
        return cls(**(given or {}))


def weights_in(text: str) -> dict[str, float]:
    """The weights that a text such as `meaning=0.7,outcome=0` sets; none for an empty one.

    Raises:
        InvalidInput: names the weight.
    """
    weights: dict[str, float] = {}
    for part in filter(None, text.replace(" ", "").split(",")):
        name, _, number = part.partition("=")
        try:
            weights[name] = float(number)
        except ValueError:
            raise InvalidInput(f"weights/{name:.40}", f"write {name:.40}=NUMBER instead of {shown(part)}") from None
    Weights.of(weights)
    return weights


def weights_from(environment: Mapping[str, str]) -> dict[str, float]:
    """The weights that the variable sets.

    Raises:
        InvalidInput: names the variable.
    """
    try:
        return weights_in(environment.get(WEIGHTS_VARIABLE, ""))
    except InvalidInput as error:
        raise InvalidInput(WEIGHTS_VARIABLE, str(error)) from error
