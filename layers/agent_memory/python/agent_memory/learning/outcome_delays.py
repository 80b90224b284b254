"""How long the outcomes of a decision type take, and whether that makes what has come in so far misleading.

Outcomes that come late bias every comparison if they differ from those that come early: a strategy whose losses are
known after two weeks looks good until then. So younger decisions wait, whatever their outcome, until about all that
will have an outcome have one:

    the evidence of one type:   old enough: compared                                        too young: wait
    |------------------------------------------------------------------------------------|-----------------|
    oldest decision                                                         `mature_before_ms`      end of the day

The distribution of the delay is estimated with the decisions that have no outcome yet, which are censored at their age
(Kaplan and Meier 1958). Waiting cannot repair what never comes in. Where the delay goes with the result and outcomes
are missing, nothing is to be promoted. And where outcomes are missing for another reason, an effect has to remain
whether all of them are failures or all successes: bounds in the manner of Manski (1990, "Nonparametric bounds on
treatment effects"), for outcomes that are missing for one reason on both sides.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from agent_memory.core.clock import DAY_MS
from agent_memory.learning.array_types import BoolArray, FloatArray, IntArray
from agent_memory.learning.evidence_table import EvidenceTable
from agent_memory.learning.patterns import Identification, Pattern
from agent_memory.learning.special_functions import normal_cdf

ARRIVED = 0.95
"""Decisions are old enough once this share of the outcomes that come has come at their age."""
MAX_WAIT_MS = 45 * DAY_MS
"""Half the evidence: waiting longer would leave too little to learn from."""
COMPLETE = 0.995
"""Decisions of which this share has an outcome are complete, however long their outcomes took."""
DEVIATIONS = 4.0
"""By how many standard deviations an effect has to exceed what missing outcomes could make up; it is asked nightly,
of the best of many combinations."""
LEVEL = 0.01
"""Of the test whether the delay goes with the result. A false alarm costs a day of waiting, a miss a false pattern."""


@dataclass(frozen=True, slots=True)
class OutcomeDelays:
    """What is known about the outcomes of one decision type at the end of a day.

    Attributes:
        decision_type: of the decisions.
        median_ms: the delay of the median outcome; None before the first.
        decisions: in the evidence, with and without an outcome.
        without_outcome: how many have none.
        mature_before_ms: decisions before this time are old enough.
        mature: how many decisions are.
        mature_without_outcome: how many of them have no outcome.
        lateness_p_value: of the test whether successes and failures of the same day take equally long; None if no day
            has both.
    """

    decision_type: str
    median_ms: int | None
    decisions: int
    without_outcome: int
    mature_before_ms: int
    mature: int
    mature_without_outcome: int
    lateness_p_value: float | None

    @property
    def is_complete(self) -> bool:
        """Whether so few outcomes are missing that they change nothing."""
        return _is_complete(self.mature, self.mature_without_outcome)

    @property
    def lateness_depends_on_result(self) -> bool:
        """Whether the delay goes with the result while outcomes are missing, so that those known may be misleading."""
        return not self.is_complete and self.lateness_p_value is not None and self.lateness_p_value < LEVEL

    def sentence(self) -> str | None:
        """What a reader has to know about the type; None if there is nothing."""
        if not self.lateness_depends_on_result:
            return None
        return (
            f"{self.mature_without_outcome:,} of {self.mature:,} {self.decision_type} decisions that are old enough "
            "have no outcome, and successes take another time to become known than failures: what is known may be "
            "one-sided, so that no pattern of them becomes active"
        )

    def as_data(self) -> dict[str, object]:
        """The figures of the nightly report; delays in hours."""
        return {
            "decisions": self.decisions,
            "without_outcome": self.without_outcome,
            "median_delay_hours": None if self.median_ms is None else round(self.median_ms / 3_600_000, 2),
            "mature": self.mature,
            "mature_without_outcome": self.mature_without_outcome,
            "lateness_depends_on_result": self.lateness_depends_on_result,
            "note": self.sentence(),
        }


class Side(NamedTuple):
    """Decisions on one side of a comparison: how many, how many of them without an outcome, and how many succeeded."""

    decisions: int
    without_outcome: int
    successes: int

    @property
    def is_complete(self) -> bool:
        """Whether so few outcomes are missing that they change nothing."""
        return _is_complete(self.decisions, self.without_outcome)


@dataclass(frozen=True, slots=True)
class Missing:
    """The decisions that match a combination of features and the rest, with what is missing of them."""

    matching: Side
    rest: Side

    def explain(self, effect: float) -> bool:
        """Whether missing outcomes could make up an effect: they do if nothing of it remains with them.

        Outcomes that are missing are most likely of one kind, such as losses that nobody records. So the rates are
        compared once as if all of them were failures, and once as if all were successes; the effect has to keep its
        sign in both, by more than chance.
        """
        if not self.matching.without_outcome and not self.rest.without_outcome:
            return False
        sides = self.matching, self.rest
        sizes = [max(1, one.decisions) for one in sides]
        for succeed in (0, 1):
            rates = [
                (one.successes + succeed * one.without_outcome) / size for one, size in zip(sides, sizes, strict=True)
            ]
            remaining = math.copysign(1.0, effect) * (rates[0] - rates[1])
            deviation = math.sqrt(sum(rate * (1 - rate) / size for rate, size in zip(rates, sizes, strict=True)))
            if remaining <= DEVIATIONS * deviation:
                return True
        return False


def learn_delays(table: EvidenceTable, end_ms: int) -> OutcomeDelays:
    """What is known about a type's outcomes at a time, from its decisions with and without an outcome."""
    pending_ms = table.pending.times_ms
    # When the outcome of a decision of the past became known that was logged later says nothing about delays.
    in_time, pending_in_time = table.logged_ms == table.times_ms, table.pending.logged_ms == pending_ms
    delays = (table.known_ms - table.times_ms)[in_time]
    ages = (end_ms - pending_ms)[pending_in_time]
    wait_ms = min(_age_of_arrival(delays, ages), _age_of_completeness(table.times_ms, pending_ms, end_ms), MAX_WAIT_MS)
    before_ms = end_ms - max(wait_ms, _age_of_amendment(table, in_time, end_ms))
    mature, without = (int(np.searchsorted(times, before_ms)) for times in (table.times_ms, pending_ms))
    return OutcomeDelays(
        decision_type=table.decision_type,
        decisions=len(table) + len(table.pending),
        without_outcome=len(table.pending),
        median_ms=int(np.median(delays)) if len(delays) else None,
        mature_before_ms=before_ms,
        mature=mature + without,
        mature_without_outcome=without,
        lateness_p_value=_lateness_p_value(table.times_ms[in_time], delays, table.success[in_time]),
    )


