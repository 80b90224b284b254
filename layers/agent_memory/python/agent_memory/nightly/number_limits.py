"""The limits that an agent's numbers are compared with: learned once, in order of days, and kept as a state."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from agent_memory.core.clock import Clock, parse_date
from agent_memory.core.keys import NUMBER_LIMITS
from agent_memory.learning.numbers import LEARNED_FROM, MAX_NUMBERS, FactReader, Limits
from agent_memory.model.evidence import Evidence
from agent_memory.ports.states import StateStore

Key = tuple[str, str]
"""Decision type and path of a number."""


class NumberLimits:
    """The limits of one agent's numbers at a day.

    What was learned on a later day is left out, so that a day that is learned again leads to the same facts.
    """

    def __init__(self, agent_id: str, states: StateStore, clock: Clock, day: date) -> None:
        self._agent_id = agent_id
        self._states = states
        self._clock = clock
        self._day = day
        state = states.get(agent_id, NUMBER_LIMITS)
        self._version = state.version if state else 0
        self._stored: dict[str, dict[str, Any]] = dict(state.data) if state else {}
        # None for a number that says nothing.
        self._limits: dict[Key, Limits | None] = {
            (decision_type, path): Limits.of(one["limits"]) if one["limits"] else None
            for decision_type, paths in self._stored.items()
            for path, one in paths.items()
            if parse_date(one["since"]) <= day
        }
        self._values: dict[Key, list[float]] = defaultdict(list)

    def with_facts(self, rows: Iterable[Evidence]) -> Iterator[Evidence]:
        """The rows, ordered by time, with the facts of their numbers; the values of unknown numbers are collected."""
        self._values.clear()
        readers: dict[str, dict[str, FactReader]] = defaultdict(dict)
        for (decision_type, path), limits in self._limits.items():
            readers[decision_type][path] = limits.reader(path) if limits else _without_facts
        for row in rows:
            yield row.with_features(self._features(row, readers[row.decision_type])) if row.numbers else row

    def learn(self) -> bool:
        """Learn the limits of numbers of which enough values were collected; returns whether there are new ones.

        Raises:
            Conflict: another job stored limits at the same time.
        """
        enough = [key for key, values in self._values.items() if len(values) == LEARNED_FROM]
        learned: list[Key] = []
        for key in sorted(enough):
            if sum(one[0] == key[0] for one in self._limits) < MAX_NUMBERS:
                self._limits[key] = Limits.learn(self._values[key])
                learned.append(key)
        if learned:
            self._store(learned)
        return any(self._limits[key] for key in learned)

    def _features(self, row: Evidence, readers: Mapping[str, FactReader]) -> tuple[str, ...]:
        facts = list(row.features)
        for path, value in row.numbers:
            reader = readers.get(path)
            if reader is not None:
                facts += reader(value)
                continue
            values = self._values[row.decision_type, path]
            if len(values) < LEARNED_FROM:
                values.append(value)
        return tuple(sorted({*facts}))

    def _store(self, learned: Iterable[Key]) -> None:
        data = {decision_type: dict(paths) for decision_type, paths in self._stored.items()}
        for decision_type, path in learned:
            limits = self._limits[decision_type, path]
            one = {"limits": limits.as_data() if limits else None, "since": self._day.isoformat()}
            data.setdefault(decision_type, {})[path] = one
        state = self._states.put(
            self._agent_id, NUMBER_LIMITS, data, expected_version=self._version, now_ms=self._clock.now_ms()
        )
        self._stored, self._version = data, state.version


def _without_facts(_: float) -> tuple[str, ...]:
    return ()


def forget_limits_since(agent_id: str, day: date, states: StateStore, clock: Clock) -> None:
    """Forget the limits that were learned on a day or later: they may be of values that do not count any more.

    The days that are learned again lead to the same limits if they still do. Raises `Conflict` if a job came first.
    """
    state = states.get(agent_id, NUMBER_LIMITS)
    if state is None:
        return
    kept = {
        decision_type: {path: one for path, one in paths.items() if parse_date(one["since"]) < day}
        for decision_type, paths in state.data.items()
    }
    if kept != state.data:
        data = {decision_type: paths for decision_type, paths in kept.items() if paths}
        states.put(agent_id, NUMBER_LIMITS, data, expected_version=state.version, now_ms=clock.now_ms())
