"""The words in which patterns are described: those of an agent's own, and for the rest those of its identifiers."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent_memory.core.errors import InvalidInput

WORDING = "wording"
"""The id of the memory of type `CONFIGURATION` in which an agent stores its wording."""
_MAX_CHARACTERS = 120
_MAX_ENTRIES = 1_000
_VALUE = "{value}"
_SUCCEEDED = "succeeded"
_SECTIONS = ("decisions", "success", "questions", "facts")
# What the decisions of the design's types are, in the plural.
_DECISIONS = {
    "SOURCE_SELECTION": "source selections",
    "SIGNAL_GENERATION": "signals",
    "QUERY": "queries",
    "LEARNING": "learning steps",
    "EXECUTION": "executions",
}


@dataclass(frozen=True, slots=True)
class Wording:
    """Words for decision types, questions and facts; each one that is missing reads as its identifier does.

    Attributes:
        decisions_of: a plural noun by decision type: `{"SIGNAL_GENERATION": "forecasts"}`.
        success_of: what decisions of a type did that succeeded: `{"SIGNAL_GENERATION": "came true"}`.
        questions: a plural noun by question: `{"range_expansion": "range-expansion forecasts"}`.
        facts: a phrase by fact, or by its key with `{value}` for the value: `{"reasoning.exploration=true": "made to
            explore", "context.horizon": "over {value}"}`.
    """

    decisions_of: Mapping[str, str] = field(default_factory=dict)
    success_of: Mapping[str, str] = field(default_factory=dict)
    questions: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Wording":
        """The wording in the form in which it is stored: the sections `decisions`, `success`, `questions` and `facts`.

        Raises:
            InvalidInput: an unknown section, or an entry that is not a short text; names it.
        """
        sections = {name: _checked(name, data.get(name, {})) for name in _SECTIONS}
        for name in sorted(data.keys() - set(_SECTIONS)):
            raise InvalidInput(str(name), f"unknown; a wording has {', '.join(_SECTIONS)}")
        return cls(sections["decisions"], sections["success"], sections["questions"], sections["facts"])

    def decisions(self, decision_type: str) -> tuple[str, str]:
        """What the decisions of a type are, in the plural, and what they did if they succeeded."""
        noun = self.decisions_of.get(decision_type) or _DECISIONS.get(decision_type)
        return noun or f"{split_words(decision_type.lower())} decisions", self.success_of.get(decision_type, _SUCCEEDED)

    def question(self, text: str) -> str | None:
        """What the decisions that answer a question are, in the plural; None if it has no words of its own."""
        return self.questions.get(text)

    def phrase(self, key: str, value: str) -> str | None:
        """The phrase of a fact; None if it has none of its own."""
        phrase = self.facts.get(f"{key}={value}") or self.facts.get(key)
        return phrase.replace(_VALUE, split_words(value)) if phrase else None


def split_words(name: str) -> str:
    """Split `whaleMovements` and `range_expansion` into words; leave `AAPL` as it is."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])(?=[a-z])", lambda m: f" {m[1].lower()}", name).replace("_", " ")


def _checked(section: str, entries: object) -> dict[str, str]:
    if not isinstance(entries, Mapping):
        raise InvalidInput(section, "must map names to texts")
    if len(entries) > _MAX_ENTRIES:
        raise InvalidInput(section, f"{len(entries):,} entries; at most {_MAX_ENTRIES:,}")
    return dict(_texts(section, entries))


def _texts(section: str, entries: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    for name, text in entries.items():
        if not isinstance(text, str) or not text.strip() or len(text) > _MAX_CHARACTERS or not text.isprintable():
            raise InvalidInput(
                f"{section}.{name}", f"must be a text of 1 to {_MAX_CHARACTERS} printable characters in one line"
            )
        yield str(name), text.strip()


DEFAULT_WORDING = Wording()