def mature(table: EvidenceTable, before_ms: int) -> EvidenceTable:
    """The table with the decisions made before a time, with an outcome or without."""
    first, pending = (int(np.searchsorted(times, before_ms)) for times in (table.times_ms, table.pending.times_ms))
    if first == len(table) and pending == len(table.pending):
        return table
    return replace(
        table.oldest(first),
        pending=replace(
            table.pending,
            times_ms=table.pending.times_ms[:pending],
            logged_ms=table.pending.logged_ms[:pending],
            features=table.pending.features.oldest(pending),
            question_codes=table.pending.question_codes[:pending],
            cluster_codes=table.pending.cluster_codes[:pending],
        ),
    )


def missing_outcomes(table: EvidenceTable, features: Sequence[str], matching: BoolArray | None = None) -> Missing:
    """Count the decisions without an outcome that have all these features, and the others.

    Args:
        table: of decisions that are old enough.
        features: of the combination.
        matching: which decisions with an outcome have them, if that is known already.
    """
    matches = table.features.matching(features) if matching is None else matching
    pending_matches = table.pending.features.matching(features)
    sides = [
        Side(
            decisions=int(np.count_nonzero(one) + np.count_nonzero(without)),
            without_outcome=int(np.count_nonzero(without)),
            successes=int(np.count_nonzero(one & table.success)),
        )
        for one, without in ((matches, pending_matches), (~matches, ~pending_matches))
    ]
    return Missing(*sides)


def hold_back(
    identification: Identification, tables: Sequence[EvidenceTable], delays: Sequence[OutcomeDelays]
) -> Identification:
    """Let patterns be emerging at most where missing outcomes could make them up.

    Args:
        identification: the patterns that were found in the mature tables.
        tables: these.
        delays: of their types.
    """
    by_type = {table.decision_type: table for table in tables}
    complete = {one.decision_type for one in delays if one.is_complete}
    one_sided = {one.decision_type for one in delays if one.lateness_depends_on_result}

    def is_doubtful(pattern: Pattern) -> bool:
        if pattern.decision_type in one_sided:
            return True
        table = by_type[pattern.decision_type]
        matching = table.features.matching(pattern.features)
        missing = missing_outcomes(table, pattern.features, matching)
        # A type of which hardly anything is missing may lack most of what a rare fact would show.
        if pattern.decision_type in complete and missing.matching.is_complete:
            return False
        return missing.explain(pattern.effect) or _is_lateness_one_sided(table, matching, missing)

    held_back = tuple(one for one in identification.patterns if is_doubtful(one))
    return replace(
        identification,
        patterns=tuple(one for one in identification.patterns if one not in held_back),
        emerging=(*identification.emerging, *held_back),
    )


