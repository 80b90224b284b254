"""Reads estimates: what to expect of an option in a context, from the data of an `ESTIMATE` memory.

Plain Python, because what serves requests has no numpy. `learning.estimates` says what the figures are.
"""

import base64
import hashlib
import math
import re
import sys
from array import array
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent_memory.learning.evidence import SELECTED_SOURCES

CHOICES = (
    SELECTED_SOURCES,
    "reasoning.source",
    "reasoning.strategy",
    "metadata.strategy",
    "reasoning.direction",
    "reasoning.action",
)
"""The paths under which agents name what they chose, by convention."""
SUCCESS, REWARD = RESULTS = ("success", "reward")
"""What is estimated nightly."""
KNOWN_UNTIL = "known_until"
"""The field with the time until which results were known to an estimate, in ISO 8601."""
PAIR = " & "
"""Joins the two facts of a pair."""
_NORMAL_95 = 1.959964
_PRIOR_RATE, _PRIOR_DEVIATION = 0.5, 0.5
_BAD_CHARACTERS = re.compile(r"[^A-Za-z0-9._=+:/^@$&!-]")
_MAX_ID, _DIGEST = 200, 12


@dataclass(frozen=True, slots=True)
class Expected:
    """What to expect of an option: the mean and the standard deviation of its posterior.

    Attributes:
        mean: the expected result.
        deviation: of the expectation, not of a single result.
        weight: how many decisions, by their age, chose the option; 0 without any.
        low: lower end of the 95 % interval.
        high: its upper end.
    """

    mean: float
    deviation: float
    weight: float
    low: float
    high: float

    @property
    def is_prior(self) -> bool:
        """Whether no decision that chose the option has a result yet."""
        return self.weight == 0


def estimate_id(decision_type: str, choice: str) -> str:
    """Return the id of the estimate of a choice in a decision type, as `SIGNAL_GENERATION:reasoning.source`."""
    exact = f"{decision_type}:{choice}"
    written = _BAD_CHARACTERS.sub("-", exact)
    if written == exact and len(exact) <= _MAX_ID:
        return exact
    digest = hashlib.sha256(exact.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
    return f"{written[: _MAX_ID - _DIGEST - 1]}-{digest}"


def check_estimate(estimate: Mapping[str, Any]) -> None:
    """Raise `ValueError` unless this is the data of an estimate: anybody may store a memory under the id of one."""
    _check(isinstance(estimate["choice"], str) and isinstance(estimate["decision_type"], str), "choice")
    _check(isinstance(estimate["decisions"], int), "decisions")
    _check(isinstance(estimate["facts"], list) and all(map(_are_texts, estimate["facts"])), "facts")
    models = {name: estimate[name] for name in RESULTS if name in estimate}
    _check(REWARD not in models or isinstance(models[REWARD]["path"], str), "path")
    for model in models.values():
        spreads = [model["deviations"][name] for name in ("option", "fact", "option_fact")]
        sizes = [model["half_life_days"], model["result_deviation"], model.get("design_effect", 1)]
        _check(all(map(_is_number, [model["mean"], *spreads])) and all(map(_is_positive, sizes)), "model")
        _check(model["variance"] >= 0 and all(map(_is_number, model["deviations"].values())), "variance")
        for one in model["options"]:
            _check(isinstance(one["option"], str) and one["weight"] >= 0 and _are_texts(one["features"]), "option")
            size = len(one["features"]) + 1
            _check(len(one["means"]) == size and all(map(_is_number, one["means"])), "means")
            covariance, _ = covariance_of(one, model["result_deviation"])
            _check(len(covariance) == size * (size + 1) // 2 and math.isfinite(sum(covariance)), "covariance")


def _check(is_valid: bool, name: str) -> None:
    if not is_valid:
        raise ValueError(name)


def _are_texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(one, str) for one in values)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


def _is_positive(value: object) -> bool:
    return isinstance(value, int | float) and value > 0


def expected_result(estimate: Mapping[str, Any] | None, result: str, option: str, facts: Container[str]) -> Expected:
    """Return what to expect of an option where these facts hold.

    Of an option without decisions the expectation is that of any option, with half a single result's standard deviation
    and more; without any estimate, a success rate of one half that may be anything from 0 to 1.

    Args:
        estimate: the data of the memory; None without one.
        result: `success` or `reward`.
        option: its name.
        facts: of the context, as `context.market.trend=bullish`.
    """
    model = estimate.get(result) if estimate else None
    if not isinstance(model, Mapping):
        return _expected(_PRIOR_RATE if result == "success" else 0.0, _PRIOR_DEVIATION, 0.0, result)
    known = next((one for one in model["options"] if one["option"] == option), None)
    if known is None or not known["weight"]:
        spread = max(model["result_deviation"] / 2, sum(value**2 for value in model["deviations"].values()) ** 0.5)
        return _expected(model["mean"], math.sqrt(model["variance"] + spread**2), 0.0, result)
    present, unseen = present_effects(estimate or {}, known["features"], facts)
    mean = sum(known["means"][index] for index in present)
    covariance, unit = covariance_of(known, model["result_deviation"])
    variance = unit * sum(covariance[lower_index(one, other)] for one in present for other in present)
    deviations = model["deviations"]
    # Keys whose fact was never seen may have any effect, within the spread of such effects.
    variance += unseen * (deviations["fact"] ** 2 + deviations["option_fact"] ** 2)
    return _expected(mean, math.sqrt(max(variance, 0.0)), known["weight"], result)


def present_effects(
    estimate: Mapping[str, Any], features: Sequence[str], facts: Container[str]
) -> tuple[list[int], int]:
    """The positions of the effects that hold, the first of which always does, and how many keys have no fact seen."""
    held = {fact for of_key in estimate.get("facts", ()) for fact in of_key if fact in facts}
    present = [0, *(index for index, name in enumerate(features, start=1) if held.issuperset(name.split(PAIR)))]
    unseen = sum(held.isdisjoint(of_key) for of_key in estimate.get("facts", ()))
    return present, unseen


def packed(numbers: Iterable[float]) -> str:
    """Numbers as text: of 32 bits each, little-endian, in base64. They have about seven significant digits."""
    values = array("f", numbers)
    if sys.byteorder == "big":
        values.byteswap()
    return base64.b64encode(values.tobytes()).decode()


def covariance_of(option: Mapping[str, Any], result_deviation: float) -> tuple[Sequence[float], float]:
    """The covariance of an option's effects: the rows of its lower triangle, one after the other, and their unit.

    Estimates are stored with `packed` multiples of the variance of a single result, since they have thousands of these
    numbers; a list of them has no unit of its own. `ValueError` if the text is not one of `packed`.
    """
    stored = option["covariance"]
    if not isinstance(stored, str):
        return stored, 1.0
    values = array("f")
    values.frombytes(base64.b64decode(stored, validate=True))
    if sys.byteorder == "big":
        values.byteswap()
    return values, result_deviation**2


def lower_index(one: int, other: int) -> int:
    """The position of an element in the rows of a lower triangle."""
    row, column = max(one, other), min(one, other)
    return row * (row + 1) // 2 + column


def _expected(mean: float, deviation: float, weight: float, result: str) -> Expected:
    margin = _NORMAL_95 * deviation
    low, high = mean - margin, mean + margin
    if result == "success":
        mean, low, high = (min(max(value, 0.0), 1.0) for value in (mean, low, high))
    return Expected(mean, deviation, weight, low, high)
