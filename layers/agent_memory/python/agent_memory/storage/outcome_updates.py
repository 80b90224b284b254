"""What becomes of an outcome in a store that has its decisions at hand."""

from agent_memory.model.decisions import Decision
from agent_memory.model.outcomes import OutcomeUpdate, apply_outcome
from agent_memory.ports.decisions import WriteStatus


def updated(stored: Decision | None, update: OutcomeUpdate, now_ms: int) -> tuple[WriteStatus, Decision | None]:
    """The status of an outcome, and the decision to store instead of the stored one; None if nothing is to be stored.

    Args:
        stored: None if there is no such decision.
        update: the outcome.
        now_ms: the time at which a replaced outcome ceases to be valid.
    """
    if stored is None:
        return WriteStatus.NOT_FOUND, None
    new = apply_outcome(stored, update, now_ms)
    if new is None:
        return WriteStatus.CONFLICT, None
    return (WriteStatus.UNCHANGED, None) if new is stored else (WriteStatus.CREATED, new)
