"""What a decision says as text, in which words are looked for."""

from collections.abc import Iterable

from agent_memory.core.json_values import canonical_json
from agent_memory.model.decisions import Decision


def has_words(decision: Decision, words: Iterable[str]) -> bool:
    """Whether each word is somewhere in a decision, in capitals or not.

    Looked through are its id, context, reasoning and metadata, the content of its headline outcome, and the ids of its
    memories; names of members count as their values do.
    """
    text = _text(decision)
    return all(word.casefold() in text for word in words)


def _text(decision: Decision) -> str:
    """The parts as lines: a word, which has no line break, is in one of them."""
    outcome = decision.outcome.details if decision.outcome else None
    parts = (decision.context, decision.reasoning, decision.metadata, outcome, decision.memory_ids)
    return "\n".join([decision.decision_id, *(canonical_json(part) for part in parts if part)]).casefold()
