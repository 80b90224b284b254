"""Which memories apply in a context: by the facts that they name."""

from collections.abc import Container
from dataclasses import dataclass

from agent_memory.core.json_values import Document, check_object
from agent_memory.learning.evidence import features_of
from agent_memory.learning.numbers import holds, numbers_of
from agent_memory.model.memories import Memory


@dataclass(frozen=True, slots=True)
class ContextFacts:
    """The facts of a decision's context: texts, as `context.market.trend=bullish`, and what holds of its numbers."""

    texts: frozenset[str]
    numbers: dict[str, float]

    def __contains__(self, fact: object) -> bool:
        """Whether a fact holds in the context."""
        return isinstance(fact, str) and (fact in self.texts or holds(fact, self.numbers))


def facts_of(context: Document, field: str = "context") -> ContextFacts:
    """The facts of a decision's context; `InvalidInput`, which names the field, if it is not an object."""
    checked = check_object(field, context)
    return ContextFacts(frozenset(features_of(checked, {})), dict(numbers_of(context=checked)))


def is_withheld(memory: Memory) -> bool:
    """Whether a memory must not be acted on: it is quarantined, or no longer holds."""
    return bool(memory.data.get("quarantined")) or memory.data.get("status") == "deprecated"


def holds_in(memory: Memory, facts: Container[str]) -> bool:
    """Whether all facts of the context that a memory names are among these; a memory without `features` does not.

    Its features of `reasoning` and `metadata`, and its sources, say what was chosen, not where.
    """
    features = memory.data.get("features")
    if not isinstance(features, list) or not features:
        return False
    return all(isinstance(one, str) and (one in facts or not one.startswith("context.")) for one in features)