def _is_lateness_one_sided(table: EvidenceTable, matching: BoolArray, missing: Missing) -> bool:
    """Whether the delay goes with the result on a side of which outcomes are missing.

    On two sides it may do so in opposite ways, which cancel in a test of all decisions.
    """
    in_time = table.logged_ms == table.times_ms
    for which, side in ((matching, missing.matching), (~matching, missing.rest)):
        if not side.is_complete:
            one = which & in_time
            p_value = _lateness_p_value(table.times_ms[one], (table.known_ms - table.times_ms)[one], table.success[one])
            if p_value is not None and p_value < LEVEL:
                return True
    return False


def _is_complete(decisions: int, without_outcome: int) -> bool:
    return without_outcome <= (1 - COMPLETE) * decisions


def _age_of_arrival(delays: IntArray, ages: IntArray) -> int:
    """The age by which `ARRIVED` of the outcomes that come have come, by the estimate of Kaplan and Meier."""
    if not len(delays):
        return MAX_WAIT_MS
    at_ms, arrived = kaplan_meier(delays, ages)
    return int(at_ms[int(np.searchsorted(arrived / arrived[-1], ARRIVED))])


def _age_of_amendment(table: EvidenceTable, in_time: BoolArray, end_ms: int) -> int:
    """The age by which `ARRIVED` of the amendments have come; 0 if hardly any outcome is amended.

    What is amended was provisional before. As with outcomes that come late, those that are not amended yet are most
    likely of one kind, such as losses that were gains when they were first recorded.
    """
    amended = table.is_amended & in_time
    if np.count_nonzero(amended) <= (1 - COMPLETE) * len(table):
        return 0
    delays, ages = (table.known_ms - table.times_ms)[amended], end_ms - table.times_ms[in_time & ~amended]
    return min(_age_of_arrival(delays, ages), MAX_WAIT_MS)


def kaplan_meier(delays: IntArray, ages: IntArray) -> tuple[IntArray, FloatArray]:
    """The share of outcomes that have come by each age. Kaplan and Meier, J. Am. Stat. Assoc. 53 (1958) 457-481.

    Args:
        delays: of outcomes that have come.
        ages: of decisions without one, which may still come.

    Returns:
        The ages and delays in order, without repetitions, and the share by each of them, 0 to 1.
    """
    at_ms, position = np.unique(np.concatenate([delays, ages]), return_inverse=True)
    ended = np.bincount(position)
    came = np.bincount(position[: len(delays)], minlength=len(at_ms))
    waiting = ended.sum() - np.concatenate([[0], np.cumsum(ended)[:-1]])
    return at_ms, 1 - np.cumprod(1 - came / waiting)


def _age_of_completeness(times: IntArray, pending: IntArray, end_ms: int) -> int:
    """The age from which on `COMPLETE` of all decisions have an outcome.

    A history that is logged at once has outcomes that took months by its times, and is complete nevertheless.
    """
    ends_ms = np.append(pending, end_ms)
    without = np.arange(len(ends_ms))
    is_complete = without <= (1 - COMPLETE) * (without + np.searchsorted(times, ends_ms))
    return int(end_ms - ends_ms[np.flatnonzero(is_complete)[-1]])


def _lateness_p_value(times: IntArray, delays: IntArray, success: BoolArray) -> float | None:
    """Two-sided p-value of the hypothesis that successes and failures of the same day take equally long.

    Wilcoxon's rank sums, added up over days with the weights of van Elteren (1960): decisions of one day have had the
    same time for their outcomes to come in, so that a rate of success that changes with time is not taken for a delay.
    """
    if not len(delays):
        return None
    order = np.lexsort((delays, times // DAY_MS))
    delays, failed = delays[order], ~success[order]
    _, first, day, size = np.unique(
        (times // DAY_MS)[order], return_index=True, return_inverse=True, return_counts=True
    )
    begins_tie = np.concatenate([[True], (day[1:] != day[:-1]) | (delays[1:] != delays[:-1])])
    tie = np.cumsum(begins_tie) - 1
    position = np.arange(len(delays)) - first[day] + 1.0
    rank = (np.bincount(tie, position) / np.bincount(tie))[tie]
    deviation = rank - (size[day] + 1) / 2
    failures = np.bincount(day, failed)
    weight = 1 / (size + 1)
    total = np.sum(weight * np.bincount(day, deviation * failed))
    spread = np.bincount(day, deviation**2) / np.maximum(size * (size - 1), 1)
    variance = np.sum(weight**2 * failures * (size - failures) * spread)
    return 2 * float(normal_cdf(-abs(total) / np.sqrt(variance))) if variance > 0 else None
