"""Numbers of a decision as facts: whether each is among the lowest or highest of its kind.

A number is compared with three limits, its 20 %, 50 % and 80 % quantiles. They are learned from the first values of the
number that were recorded, without their outcomes, and stay as they are from then on: limits that follow the outcomes
would find effects in chance (Altman et al., "Dangers of using optimal cutpoints in the evaluation of prognostic
factors", Journal of the National Cancer Institute 86 (1994) 829-835). A number of few values is a category.

Pure Python, so that importing this module does not load numpy.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress, pairwise, product
from statistics import quantiles
from typing import Any

LEARNED_FROM = 200
"""Values from which the limits of a number are learned."""
MAX_NUMBERS = 24
"""Of one decision type; those of which enough values are known first, and of these the first by path."""
MAX_OF_A_DECISION = 64
MAX_REWARDS = 16
"""Numbers of an outcome."""
MAX_RESULT = 1e40
"""Of a number by which results are compared; larger ones are no results. Its square fits into a stored number."""
REWARDS = (
    "outcome.reward",
    "metrics.reward",
    "outcome.pnl",
    "metrics.pnl",
    "outcome.profit",
    "metrics.profit",
    "outcome.quality",
    "metrics.quality",
)
"""The paths under which outcomes say by convention how good they were; the first that a decision type has counts."""
MAX_DEPTH = 6
MAX_PATH_CHARACTERS = 120
_MAX_CATEGORIES = 5
_FIFTHS = 5
_SIGNIFICANT = 3
# Of the pairs of one value and the next: a number that hardly ever falls counts something, or tells the time.
_ORDERED = 0.95

_COMPARED = re.compile(r"(?P<side>above|below) (?P<limit>\S+) \([a-z ]+\)")

Numbers = tuple[tuple[str, float], ...]
"""The numbers of a decision: path, such as `context.whale_flow`, and value; sorted by path."""


def numbers_of(**sections: object) -> Numbers:
    """Return the finite numbers in these sections of a decision, such as `context` and `reasoning`, by path.

    Booleans are facts of their own. Numbers in lists have no name and are left out, as are ids, paths of over 120
    characters, and all but the first 64 by path.
    """
    found = (pair for name, content in sections.items() for pair in _numbers(name, content, MAX_DEPTH))
    return tuple(sorted(found))[:MAX_OF_A_DECISION]


def rewards_of(details: object, metrics: object) -> Numbers:
    """Return the finite numbers of an outcome, such as `outcome.pnl` and `metrics.quality`, sorted by path.

    Members of nested objects are left out, as are all but 16: those that are rewards by convention, then the outcome's,
    then its metrics, each by path.
    """
    found = (
        pair for name, content in (("outcome", details), ("metrics", metrics)) for pair in _numbers(name, content, 1)
    )
    kept = sorted(found, key=lambda one: (one[0] not in REWARDS, not one[0].startswith("outcome."), one))[:MAX_REWARDS]
    return tuple(sorted(kept))


def _numbers(path: str, content: object, depth: int) -> Iterator[tuple[str, float]]:
    if isinstance(content, Mapping):
        if depth:
            for name, value in content.items():
                if str(name).endswith("_id"):
                    continue
                yield from _numbers(f"{path}.{name}".replace("=", "_"), value, depth - 1)
    elif isinstance(content, int | float) and not isinstance(content, bool) and len(path) <= MAX_PATH_CHARACTERS:
        value = float(content) if abs(content) < 1e300 else math.inf  # noqa: PLR2004  an int may be too large for a float
        if math.isfinite(value):
            yield path, value


FactReader = Callable[[float], tuple[str, ...]]
"""Returns the facts of a value."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the values of a number are compared with.

    Attributes:
        low, middle, high: its quantiles at 20 %, 50 % and 80 %, rounded to three significant digits.
        categories: its values, if there are few; it is compared with nothing then.
    """

    low: float = 0.0
    middle: float = 0.0
    high: float = 0.0
    categories: tuple[float, ...] = ()

    @classmethod
    def learn(cls, values: Sequence[float]) -> "Limits | None":
        """Learn the limits from values, in order of time; None if the number says nothing, or only when it was.

        Args:
            values: at least two.
        """
        distinct = sorted(set(values))
        if len(distinct) == 1:
            return None
        rises = sum(after >= before for before, after in pairwise(values))
        is_ordered = rises >= _ORDERED * (len(values) - 1)
        if len(distinct) <= _MAX_CATEGORIES:
            return cls(categories=tuple(distinct))
        if is_ordered:
            return None
        low, *_, high = quantiles(values, n=_FIFTHS, method="inclusive")
        [middle] = quantiles(values, n=2, method="inclusive")
        return cls(_rounded(low), _rounded(middle), _rounded(high))

    def reader(self, path: str) -> FactReader:
        """A function that returns the facts of a path's values: `context.whale_flow=above 0.8 (top fifth)`.

        Their texts are made once.
        """
        if self.categories:
            return lambda value: (f"{path}={_text(value)}",)
        low, middle, high = self.low, self.middle, self.high
        below = f"{path}=below {_text(low)} (bottom fifth)"
        above_high, above = f"{path}=above {_text(high)} (top fifth)", f"{path}=above {_text(middle)} (upper half)"
        # By whether the value is above the middle, above the highest limit, and below the lowest.
        facts = [
            tuple(compress((below, above_high, above), (is_low, is_high, is_above)))
            for is_above, is_high, is_low in product((False, True), repeat=3)
        ]
        return lambda value: facts[4 * (value > middle) + 2 * (value > high) + (value < low)]

    def as_data(self) -> dict[str, Any]:
        """The limits as they are stored."""
        return {"low": self.low, "middle": self.middle, "high": self.high, "categories": list(self.categories)}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Limits":
        """The limits of their stored form."""
        low, middle, high = (float(data[name]) for name in ("low", "middle", "high"))
        return cls(low, middle, high, tuple(map(float, data["categories"])))


def holds(fact: str, numbers: Mapping[str, float]) -> bool:
    """Whether a fact that a `FactReader` returns holds for these numbers by path; False for every other fact."""
    path, _, says = fact.partition("=")
    value = numbers.get(path)
    if value is None:
        return False
    compared = _COMPARED.fullmatch(says)
    if compared is None:
        return says == _text(value)
    limit = float(compared["limit"])
    return value > limit if compared["side"] == "above" else value < limit


def _rounded(value: float) -> float:
    return float(f"{value:.{_SIGNIFICANT}g}")


@lru_cache(maxsize=4096)  # limits are few, and compared with every decision
def _text(value: float) -> str:
    """`0.8`, `12000`, `-3`: without an exponent where that is short."""
    value = float(value) or 0.0  # -0.0 equals 0.0, and is found in place of it
    text = f"{value:.{_SIGNIFICANT}g}"
    return str(int(value)) if "e+" in text and value.is_integer() and abs(value) < 1e9 else text  # noqa: PLR2004
