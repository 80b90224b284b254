"""The rules by which the outcomes of a decision are added and replaced.

A decision may have an outcome at each of several horizons; one of them is the headline outcome. An outcome is a fact:
only an amendment replaces it, and the replaced outcome is kept with the time of its replacement.
"""

import math
from dataclasses import dataclass, replace

from agent_memory.model.decisions import Decision, Outcome, SupersededOutcome


@dataclass(frozen=True, slots=True)
class OutcomeUpdate:
    """An outcome to add to a decision.

    `amend` lets it replace a different one of the same horizon. It becomes the headline outcome if `headline` is set or
    it has no horizon; otherwise the first outcome of a decision is its headline.
    """

    outcome: Outcome
    amend: bool = False
    headline: bool = False

    @property
    def claims_headline(self) -> bool:
        """Whether this outcome replaces the headline."""
        return self.headline or self.outcome.horizon is None


def apply_outcome(decision: Decision, update: OutcomeUpdate, now_ms: int) -> Decision | None:
    """Apply an update to a decision.

    Args:
        decision: as it is stored, with its outcomes.
        update: the outcome to add.
        now_ms: the time at which a replaced outcome ceases to be valid.

    Returns:
        The changed decision, the same object if nothing changes, None if the update contradicts a stored outcome.
    """
    outcome = update.outcome
    if is_applied(decision, update):
        return _with_headline_claimed(decision, update)
    replaced = next((one for one in current_outcomes(decision) if _same_horizon(one, outcome)), None)
    superseded = decision.superseded
    if replaced is not None:
        if not update.amend:
            return None
        superseded = (*superseded, SupersededOutcome(replaced, now_ms))
    is_headline = decision.outcome is None or decision.outcome is replaced or update.claims_headline
    others = [one for one in current_outcomes(decision) if one is not replaced]
    if is_headline:
        headline: Outcome | None = outcome
    else:
        headline, others = decision.outcome, [*others[1:], outcome]
    return replace(
        decision,
        outcome=headline,
        other_outcomes=tuple(others),
        superseded=superseded,
        revision=decision.revision + (decision.outcome is not None),
    )


def is_applied(decision: Decision, update: OutcomeUpdate) -> bool:
    """Whether an update's outcome is already among the decision's outcomes, current or superseded.

    A retried update may arrive after an amendment of it: its outcome is then among the superseded ones. An amendment
    back to an earlier outcome is new, unless its time shows that it is a retry of the earlier update.
    """
    outcome, content = update.outcome, update.outcome.content()
    if any(_same_horizon(one, outcome) and one.content() == content for one in current_outcomes(decision)):
        return True
    return any(
        _same_horizon(one.outcome, outcome)
        and one.outcome.content() == content
        and (not update.amend or one.outcome.recorded_ms == outcome.recorded_ms)
        for one in decision.superseded
    )


def follows(earlier: Decision, later: Decision) -> bool:
    """Whether a version of a decision follows from an earlier one by recorded changes only.

    Outcomes may be added, and another one may be the headline. An outcome that is no longer valid is among the
    superseded ones; nothing that was recorded is missing.
    """
    recorded = [*current_outcomes(later), *(one.outcome for one in later.superseded)]
    return (
        earlier.content() == later.content()
        and all(one in recorded for one in current_outcomes(earlier))
        and all(one in later.superseded for one in earlier.superseded)
    )


def current_outcomes(decision: Decision) -> list[Outcome]:
    """The outcomes that are valid now, headline first."""
    return ([decision.outcome] if decision.outcome else []) + list(decision.other_outcomes)


def headline_results(decision: Decision) -> list[tuple[int, bool]]:
    """From when on (in milliseconds) the headline outcome was which success, oldest first; changes only.

    An outcome is known once it is recorded, and an amendment not before it has replaced another. The time at which the
    headline is moved to an outcome of another day is not recorded: such an outcome counts from its own time on.
    """
    results: list[tuple[int, bool]] = []
    for since_ms, outcome in headline_outcomes(decision):
        if not results or results[-1][1] is not outcome.success:
            results.append((since_ms, outcome.success))
    return results


def headline_outcomes(decision: Decision) -> list[tuple[int, Outcome]]:
    """From when on (in milliseconds) which outcome was the headline, oldest first; see `headline_results`."""
    headline = decision.outcome
    if headline is None:
        return []
    if not decision.superseded and not decision.other_outcomes:
        return [(headline.recorded_ms, headline)]
    # Of the outcomes that were valid at a time, the first in this order was the headline, unless it was amended since.
    versions = [one for current in current_outcomes(decision) for one in _versions(decision, current)]
    found: list[tuple[int, Outcome]] = []
    for at_ms in sorted({known_ms for known_ms, _, _ in versions}):
        outcome = next(one for known_ms, replaced_ms, one in versions if known_ms <= at_ms < replaced_ms)
        if not found or found[-1][1] is not outcome:
            found.append((at_ms, outcome))
    return found


def headline_since(decision: Decision) -> int | None:
    """Since when (in milliseconds) the headline outcome says what it says now; None without one."""
    headline = decision.outcome
    return None if headline is None else _versions(decision, headline)[-1][0]


def _versions(decision: Decision, current: Outcome) -> list[tuple[int, float, Outcome]]:
    """The outcomes of one horizon, each with when it became known and when it was replaced."""
    versions: list[tuple[int, float, Outcome]] = []
    begins_ms = 0
    for one in decision.superseded:
        if _same_horizon(one.outcome, current):
            versions.append((max(begins_ms, one.outcome.recorded_ms), one.replaced_ms, one.outcome))
            begins_ms = one.replaced_ms
    return [*versions, (max(begins_ms, current.recorded_ms), math.inf, current)]


def _with_headline_claimed(decision: Decision, update: OutcomeUpdate) -> Decision:
    """The decision after a repeated update: unchanged, unless the update makes another outcome the headline."""
    stored = next((one for one in decision.other_outcomes if _same_horizon(one, update.outcome)), None)
    if stored is None or not update.headline or stored.content() != update.outcome.content():
        return decision
    others = [one for one in current_outcomes(decision) if one is not stored]
    return replace(decision, outcome=stored, other_outcomes=tuple(others), revision=decision.revision + 1)


def _same_horizon(one: Outcome, other: Outcome) -> bool:
    return one.horizon == other.horizon


def known_at(decision: Decision, at_ms: int) -> Decision:
    """The decision with the outcomes that were known at a time: without those that were recorded or changed later."""
    if all(one.recorded_ms <= at_ms for one in current_outcomes(decision)) and not decision.superseded:
        return decision
    valid = [
        one
        for current in current_outcomes(decision)
        for known_ms, replaced_ms, one in _versions(decision, current)
        if known_ms <= at_ms < replaced_ms
    ]
    superseded = tuple(one for one in decision.superseded if one.replaced_ms <= at_ms)
    return replace(
        decision, outcome=valid[0] if valid else None, other_outcomes=tuple(valid[1:]), superseded=superseded
    )
