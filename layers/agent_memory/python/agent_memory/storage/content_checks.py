"""Checks that a store without types of its own makes, so that every store refuses the same content."""

from agent_memory.core.json_values import check_json
from agent_memory.model.decisions import CONTENT, Decision, Kind, Outcome
from agent_memory.model.records import check_size

_DOCUMENTS = tuple(name for name, kind in CONTENT.items() if kind is Kind.DOCUMENT)


def check_decision(decision: Decision) -> None:
    """Raise `InvalidInput`, which names the part, unless a decision is JSON of a size that can be stored."""
    check_documents(decision)
    check_size(decision.content())


def check_documents(decision: Decision) -> None:
    """Raise `InvalidInput`, which names the part, unless a decision is JSON that can be stored."""
    for name in _DOCUMENTS:
        check_json(getattr(decision, name), f"/{name}")


def check_outcome(outcome: Outcome) -> None:
    """Raise `InvalidInput`, which names the part, unless an outcome is JSON of a size that can be stored."""
    check_json(outcome.details, "/outcome")
    check_json(outcome.metrics, "/metrics")
    check_size(outcome.content())
