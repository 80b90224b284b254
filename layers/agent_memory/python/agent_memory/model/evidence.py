"""The evidence that the nightly job learns from: one row per decision, with its outcome once that is known."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Any, Self

TIMELY_DAYS = 2
"""The nightly jobs of a decision's own day and of the next one read all decisions of that day."""

Result = tuple[int, bool | None]
"""From when on (milliseconds since the epoch) a decision counts with which success; None: without an outcome."""
Rewards = tuple[tuple[str, float], ...]
"""The numbers of an outcome by path, such as `outcome.pnl`; sorted."""


@dataclass(slots=True)  # `frozen` would make a row six times as slow to read, of which there may be millions
class Evidence:
    """One decision with what has become known of its outcome. Rows are shared: they must not be changed.

    Attributes:
        decision_id: of the decision.
        decision_type: of the decision.
        timestamp_ms: when it was made, in milliseconds since the epoch, like all times here.
        success: of its outcome; None while it has none.
        features: its facts, sorted and without duplicates.
        known_ms: since when `success` is known; by default, and without an outcome, `timestamp_ms`.
        question: what the decision answers, as `forecast=range|horizon=4h`; empty if it names none.
        cluster: what shares one outcome with it: a position, trade, cycle or chain; empty if it names none.
        policy: name of the policy that chose; empty if the decision names none, as `policy_version`.
        policy_version: version of that policy.
        propensity: probability with which it chose what the decision names; None if unknown, as `joint_propensity`.
        joint_propensity: probability of all that it chose at once.
        numbers: its finite numbers by path, such as `context.whale_flow`; sorted.
        memory_ids: the memories that it is based on.
        experiments: the assignments that it was made under, as `LoggedAssignment.to_text`.
        earlier: what was known before `known_ms`, oldest first. Without it the decision had no outcome until then.
        rewards: the finite numbers of its headline outcome.
        rewards_ms: since when these are what the outcome says; -1 if it never had any.
        ancestors: ids of the recent decisions that led to it, the nearest first.
        earlier_rewards: since when the outcome said what before `rewards_ms`, oldest first.
    """

    decision_id: str
    decision_type: str
    timestamp_ms: int
    success: bool | None
    features: tuple[str, ...]
    known_ms: int = -1
    question: str = ""
    cluster: str = ""
    earlier: tuple[Result, ...] = ()
    policy: str = ""
    policy_version: str = ""
    propensity: float | None = None
    joint_propensity: float | None = None
    numbers: tuple[tuple[str, float], ...] = ()
    ancestors: tuple[str, ...] = ()
    memory_ids: tuple[str, ...] = ()
    experiments: tuple[str, ...] = ()
    rewards: Rewards = ()
    rewards_ms: int = -1
    earlier_rewards: tuple[tuple[int, Rewards], ...] = ()

    def __post_init__(self) -> None:
        if not self.rewards and not self.earlier_rewards:
            self.rewards_ms = -1
        elif self.rewards_ms < 0:
            self.rewards_ms = max(self.known_ms, self.timestamp_ms)
        if self.known_ms < 0:
            self.known_ms = self.timestamp_ms

    @property
    def results(self) -> tuple[Result, ...]:
        """Every result that it has counted with, oldest first."""
        return (*self.earlier, (self.known_ms, self.success))

    @property
    def history(self) -> tuple[Result, ...]:
        """Its results, beginning when it was in the log: at its own time, unless they say something else."""
        begins_without = self.results[0][1] is None
        return self.results if begins_without else ((self.timestamp_ms, None), *self.results)

    @property
    def rewards_history(self) -> tuple[tuple[int, Rewards], ...]:
        """Since when its outcome said which numbers, oldest first; empty if it never had any."""
        return () if self.rewards_ms < 0 else (*self.earlier_rewards, (self.rewards_ms, self.rewards))

    def with_features(self, features: tuple[str, ...]) -> Self:
        """The row with other facts; as `replace`, in a third of its time: jobs add facts of numbers to most rows."""
        values: list[Any] = [*_before_features(self), features, *_after_features(self)]
        return type(self)(*values)

    def with_results(self, results: Sequence[Result]) -> Self:
        """The row with other results, oldest first; there must be one."""
        *earlier, (known_ms, success) = results
        if earlier[:1] == [(self.timestamp_ms, None)]:  # goes without saying
            earlier = earlier[1:]
        return replace(self, known_ms=known_ms, success=success, earlier=tuple(earlier))

    def with_rewards(self, history: Sequence[tuple[int, Rewards]]) -> Self:
        """The row with other rewards, oldest first; of the same millisecond, the last ones were the only ones seen."""
        changes: list[tuple[int, Rewards]] = [(-1, ())]
        for at_ms, rewards in sorted(dict(history).items()):
            if rewards != changes[-1][1]:
                changes.append((at_ms, rewards))
        rewards_ms, rewards = changes[-1]
        return replace(self, rewards=rewards, rewards_ms=rewards_ms, earlier_rewards=tuple(changes[1:-1]))

    def known_before(self, end_ms: int) -> Self | None:
        """The row as it was known just before a time; None if the decision itself was not in the log by then."""
        if self.timestamp_ms >= end_ms:
            return None
        if self.known_ms < end_ms and self.rewards_ms < end_ms:
            return self
        known = [one for one in self.history if one[0] < end_ms]
        if not known:
            return None
        return self.with_results(known).with_rewards([one for one in self.rewards_history if one[0] < end_ms])


_names = [field.name for field in fields(Evidence)]
_place = _names.index("features")
_before_features, _after_features = attrgetter(*_names[:_place]), attrgetter(*_names[_place + 1 :])
