"""Short-term memory in this process, for tests and for agents that run without a cache."""

from collections.abc import Iterator, Sequence
from typing import Any

from agent_memory.core.clock import Clock, SystemClock
from agent_memory.core.forks import fork_safe_lock
from agent_memory.ports import short_term as stm
from agent_memory.storage.short_term_commands import Entries, check_commands, matching, plain_content

_FIRST_SWEEP = 1_024


class InMemoryShortTerm(Entries):
    """`ShortTermStore` in a dictionary. A key that has expired is removed when it is met.

    Keys that nobody asks for again are removed whenever the number of keys has doubled, so that expiry costs each
    write a constant time on average.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__(clock or SystemClock())
        self._entries: dict[str, tuple[Any, int]] = {}
        self._sweep_at = _FIRST_SWEEP
        self._lock = fork_safe_lock()

    def run(self, commands: Sequence[stm.Command]) -> list[Any]:
        """The result of each command, in order. They are one transaction."""
        check_commands(commands)
        with self._lock:
            results = [self.execute(command) for command in commands]
            if len(self._entries) >= self._sweep_at:
                self._remove_expired()
            return results

    def count(self, prefix: str) -> int:
        """The number of keys with a prefix."""
        with self._lock:
            return len(self._keys(prefix, "*"))

    def dump(self, prefix: str) -> Iterator[tuple[str, Any]]:
        """Every key with a prefix and its value, in no particular order."""
        with self._lock:
            return iter([(key, plain_content(self._entries[key][0])) for key in self._keys(prefix, "*")])

    def erase(self, prefix: str, pattern: str = "*", *, dry_run: bool) -> int:
        """Erase the keys with a prefix whose rest matches a glob pattern, or only count them; returns how many."""
        with self._lock:
            keys = self._keys(prefix, pattern)
            if not dry_run:
                for key in keys:
                    del self._entries[key]
            return len(keys)

    def find(self, key: str) -> tuple[Any, int] | None:
        """See `Entries`."""
        entry = self._entries.get(key)
        if entry is not None and entry[1] <= self._clock.now_ms():
            del self._entries[key]
            return None
        return entry

    def save(self, key: str, content: Any, expires_ms: int) -> None:
        """See `Entries`."""
        self._entries[key] = (content, expires_ms)

    def _keys(self, prefix: str, pattern: str) -> list[str]:
        self._remove_expired()
        return matching(self._entries, prefix, pattern)

    def _remove_expired(self) -> None:
        now_ms = self._clock.now_ms()
        self._entries = {key: entry for key, entry in self._entries.items() if entry[1] > now_ms}
        self._sweep_at = max(_FIRST_SWEEP, 2 * len(self._entries))
