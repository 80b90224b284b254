"""Selection of sources: scores by context, and exploration with known probabilities."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from agent_memory import InvalidInput

INITIAL_SCORE = 0.5
"""Score of a source that has not been judged yet."""


class SourceScores:
    """How often each source was right in each context: score += learning_rate × (reward - score), starting at 0.5."""

    def __init__(self, sources: Sequence[str], learning_rate: float) -> None:
        if not 0 < learning_rate <= 1:
            raise InvalidInput("learning_rate", f"{learning_rate!r} is not above 0 and at most 1")
        self.learning_rate = learning_rate
        self._sources = tuple(sources)
        self._scores: dict[str, dict[str, float]] = {}

    def of(self, context: str) -> dict[str, float]:
        """Return the scores of all sources in a context, 0 to 1."""
        return dict(self._scores.get(context) or dict.fromkeys(self._sources, INITIAL_SCORE))

    def has_learned(self, context: str) -> bool:
        """Return whether any source has been judged in a context."""
        return context in self._scores

    def learn(self, context: str, rewards: Mapping[str, float]) -> None:
        """Move the scores of sources towards their rewards, 0 to 1."""
        if not rewards:
            return
        scores = self._scores.setdefault(context, dict.fromkeys(self._sources, INITIAL_SCORE))
        for source, reward in rewards.items():
            scores[source] += self.learning_rate * (reward - scores[source])


@dataclass(frozen=True, slots=True)
class Selection:
    """The selected sources, best first, and the probability with which each source could have been selected."""

    selected: list[str]
    propensities: dict[str, float]
    explored: bool


def select(
    scores: Mapping[str, float], max_sources: int, exploration_rate: float, chance: np.random.Generator
) -> Selection:
    """Select the sources with the highest scores; with probability ε the last of them is replaced by another.

    Of n sources the first `max_sources` - 1 are always selected, the next with probability 1 - ε, each other one with
    ε / (n - `max_sources`). Dividing by these propensities corrects for the selection (Horvitz, Thompson, JASA 47
    (1952) 663-685).

    Args:
        scores: by source.
        max_sources: number of sources to select, 1 or more.
        exploration_rate: ε.
        chance: source of randomness.

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
