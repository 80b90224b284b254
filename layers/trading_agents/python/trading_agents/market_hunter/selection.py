"""Selection of sources: scores by context, and exploration with known probabilities."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from agent_memory import InvalidInput

POLICY, POLICY_VERSION = "hunter", "2"
"""The name under which the hunter's selections are logged, and the version of its rules."""
INITIAL_SCORE = 0.5
"""Score of a source that has not been judged yet."""


@dataclass(slots=True)
class SourceScore:
    """The score of a source in a context, 0 to 1, and of how many judgements it is the result.

    Attributes:
        score: moved by the learning rate towards each reward.
        judged: number of judgements.
        right: sum of the rewards, which is the number of times that it was right.
    """

    score: float = INITIAL_SCORE
    judged: int = 0
    right: float = 0

    def as_dict(self) -> dict[str, float]:
        """The fields as a dictionary."""
        return {"score": self.score, "judged": self.judged, "right": self.right}


class SourceScores:
    """How often each source was right in each context: score += learning_rate × (reward - score), starting at 0.5."""

    def __init__(self, sources: Sequence[str], learning_rate: float) -> None:
        if not 0 < learning_rate <= 1:
            raise InvalidInput("learning_rate", f"{learning_rate!r} is not above 0 and at most 1")
        self.learning_rate = learning_rate
        self._sources = tuple(sources)
        self._scores: dict[str, dict[str, SourceScore]] = {}

    def of(self, context: str) -> dict[str, float]:
        """Return the scores of all sources in a context, 0 to 1."""
        return {source: one.score for source, one in self.details(context).items()}

    def details(self, context: str) -> dict[str, SourceScore]:
        """Return the scores of all sources in a context, with the numbers of their judgements."""
        known = self._scores.get(context, {})
        return {source: known.get(source) or SourceScore() for source in self._sources}

    def has_learned(self, context: str) -> bool:
        """Return whether any source has been judged in a context."""
        return context in self._scores

    def learn(self, context: str, rewards: Mapping[str, float]) -> None:
        """Move the scores of sources towards their rewards, 0 to 1."""
        if not rewards:
            return
        scores = self._scores.setdefault(context, {})
        for source, reward in rewards.items():
            one = scores.setdefault(source, SourceScore())
            one.score += self.learning_rate * (reward - one.score)
            one.judged += 1
            one.right += reward

    def totals(self) -> dict[str, dict[str, float]]:
        """Return how often each source was `judged` and was `right`, over all contexts."""
        found: dict[str, dict[str, float]] = {}
        for scores in self._scores.values():
            for source, one in scores.items():
                total = found.setdefault(source, {"judged": 0, "right": 0})
                total["judged"] += one.judged
                total["right"] += one.right
        return found

    def to_state(self) -> dict[str, dict[str, dict[str, float]]]:
        """Return the scores as plain JSON data, by context and source, for `restore`."""
        return {
            context: {source: one.as_dict() for source, one in scores.items()}
            for context, scores in self._scores.items()
        }

    def restore(self, state: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
        """Replace the scores by those of `to_state`. Those of sources that are not in use now are kept, too."""
        self._scores = {
            context: {source: SourceScore(**one) for source, one in scores.items()} for context, scores in state.items()
        }


@dataclass(frozen=True, slots=True)
class Selection:
    """The selected sources, best first, and the probability with which each source could have been selected."""

    selected: list[str]
    propensities: dict[str, float]
    explored: bool

    @property
    def joint_propensity(self) -> float:
        """The probability of all that was selected: all but the last one are certain."""
        return self.propensities[self.selected[-1]]


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
    propensities = propensities_of(scores, max_sources, exploration_rate)
    ranked = list(propensities)
    best, others = ranked[:max_sources], ranked[max_sources:]
    if not others:
        return Selection(best, propensities, explored=False)
    explored = bool(chance.random() < exploration_rate)
    chosen = [*best[:-1], others[int(chance.integers(len(others)))]] if explored else best
    return Selection(chosen, propensities, explored)


def propensities_of(scores: Mapping[str, float], max_sources: int, exploration_rate: float) -> dict[str, float]:
    """The probability with which `select` selects each source, in the order of their scores, the highest first."""
    ranked = sorted(scores, key=lambda source: -scores[source])
    best, others = ranked[:max_sources], ranked[max_sources:]
    if not others:
        return dict.fromkeys(ranked, 1.0)
    propensities = dict.fromkeys(best[:-1], 1.0) | {best[-1]: 1 - exploration_rate}
    return propensities | dict.fromkeys(others, exploration_rate / len(others))


def chance_to_state(chance: np.random.Generator) -> dict[str, Any]:
    """Return the state of a generator as plain JSON data; its 128-bit numbers as text, for stores of decimals."""
    state: dict[str, Any] = dict(chance.bit_generator.state)
    return {**state, "state": {name: str(number) for name, number in state["state"].items()}}


def restore_chance(chance: np.random.Generator, state: Mapping[str, Any]) -> None:
    """Continue the draws of a generator from the state of `chance_to_state`."""
    chance.bit_generator.state = {**state, "state": {name: int(number) for name, number in state["state"].items()}}
