"""Which sources are asked: scores by context, and exploration whose probabilities are known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from agent_memory.core.errors import InvalidInput

UNKNOWN = 0.5
"""Score of a source that has not been judged."""


class SourceScores:
    """How often each source was right, apart for each context: score += learning_rate × (reward - score), from 0.5."""

    def __init__(self, sources: Sequence[str], learning_rate: float) -> None:
        if not 0 < learning_rate <= 1:
            raise InvalidInput("learning_rate", f"{learning_rate!r} does not lie between 0 and 1")
        self.learning_rate = learning_rate
        self._sources = tuple(sources)
        self._scores: dict[str, dict[str, float]] = {}

    def of(self, context: str) -> dict[str, float]:
        """Scores of all sources in a context, 0 to 1."""
        return dict(self._scores.get(context) or dict.fromkeys(self._sources, UNKNOWN))

    def has_learned(self, context: str) -> bool:
        """Whether any source has been judged in a context."""
        return context in self._scores

    def learn(self, context: str, rewards: Mapping[str, float]) -> None:
        """Move the scores of some sources towards their rewards, 0 to 1."""
        if not rewards:
            return
        scores = self._scores.setdefault(context, dict.fromkeys(self._sources, UNKNOWN))
        for source, reward in rewards.items():
            scores[source] += self.learning_rate * (reward - scores[source])


@dataclass(frozen=True, slots=True)
class Selection:
    """The chosen sources, best first, and the probability with which each source could have been among them."""

    selected: list[str]
    propensities: dict[str, float]
    explored: bool


def select(
    scores: Mapping[str, float], max_sources: int, exploration_rate: float, chance: np.random.Generator
) -> Selection:
    """The sources with the highest scores; with `exploration_rate` the last of them gives way to any other.

    Of n sources the first `max_sources` - 1 are chosen for certain, the next with 1 - ε, each other with
    ε / (n - `max_sources`): dividing by these corrects for the choice (Horvitz, Thompson, JASA 47 (1952) 663-685).

    Raises:
        InvalidInput: `max_sources` is below 1.
    """
    if max_sources < 1:
        raise InvalidInput("max_sources", f"{max_sources!r} is not 1 or more")
    ranked = sorted(scores, key=lambda source: -scores[source])
    best, others = ranked[:max_sources], ranked[max_sources:]
    if not others:
        return Selection(best, dict.fromkeys(ranked, 1.0), explored=False)
    explored = bool(chance.random() < exploration_rate)
    chosen = [*best[:-1], others[int(chance.integers(len(others)))]] if explored else best
    propensities = dict.fromkeys(best[:-1], 1.0) | {best[-1]: 1 - exploration_rate}
    propensities |= dict.fromkeys(others, exploration_rate / len(others))
    return Selection(chosen, propensities, explored)
