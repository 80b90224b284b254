"""The indexes of what was recalled in this process, shared by all callers of the same stores."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from threading import RLock
from typing import Any
from weakref import WeakKeyDictionary

from agent_memory.core.forks import call_in_child, fork_safe_lock
from agent_memory.memory.embedded_texts import EmbeddedTexts
from agent_memory.memory.entry_index import EntryIndex

_MAX_INDEXES = 256
_MAX_ENTRIES = 400_000


class KeptIndex:
    """An index, and the lock under which it is changed and read.

    Attributes:
        state: what whoever brings the index up to date has to know about it; None for a new index.
    """

    def __init__(self) -> None:
        self.index = EntryIndex()
        self.lock = RLock()
        self.state: Any = None


@contextmanager
def locked(indexes: Sequence[KeptIndex]) -> Iterator[None]:
    """Hold the locks of all indexes, taken in one order, so that two recalls do not wait for each other."""
    with ExitStack() as stack:
        for one in sorted(indexes, key=id):
            stack.enter_context(one.lock)
        yield


class RecallIndexes:
    """The most recently used indexes, by agent and what they contain, up to a total number of entries.

    Attributes:
        embedded: the vectors of texts that are in indexes, or were.
    """

    def __init__(self) -> None:
        self.embedded = EmbeddedTexts()
        self._kept: OrderedDict[tuple[str, str], KeptIndex] = OrderedDict()
        self._lock = fork_safe_lock()

    def of(self, agent_id: str, content: str) -> KeptIndex:
        """The index of what an agent has of some content; empty if it was not used before, or not for long."""
        with self._lock:
            kept = self._kept.pop((agent_id, content), None) or KeptIndex()
            self._kept[agent_id, content] = kept
            total = sum([len(one.index) for one in self._kept.values()])
            while len(self._kept) > _MAX_INDEXES or (total > _MAX_ENTRIES and len(self._kept) > 1):
                _, dropped = self._kept.popitem(last=False)
                total -= len(dropped.index)
            return kept

    def drop(self, agent_id: str) -> None:
        """Drop the indexes of an agent."""
        with self._lock:
            for key in [one for one in self._kept if one[0] == agent_id]:
                del self._kept[key]

    def drop_used(self) -> None:
        """Drop the indexes that a thread is using."""
        for key, kept in list(self._kept.items()):
            if kept.lock.acquire(blocking=False):
                kept.lock.release()
            else:
                del self._kept[key]


_of_stores: WeakKeyDictionary[object, RecallIndexes] = WeakKeyDictionary()
_lock = fork_safe_lock()


def indexes_of(store: object) -> RecallIndexes:
    """The indexes of what is in a store."""
    with _lock:
        found = _of_stores.get(store)
        if found is None:
            found = _of_stores[store] = RecallIndexes()
        return found


def _drop_used() -> None:
    for indexes in list(_of_stores.values()):
        indexes.drop_used()


# The child of a fork has none of the threads that used an index, which would stay locked and half changed. A fork does
# not wait for these locks: they are held while a store is read.
call_in_child(_drop_used)
