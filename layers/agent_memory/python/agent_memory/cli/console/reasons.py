"""What a decision says about itself: what it chose, for whom, from which source, and how its options scored."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent_memory.model.decisions import DecisionDict
from agent_memory.model.sources import SOURCE_PATHS

CHOICES = ("selected", "choice", "action", "strategy", "direction", "recommendation", "chosen")
"""Members of `reasoning` that name what was chosen, the first one that has a text or texts."""
_MIN_OPTIONS, _MAX_OPTIONS = 2, 40
_FIRST = ("score", "expected", "propensit", "probabilit")
_NAMES = ("option", "name", "source", "action", "symbol", "id")
_SCORES = ("score", "expected", "probability", "value", "utility", "weight", "confidence")


@dataclass(frozen=True, slots=True)
class Score:
    """One option's score, and whether it was chosen. `low` and `width` are the bar, as parts of all scores' range."""

    option: str
    score: float
    is_chosen: bool
    low: float
    width: float


@dataclass(frozen=True, slots=True)
class ScoreGroup:
    """The scores that one member of the reasoning gives its options, highest first."""

    name: str
    scores: Sequence[Score]

    @property
    def is_about_choice(self) -> bool:
        """Whether one of the options is what was chosen."""
        return any(one.is_chosen for one in self.scores)


def chosen_of(decision: DecisionDict) -> list[str]:
    """What a decision chose."""
    for name in CHOICES:
        names = _texts(decision["reasoning"].get(name))
        if names:
            return names
    return []


def sources_named(decision: DecisionDict) -> list[str]:
    """The sources that a decision names, at any of `SOURCE_PATHS`."""
    sections: Mapping[str, Mapping[str, Any]] = {"reasoning": decision["reasoning"], "context": decision["context"]}
    return list(dict.fromkeys(one for section, name in SOURCE_PATHS for one in _texts(sections[section].get(name))))


def symbol_of(decision: DecisionDict) -> str | None:
    """The `symbol` of a decision's context, its market or its reasoning, as `recall` looks for it."""
    market = decision["context"].get("market")
    for section in (decision["context"], market, decision["reasoning"]):
        found = section.get("symbol") if isinstance(section, Mapping) else None
        if isinstance(found, str):
            return found
    return None


def score_groups(decision: DecisionDict) -> list[ScoreGroup]:
    """Every member of the reasoning that gives each of several options a number: first those about what was chosen."""
    chosen = set(chosen_of(decision))
    groups = [_group(name, scores, chosen) for name, scores in _numbers_in(decision["reasoning"], "")]
    return sorted(groups, key=lambda one: (not one.is_about_choice, not one.name.startswith(_FIRST)))  # stable


def _numbers_in(document: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, dict[str, float]]]:
    for key, value in document.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping):
            if _MIN_OPTIONS <= len(value) <= _MAX_OPTIONS and all(map(_is_number, value.values())):
                yield path, dict(value)
            else:
                yield from _numbers_in(value, f"{path}.")
        elif isinstance(value, list) and _MIN_OPTIONS <= len(value) <= _MAX_OPTIONS:
            scores = dict(filter(None, map(_scored, value)))
            if len(scores) == len(value):
                yield path, scores


def _scored(item: Any) -> tuple[str, float] | None:
    if not isinstance(item, Mapping):
        return None
    option = next((item[name] for name in _NAMES if isinstance(item.get(name), str)), None)
    score = next((item[name] for name in _SCORES if _is_number(item.get(name))), None)
    return None if option is None or score is None else (option, score)


def _group(name: str, scores: Mapping[str, float], chosen: set[str]) -> ScoreGroup:
    low, high = min(0.0, *scores.values()), max(0.0, *scores.values())
    span = (high - low) or 1.0
    return ScoreGroup(
        name,
        [
            Score(option, score, option in chosen, (min(score, 0.0) - low) / span, abs(score) / span)
            for option, score in sorted(scores.items(), key=lambda one: -one[1])
        ],
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _texts(value: Any) -> list[str]:
    texts = value if isinstance(value, list) else [value]
    return [one for one in texts if isinstance(one, str) and one]
