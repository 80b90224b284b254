"""What objects of a process remember of an agent's tables, so that they need not ask each time.

When the agent is erased, none of it is true any more. Those of the process that erases it drop it at once; those of
other processes after `MAX_AGE_SECONDS`, or never where it only makes them write more than they need to.
"""

from typing import Protocol
from weakref import WeakSet

from agent_memory.core.forks import fork_safe_lock

MAX_AGE_SECONDS = 600.0


class Remembering(Protocol):
    """An object that remembers what it has written of an agent."""

    @property
    def agent_id(self) -> str:
        """The agent."""
        ...

    def drop_remembered(self) -> None:
        """Ask, or write, again the next time."""
        ...


def note(one: Remembering) -> None:
    """Have an object drop what it remembers when its agent is erased."""
    with _lock:
        _all.add(one)


def drop_remembered(agent_id: str) -> None:
    """Drop what the objects of this process remember of an agent."""
    with _lock:
        found = [one for one in _all if one.agent_id == agent_id]
    for one in found:
        one.drop_remembered()


_all: WeakSet[Remembering] = WeakSet()
_lock = fork_safe_lock()
