"""What scores depend on besides text and meaning: a column for each property, in which entries have their numbers."""

from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from agent_memory.memory.optional_numpy import optional_numpy


class EntryColumns:
    """Importance, time, half-life and kind of entries by their numbers."""

    def __init__(self) -> None:
        self._importance = array("d")
        self._timestamp = array("d")
        self._half_life = array("d")
        self._kind = array("L")
        self.kinds: dict[str, int] = {}

    def add(self, entries: Sequence[Any]) -> None:
        """Add entries under the next numbers."""
        self._importance.extend([entry.importance for entry in entries])
        self._timestamp.extend([entry.timestamp for entry in entries])
        self._half_life.extend([entry.half_life or 0.0 for entry in entries])
        self._kind.extend([self.kinds.setdefault(entry.kind, len(self.kinds)) for entry in entries])

    def replace(self, number: int, entry: Any) -> None:
        """Set what the entry with a number has now."""
        self._importance[number] = entry.importance
        self._timestamp[number] = entry.timestamp
        self._half_life[number] = entry.half_life or 0.0
        self._kind[number] = self.kinds.setdefault(entry.kind, len(self.kinds))

    def discard(self, number: int) -> None:
        """Remove an entry: its importance is 0 from now on."""
        self._importance[number] = 0.0

    def before(self, timestamp: float) -> Sequence[bool]:
        """Whether each entry is of before a time. With NumPy, an array."""
        np = optional_numpy()
        if np is None:
            return [one < timestamp for one in self._timestamp]
        return np.array(self._timestamp) < timestamp  # type: ignore[no-any-return]

    def decayed_importance(self, half_lives: Any, now: float, others: Mapping[int, float]) -> Any:
        """Importance·0.5^(age / half-life) of each entry, an array. Needs NumPy.

        `others` has the importance of entries, by their numbers, where it is to be another than that of the column.
        """
        np = optional_numpy()
        # Copies: an array that lends its memory to NumPy cannot grow.
        half_life = np.array(self._half_life)
        half_life[half_life == 0] = half_lives.default
        kinds = np.array(self._kind) if half_lives.by_kind else None
        for kind, seconds in half_lives.by_kind.items():
            if kind in self.kinds:
                half_life[kinds == self.kinds[kind]] = seconds
        age = np.maximum(now - np.array(self._timestamp), 0.0)
        importance = np.array(self._importance)
        if others:
            importance[list(others)] = list(others.values())
        return importance * np.exp2(-age / half_life)
