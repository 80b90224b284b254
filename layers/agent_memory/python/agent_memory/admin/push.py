"""Copies agents from one deployment or file to another, and compares both sides."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from agent_memory.admin.comparison import differences, digests_of, totals
from agent_memory.admin.importing.agent import AgentImport
from agent_memory.admin.stored_agent import StoredAgent
from agent_memory.core.checks import check_number
from agent_memory.core.errors import InvalidInput, NotFound
from agent_memory.ports.archive import ArchiveStore
from agent_memory.ports.blobs import BlobStore
from agent_memory.ports.stores import Stores

OnProgress = Callable[[str, str], None]
"""Is called with the agent and what is being done, as `copying decisions`, for each item."""


def stored_agents(stores: Stores) -> list[str]:
    """Every agent that has decisions, and every agent and pool that has memories, sorted."""
    return sorted({*stores.states.agents(), *stores.memories.agents()})


@dataclass(slots=True)
class Pace:
    """Lets at most `per_second` items through a second, by waiting; None is no limit."""

    per_second: float | None = None
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic
    _due: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        if self.per_second is not None and check_number("rate", self.per_second, "a number above 0") <= 0:
            raise InvalidInput("rate", f"{self.per_second!r} is not a number above 0")

    def wait(self) -> None:
        """Wait until the next item is due."""
        if self.per_second is None:
            return
        now = self.now()
        self._due = max(self._due, now)
        if self._due > now:
            self.sleep(self._due - now)
        self._due += 1 / self.per_second


class Push:
    """Copies agents from one place to another. Running it again continues, and writes nothing twice.

    Args:
        source: is only read.
        target: gets what it lacks. What it has in a newer version, and what contradicts, stays as it is.
        open_archive: opens the archive in a bucket.
        pace: of the items that are read to be copied.
        on_progress: is called with the agent and what is being done, for each item.
    """

    def __init__(
        self,
        source: Stores,
        target: Stores,
        open_archive: Callable[[BlobStore], ArchiveStore],
        *,
        pace: Pace | None = None,
        on_progress: OnProgress = lambda _agent, _doing: None,
    ) -> None:
        self._source = source
        self._target = target
        self._open_archive = open_archive
        self._pace = pace or Pace()
        self._on_progress = on_progress

    def run(self, agents: Iterable[str] | None = None, *, dry_run: bool = False) -> Iterator[dict[str, Any]]:
        """Copy agents, by default all, and compare them; yields a receipt as each is done.

        A receipt is that of an import, see `AgentImport.run`, with `source` and `target`, which have for each kind of
        data the number of items and days and one hash, `differences` by kind and day, and `equal`, which is false if
        the source has items that cannot be read. A dry run counts what would be copied, and compares nothing.

        Raises:
            NotFound: the source has none of the agents. Unavailable: a store did not respond; a part is written.
        """
        known = stored_agents(self._source)
        chosen = known if agents is None else list(dict.fromkeys(agents))
        for agent in chosen:
            if agent not in known:
                raise NotFound(f"there is no agent {agent} to copy")
        for agent in chosen:
            yield self._copied(agent, dry_run=dry_run)

    def _copied(self, agent: str, *, dry_run: bool) -> dict[str, Any]:
        def on_item(kind: str) -> None:
            self._pace.wait()
            self._on_progress(agent, f"copying {kind}")

        agent_import = AgentImport(agent, self._target, self._target.clock, self._open_archive)
        source = StoredAgent(agent, self._source, self._source.clock, on_item=on_item)
        receipt = agent_import.copy(source, dry_run=dry_run)
        return receipt if dry_run else receipt | self._compared(agent, is_complete=receipt["complete"])

    def _compared(self, agent: str, *, is_complete: bool) -> dict[str, Any]:
        def on_item(kind: str) -> None:
            self._on_progress(agent, f"comparing {kind}")

        sides = [
            digests_of(StoredAgent(agent, stores, stores.clock, on_item=on_item))
            for stores in (self._source, self._target)
        ]
        found = differences(*sides)
        source, target = map(totals, sides)
        return {"source": source, "target": target, "differences": found, "equal": not found and is_complete}
