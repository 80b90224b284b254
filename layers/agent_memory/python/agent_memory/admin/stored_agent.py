"""All data of an agent, read from its stores."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from agent_memory.admin.export_file import NOT_EXPORTED
from agent_memory.core.clock import Clock
from agent_memory.core.errors import Conflict
from agent_memory.core.ids import check_agent_id
from agent_memory.core.keys import is_rollup, object_prefixes, stm_key
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.model.decisions import Decision
from agent_memory.model.listings import Damages
from agent_memory.model.memories import Memory, MemoryType
from agent_memory.model.states import State
from agent_memory.ports.states import Registration
from agent_memory.ports.stores import Stores

T = TypeVar("T")

OnItem = Callable[[str], None]
"""Is called with the kind of each item before it is handed out."""


def _ignore(_kind: str) -> None:
    pass


class StoredAgent:
    """An `AgentSource` on stores. Damaged items are left out, and named by `missing`; every method blocks.

    Args:
        agent_id: the agent.
        stores: its stores.
        clock: that of the stores.
        memory_types: types of long-term memory to begin with; the agent's others follow.
        on_item: is called with the kind of each item before it is handed out.

    Raises:
        Unavailable: a store did not respond.
    """

    def __init__(
        self,
        agent_id: str,
        stores: Stores,
        clock: Clock,
        memory_types: Iterable[str] = tuple(MemoryType),
        on_item: OnItem = _ignore,
    ) -> None:
        self.agent_id = check_agent_id(agent_id)
        self.exported_ms: int | None = clock.now_ms()
        self._stores = stores
        self._clock = clock
        self._memory_types = list(memory_types)
        self._on_item = on_item
        self._damages = Damages()

    @property
    def registration(self) -> Registration:
        """The agent's registration; an empty one if it has none."""
        return self._stores.states.registration(self.agent_id)

    def decisions(self) -> Iterator[Decision]:
        """The decisions of table and archive, ordered by time and id."""
        log = DecisionLog(self.agent_id, self._stores, self._clock)
        found = log.stream(DecisionFilter(), newest_first=False, on_unreadable=self._damages)
        return self._handed_out("decisions", found)

    def memories(self) -> Iterator[Memory]:
        """All versions of all memories, the current ones with their counts of reads."""
        types = dict.fromkeys([*self._memory_types, *self._stores.memories.types(self.agent_id)])
        return self._handed_out("memories", (version for kind in types for version in self._versions(kind)))

    def states(self) -> Iterator[tuple[str, State]]:
        """The states by their names, without counts of days, which are counted again where they are needed."""
        found = self._stores.states.list_by_prefix(self.agent_id, "", on_unreadable=self._damages)
        return self._handed_out("states", (one for one in found if not is_rollup(one[0])))

    def short_term(self) -> Iterator[tuple[str, Any]]:
        """The keys of short-term memory and their values; an `Unreadable` where a value cannot be read."""
        if self._stores.short_term is not None:
            prefix = stm_key(self.agent_id, "")
            for key, value in self._stores.short_term.dump(prefix):
                yield key.removeprefix(prefix), value

    def object_keys(self) -> list[str]:
        """The keys of the objects, sorted, without large parts and digests, which the decisions contain."""
        if self._stores.blobs is None:
            return []
        prefixes = [prefix for prefix in object_prefixes(self.agent_id) if not prefix.startswith(NOT_EXPORTED)]
        return sorted(key for prefix in prefixes for key in self._stores.blobs.list_keys(prefix))

    def read_object(self, key: str) -> bytes:
        """The content of an object; `Conflict` if it is gone since it was listed."""
        body = self.find_object(key)
        if body is None:
            raise Conflict(f"{key} was deleted meanwhile; try again")
        return body

    def find_object(self, key: str) -> bytes | None:
        """The content of an object; None if it is gone since it was listed."""
        self._on_item("objects")
        return None if self._stores.blobs is None else self._stores.blobs.read(key)

    def missing(self) -> list[dict[str, Any]]:
        """The damaged items that were left out so far, each with `id`, `reason` and `why`."""
        return self._damages.as_dicts()

    def completeness(self) -> dict[str, Any]:
        """`complete` and `missing`, as in a listing."""
        return self._damages.members()

    def _versions(self, memory_type: str) -> Iterator[Memory]:
        memories = self._stores.memories
        current = {
            (one.pattern_id, one.version): one
            for one in memories.by_confidence(self.agent_id, memory_type, on_unreadable=self._damages)
        }
        for version in memories.all_versions(self.agent_id, memory_type, on_unreadable=self._damages):
            yield version if version.is_removed else current.get((version.pattern_id, version.version), version)

    def _handed_out(self, kind: str, items: Iterable[T]) -> Iterator[T]:
        for one in items:
            self._on_item(kind)
            yield one
