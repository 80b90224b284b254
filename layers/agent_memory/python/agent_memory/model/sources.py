"""The sources that a decision names, and whether its success says that they were right.

A decision names its sources under the first of `SOURCE_PATHS` that has a text or a list of texts. A signal, a trade or
a decision of a team's own type is judged by what came of it. The decisions of `CHOICE_TYPES` are not: a selection
succeeds as soon as any signal appears, and a query if it is answered, whatever its sources said.
"""

from typing import Any

from agent_memory.model.decisions import Decision, DecisionType

SOURCE_PATHS = (
    ("reasoning", "source"),
    ("reasoning", "sources"),
    ("context", "source"),
    ("context", "sources"),
    ("reasoning", "selected"),
)
"""Where a decision names its sources: section and field, the first one that is there."""

CHOICE_TYPES = frozenset({DecisionType.SOURCE_SELECTION, DecisionType.QUERY, DecisionType.LEARNING})
"""Types of decisions whose success does not say whether a source was right."""

# As for the facts that are learned from.
_MAX_CHARACTERS, _MAX_SOURCES = 64, 32

BY_OUTCOME, BY_SELECTION = "outcome", "selection"
"""How a source is measured: by the outcomes of what it said, or by the success of the selections that chose it."""


def sources_of(decision: Decision) -> list[str]:
    """The sources that a decision names, without duplicates; empty if it names none.

    Texts of more than 64 characters are prose and not names, and a list of more than 32 is not a list of sources.
    """
    sections: dict[str, Any] = {"reasoning": decision.reasoning, "context": decision.context}
    for section, name in SOURCE_PATHS:
        names = _texts(sections[section].get(name))
        if names:
            return names
    return []


def is_judged(decision_type: str) -> bool:
    """Whether the success of a type's decisions says that their sources were right."""
    return decision_type not in CHOICE_TYPES


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list | tuple) or len(value) > _MAX_SOURCES:
        return []
    return list(dict.fromkeys(one for one in value if isinstance(one, str) and 0 < len(one) <= _MAX_CHARACTERS))
