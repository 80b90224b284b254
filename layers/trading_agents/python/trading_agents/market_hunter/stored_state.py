"""The market hunter's state in the table `agent_state`: loaded once, and saved by each cycle under its version.

A save is conditional on the version that was loaded or saved last. If another process of the same agent has saved in
between, it is refused, and the state is loaded again before the next cycle.
"""

from typing import Any

from agent_memory import Conflict, MemoryManager

State = dict[str, Any]

CHECKPOINTS_KEPT = 7
"""The names of checkpoints repeat after this many, so that the newest seven remain."""


class StoredState:
    """The agent's current state, with the version that the next save replaces."""

    def __init__(self, memory: MemoryManager) -> None:
        self._memory = memory
        self._version: int | None = None
        self._others: State = {}

    @property
    def is_loaded(self) -> bool:
        """Whether the version is known; not before the first load, nor after a save of which the result is unknown."""
        return self._version is not None

    async def load(self) -> State | None:
        """The state from the table, or None if there is none.

        Raises:
            Unavailable: the table did not respond.
        """
        found = await self._memory.load_state(fresh=True)
        self._version = found["version"] if found else 0
        self._others = dict(found["data"]) if found else {}
        return dict(self._others) if found else None

    async def save(self, state: State) -> None:
        """Save the state. Fields that it lacks stay as they were loaded, because something else stored them.

        Raises:
            Conflict: another process of this agent saved a state. Unavailable: the table did not respond, and the state
            may have been saved or not. In both cases load it again.
        """
        before, self._version = self._version, None
        data = {**self._others, **state}
        try:
            saved = await self._memory.save_state(data, expected_version=before)
        except Conflict as error:
            # A repeated request finds the version that its own first attempt has written.
            found = await self._memory.load_state(fresh=True)
            if found is None or found["data"] != data:
                message = "another process of this agent saved its state; run one process for each agent id"
                raise Conflict(f"{message} ({error})") from error
            saved = found
        self._version = saved["version"]

    async def checkpoint(self, number: int) -> None:
        """Copy the saved state to the checkpoint of a number; `CHECKPOINTS_KEPT` names are used in turn.

        Raises:
            Conflict, Unavailable: it was not copied.
        """
        await self._memory.create_checkpoint(f"auto-{number % CHECKPOINTS_KEPT + 1}")
