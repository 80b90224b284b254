"""A pattern's id for machines and its sentence for people."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from agent_memory.learning.comparison import Comparison
from agent_memory.learning.evidence import SOURCE, key_of, value_of
from agent_memory.learning.wording import DEFAULT_WORDING, Wording, split_words

MAX_ID_CHARACTERS = 200
_HASH_CHARACTERS = 12
_MARKET_PREFIX = "context.market."
_MARKET = "context.market"
_HOURS = "context.trading_hours"
_SYMBOL = "context.symbol"
# How the value of a number's fact begins; see `learning.numbers`.
_COMPARED = ("above ", "below ")
# Keys whose value is an adjective by itself: "bullish", not "bullish-trend".
_ADJECTIVE_KEYS = frozenset({"trend", "condition", "regime", "sentiment"})


def pattern_id_of(decision_type: str, features: Sequence[str]) -> str:
    """Return the id of a combination: `source_selection+context.market.volatility=high+source=derivatives`.

    Only `[a-z0-9._=+-]`, at most 200 characters. If that notation loses information (capitals, other characters,
    length), the id ends in a hash of the full text, so that two combinations never share an id. A decision type that is
    all capitals is the convention and loses nothing.
    """
    ordered = sorted(features)
    exact = "\n".join([decision_type, *ordered])
    parts = [decision_type.lower() if decision_type == decision_type.upper() else decision_type, *ordered]
    written = [re.sub(r"[^a-z0-9._=-]", "-", part.lower()) for part in parts]
    name = "+".join(written)
    if written == parts and len(name) <= MAX_ID_CHARACTERS:
        return name
    digest = hashlib.sha256(exact.encode()).hexdigest()[:_HASH_CHARACTERS]
    return f"{name[: MAX_ID_CHARACTERS - _HASH_CHARACTERS - 1]}-{digest}"


def description_of(
    decision_type: str,
    features: Sequence[str],
    overall: Comparison,
    *,
    questions: Sequence[str] = (),
    wording: Wording = DEFAULT_WORDING,
    outcome_type: str | None = None,
) -> str:
    """Describe a pattern in one sentence.

    "Range-expansion signals in bearish, high-volatility markets succeeded in 83% of 346 cases, against 61% of other
    range-expansion signals".

    Args:
        decision_type: of the decisions.
        features: of the pattern.
        overall: its decisions against comparable ones.
        questions: what its decisions answer; empty if they name no question.
        wording: the words for types, questions and facts.
        outcome_type: of the decisions that followed, if the outcomes are theirs.
    """
    subject, verb = _subject(outcome_type or decision_type, questions, wording)
    matching, rest = overall.matching, overall.rest
    rates = f"{verb} in {_percent(matching.rate)} of {matching.occurrences:,} cases"
    others = f"{'comparable' if len(questions) > 1 else 'other'} {subject}"
    condition = condition_of(decision_type, features, questions=questions, wording=wording)
    if outcome_type is not None:
        condition = f"{_sentence_case(subject)} after {condition[:1].lower()}{condition[1:]}"
    if not rest.occurrences:
        return f"{condition} {rates}; there are no {others}"
    return f"{condition} {rates}, against {_percent(rest.rate)} of {others}"


def condition_of(
    decision_type: str,
    features: Sequence[str],
    *,
    questions: Sequence[str] = (),
    wording: Wording = DEFAULT_WORDING,
) -> str:
    """Describe when a pattern applies: "Source selections with derivatives in bullish, high-volatility markets"."""
    clauses = _Clauses()
    for feature in sorted(features, key=_order):
        clauses.add(feature, wording)
    return _sentence_case(" ".join([_subject(decision_type, questions, wording)[0], *clauses.texts()]))


@dataclass(slots=True)
class _Clauses:
    """The parts of a condition, each with what its facts say."""

    sources: list[str] = field(default_factory=list)
    market: list[str] = field(default_factory=list)
    phrases: list[str] = field(default_factory=list)
    equal: list[str] = field(default_factory=list)

    def add(self, feature: str, wording: Wording) -> None:
        """Add a fact to the clause that it belongs to."""
        key, value = key_of(feature), value_of(feature)
        if phrase := wording.phrase(key, value):
            self.phrases.append(phrase)
        elif value.startswith(_COMPARED):
            self.equal.append(f"{_number_name(key)} is {value}")
        elif key == SOURCE:
            self.sources.append(split_words(value))
        elif key.startswith(_MARKET_PREFIX) or key == _MARKET:
            self.market.append(_adjective(feature))
        elif phrase := _phrase(key, value):
            self.phrases.append(phrase)
        else:
            self.equal.append(f"{split_words(key.rpartition('.')[2])} is {split_words(value)}")

    def texts(self) -> Iterator[str]:
        """The clauses in the order in which they are read."""
        if self.sources:
            yield f"with {' and '.join(self.sources)}"
        if self.market:
            yield f"in {', '.join(self.market)} markets"
        if self.phrases:
            yield " and ".join(self.phrases)
        if self.equal:
            yield f"where {' and '.join(self.equal)}"


def market_of(features: Sequence[str]) -> str:
    """Describe a market condition: "Bullish, high-volatility markets"."""
    names = [_adjective(feature) for feature in sorted(features, key=_order)]
    return _sentence_case(f"{', '.join(names)} markets")


def _subject(decision_type: str, questions: Sequence[str], wording: Wording) -> tuple[str, str]:
    """What the decisions are, in the plural, and what they did where they succeeded."""
    kind, verb = wording.decisions(decision_type)
    if len(questions) != 1 or not questions[0]:
        return kind, verb
    [question] = questions
    if noun := wording.question(question):
        return noun, verb
    if "=" in question or "|" in question:
        return f"{kind} on {_members(question)}", verb
    return f"{split_words(question).replace(' ', '-')} {kind}", verb


def _members(question: str) -> str:
    """`forecast=range|horizon=4h` as words: "forecast range, horizon 4h"."""
    members = [" ".join(split_words(word) for word in member.split("=", 1)) for member in question.split("|")]
    return ", ".join(members)


def _order(feature: str) -> tuple[bool, str]:
    """Sort plain adjectives first: "bullish, high-volatility"."""
    return (not _is_adjective(feature), feature)


def _is_adjective(feature: str) -> bool:
    return key_of(feature).removeprefix(_MARKET_PREFIX) in _ADJECTIVE_KEYS or key_of(feature) == _MARKET


def _adjective(feature: str) -> str:
    value, name = split_words(value_of(feature)), split_words(key_of(feature).removeprefix(_MARKET_PREFIX))
    if value in ("true", "false", "null"):
        return f"{name} = {value}"
    return value if _is_adjective(feature) else f"{value}-{name}"


def _phrase(key: str, value: str) -> str | None:
    """The phrase of a fact that has a natural one; None for "where the key is the value"."""
    if key == _HOURS:
        return f"in {split_words(value).capitalize()} hours"
    if key == _SYMBOL:
        return f"on {value}"
    name = split_words(key.rpartition(".")[2])
    if value in ("true", "false"):
        return f"{'with' if value == 'true' else 'without'} {name}"
    return f"with no {name}" if value == "null" else None


def _number_name(key: str) -> str:
    """`whale flow` of `context.whale_flow`, `momentum score` of `reasoning.scores.momentum`."""
    parent, _, name = key.rpartition(".")
    return f"{split_words(name)} score" if parent.endswith(".scores") else split_words(name)


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]


def _percent(rate: float) -> str:
    return f"{rate * 100:.0f}%"
