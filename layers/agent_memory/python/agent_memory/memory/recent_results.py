"""Results that came after the nightly job made an estimate, for advice that counts them, too."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agent_memory.core.clock import DAY_MS, to_iso
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.learning.estimate_update import RecentResult
from agent_memory.learning.evidence import SELECTED_SOURCES, SOURCE, evidence_of, value_of
from agent_memory.memory.matching import ContextFacts
from agent_memory.model.evidence import Evidence
from agent_memory.model.listings import LIMIT, Unreadable, missing_item

MAX_RECENT = 1_000
"""How many decisions are read."""
_WAITING_MS = DAY_MS
"""How much older than the estimate a decision may be; later results are left to the nightly job."""


@dataclass(frozen=True, slots=True)
class RecentDecisions:
    """Decisions whose results an estimate may not know.

    Attributes:
        since_ms: results that were known before are in the estimate.
        rows: the decisions with an outcome.
        missing: what could not be read, or was not, as in a listing.
    """

    since_ms: int
    rows: Sequence[Evidence]
    missing: Sequence[dict[str, Any]]

    @classmethod
    def read(cls, log: DecisionLog, decision_type: str, since_ms: int, *, without: frozenset[str]) -> "RecentDecisions":
        """Read an agent's decisions of one type, but for those that are based on one of the memories `without`.

        Raises:
            Unavailable: the table did not respond.
        """
        unreadable: list[Unreadable] = []
        missing: list[dict[str, Any]] = []
        rows: list[Evidence] = []
        criteria = DecisionFilter(decision_type, (to_iso(since_ms - _WAITING_MS), None))
        for number, decision in enumerate(log.stream(criteria, on_unreadable=unreadable.append)):
            if number == MAX_RECENT:
                why = f"only the newest {MAX_RECENT:,} decisions since the last nightly job count"
                missing.append(missing_item("decisions", LIMIT, why))
                break
            row = evidence_of(decision)
            if row is not None and without.isdisjoint(row.memory_ids):
                rows.append(row)
        return cls(since_ms, rows, [*missing, *(one.as_dict() for one in unreadable)])

    def results(self, choice: str, reward: str | None = None) -> list[RecentResult]:
        """The results of each option, with the shares that `learning.estimate_rows` gives them.

        Args:
            choice: the path under which the decisions name the option.
            reward: the path of the reward; None for success.
        """
        prefix = f"{SOURCE if choice == SELECTED_SOURCES else choice}="
        chosen = [
            (row, result, [value_of(one) for one in row.features if one.startswith(prefix)])
            for row in self.rows
            for result in self._new_result(row, reward)
        ]
        sharing = Counter((_cluster(row), option) for row, _, options in chosen for option in options)
        return [
            RecentResult(
                option,
                ContextFacts(frozenset(row.features), dict(row.numbers)),
                result,
                1 / len(options) / sharing[_cluster(row), option],
            )
            for row, result, options in chosen
            for option in options
        ]

    def _new_result(self, row: Evidence, reward: str | None) -> list[float]:
        """The result, or nothing if there is none that the estimate does not know."""
        if reward is not None:
            result, known_ms = dict(row.rewards).get(reward), row.rewards_ms
        else:
            result, known_ms = row.success, row.known_ms
        return [] if result is None or known_ms < self.since_ms else [float(result)]


def _cluster(row: Evidence) -> str:
    """What shares one outcome with a decision; without anything, the decision alone."""
    return row.cluster or row.decision_id
