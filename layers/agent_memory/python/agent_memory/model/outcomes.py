"""The rules by which outcomes of one decision stand beside each other and replace each other.

A decision may have an outcome at each of several horizons; one of them is the headline. An outcome is a fact: only an
amendment replaces it, and what it replaces is kept with the time at which it was replaced.
"""

from dataclasses import dataclass, replace

from agent_memory.model.decisions import Decision, Outcome, SupersededOutcome


@dataclass(frozen=True, slots=True)
class OutcomeUpdate:
    """An outcome to add to a decision.

    `amend` lets it replace a different one of the same horizon. It claims the headline if `headline` says so or
    if it names no horizon; otherwise the first outcome of a decision is the headline.
    """

    outcome: Outcome
    amend: bool = False
    headline: bool = False

    @property
    def claims_headline(self) -> bool:
        """Whether this outcome becomes the headline, whatever that was before."""
        return self.headline or self.outcome.horizon is None


def apply_outcome(decision: Decision, update: OutcomeUpdate, now_ms: int) -> Decision | None:
    """The decision with an update applied, itself where that changes nothing, None where the update contradicts it.

    Args:
        decision: as it is stored, with its outcomes.
        update: the outcome to add.
        now_ms: the time at which an outcome that is replaced ceases to be valid.
    """
    outcome = update.outcome
    if is_known(decision, update):
        return _with_headline_claimed(decision, update)
    present = next((one for one in current_outcomes(decision) if _same_horizon(one, outcome)), None)
    superseded = decision.superseded
    if present is not None:
        if not update.amend:
            return None
        superseded = (*superseded, SupersededOutcome(present, now_ms))
    is_headline = decision.outcome is None or decision.outcome is present or update.claims_headline
    others = [one for one in current_outcomes(decision) if one is not present]
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


def is_known(decision: Decision, update: OutcomeUpdate) -> bool:
    """Whether an update says what the decision's outcomes say or said already, so that it changes nothing.

    An update that is sent again may meet an amendment that came after it: it is then among the superseded ones. An
    amendment back to an earlier outcome is new, unless it is the very update of then, recognised by its time.
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


def current_outcomes(decision: Decision) -> list[Outcome]:
    """The outcomes that are valid now, headline first."""
    return ([decision.outcome] if decision.outcome else []) + list(decision.other_outcomes)


def _with_headline_claimed(decision: Decision, update: OutcomeUpdate) -> Decision:
    """A repeated update changes nothing, unless it newly claims the headline for an outcome beside it."""
    beside = next((one for one in decision.other_outcomes if _same_horizon(one, update.outcome)), None)
    if beside is None or not update.headline or beside.content() != update.outcome.content():
        return decision
    others = [one for one in current_outcomes(decision) if one is not beside]
    return replace(decision, outcome=beside, other_outcomes=tuple(others), revision=decision.revision + 1)


def _same_horizon(one: Outcome, other: Outcome) -> bool:
    return one.horizon == other.horizon
