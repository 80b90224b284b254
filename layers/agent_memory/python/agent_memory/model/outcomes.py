"""How outcomes of one decision stand beside each other and follow each other.

A decision may have an outcome at each of several horizons; one of them is the headline. An outcome is a fact:
only an amendment takes its place, and what it replaces is kept with the time at which it ceased to hold.
"""

from dataclasses import dataclass, replace

from agent_memory.model.decisions import Decision, Outcome, SupersededOutcome


@dataclass(frozen=True, slots=True)
class Report:
    """An outcome as it is handed in.

    `amend` lets it replace a different one of the same horizon. It claims the headline if `headline` says so or
    if it names no horizon; else the first outcome that is reported is the headline.
    """

    outcome: Outcome
    amend: bool = False
    headline: bool = False

    @property
    def claims_headline(self) -> bool:
        """Whether the headline is to be this outcome, whatever it was before."""
        return self.headline or self.outcome.horizon is None


def is_known(decision: Decision, report: Report) -> bool:
    """Whether a report says what the decision's outcomes say or said already, so that it changes nothing.

    A repeated report may meet an amendment that came after it: it is then among the superseded ones. An amendment
    back to what held once is new, unless it is the very report of then, told by its time.
    """
    wanted, content = report.outcome, report.outcome.content()
    if any(_same_horizon(one, wanted) and one.content() == content for one in current(decision)):
        return True
    return any(
        _same_horizon(one.outcome, wanted)
        and one.outcome.content() == content
        and (not report.amend or one.outcome.recorded_ms == wanted.recorded_ms)
        for one in decision.superseded
    )


def current(decision: Decision) -> list[Outcome]:
    """The outcomes that hold now, headline first."""
    return ([decision.outcome] if decision.outcome else []) + list(decision.other_outcomes)


def apply_outcome(decision: Decision, report: Report, now_ms: int) -> Decision | None:
    """The decision with a report taken in, itself where that changes nothing, None where the report contradicts.

    Args:
        decision: as it is stored, with its outcomes.
        report: the outcome to take in.
        now_ms: when a replaced outcome ceases to hold.
    """
    outcome = report.outcome
    if is_known(decision, report):
        return _with_headline_claimed(decision, report)
    standing = next((one for one in current(decision) if _same_horizon(one, outcome)), None)
    superseded = decision.superseded
    if standing is not None:
        if not report.amend:
            return None
        superseded = (*superseded, SupersededOutcome(standing, now_ms))
    is_headline = decision.outcome is None or decision.outcome is standing or report.claims_headline
    others = [one for one in current(decision) if one is not standing]
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


def _with_headline_claimed(decision: Decision, report: Report) -> Decision:
    """A repeated report changes nothing, unless it newly claims the headline for what stands beside it."""
    beside = next((one for one in decision.other_outcomes if _same_horizon(one, report.outcome)), None)
    if beside is None or not report.headline or beside.content() != report.outcome.content():
        return decision
    others = [one for one in current(decision) if one is not beside]
    return replace(decision, outcome=beside, other_outcomes=tuple(others), revision=decision.revision + 1)


def _same_horizon(one: Outcome, other: Outcome) -> bool:
    return one.horizon == other.horizon
