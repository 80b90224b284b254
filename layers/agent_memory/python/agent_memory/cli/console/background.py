"""Work that takes longer than a page: it runs in a thread, and pages ask how far it has come."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from agent_memory.core.errors import AgentMemoryError, Conflict

Report = Callable[[int, int | None], None]
"""Is called with how many parts are done, and of how many, None if that is not known."""


@dataclass(slots=True)
class Work:
    """Work of one kind on one agent: how far it has come, and its result or its error."""

    started: float = field(default_factory=time.monotonic)
    done: int = 0
    total: int | None = None
    result: Any = None
    error: str | None = None
    is_running: bool = True
    ended: float | None = None

    @property
    def seconds(self) -> float:
        """How long it has run."""
        return (self.ended or time.monotonic()) - self.started


class Background:
    """The last work of each kind on each agent."""

    def __init__(self) -> None:
        self._works: dict[tuple[str, str], Work] = {}
        self._lock = threading.Lock()

    def get(self, kind: str, agent_id: str) -> Work | None:
        """The last work of a kind; None if there was none."""
        return self._works.get((kind, agent_id))

    def start(self, kind: str, agent_id: str, do: Callable[[Report], Any]) -> Work:
        """Start work; `Conflict` if work of its kind is running."""
        work = Work()
        with self._lock:
            before = self._works.get((kind, agent_id))
            if before is not None and before.is_running:
                raise Conflict(f"this is running already, for {before.seconds:.0f} seconds")
            self._works[kind, agent_id] = work

        def report(done: int, total: int | None) -> None:
            work.done, work.total = done, total

        def run() -> None:
            try:
                work.result = do(report)
            except AgentMemoryError as error:
                work.error = str(error)
            except Exception as error:  # the page shows it, and the terminal its traceback
                work.error = f"{type(error).__name__}: {error}"
                raise
            finally:
                work.ended = time.monotonic()
                work.is_running = False

        threading.Thread(target=run, name=f"console {kind} {agent_id}", daemon=True).start()
        return work
