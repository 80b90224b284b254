"""The agent's state: current, checkpoints, and configurations."""

import asyncio
from typing import Any

from agent_memory.core.json_values import Document
from agent_memory.memory.agent_state import AgentStates


class StateFace:
    """The state of one agent."""

    states: AgentStates

    async def save_state(self, state: Document, *, expected_version: int | None = None) -> dict[str, Any]:
        """Make this the agent's current state; returns `data`, `version` and `updated_at`.

        With `expected_version` (0: none yet) only in place of that version. A change of `state["configuration"]` is
        kept in the history of configurations.

        Raises:
            InvalidInput: names the field. Conflict: another version is the current one.
            Unavailable: the table did not answer.
        """
        return (await asyncio.to_thread(self.states.save, state, expected_version=expected_version)).as_dict()

    async def load_state(self, *, fresh: bool = False) -> dict[str, Any] | None:
        """The agent's current state: `data`, `version` and `updated_at`; None where none was saved.

        It comes from short-term memory where that has it, which is as new as the table but for one case: a writer that
        lost the cache while saving leaves the version before it there, for five minutes at most. `fresh` reads the
        table; so does every save, whose `expected_version` is compared with nothing else.

        Raises:
            Unavailable: neither of the two answered.
        """
        state = await asyncio.to_thread(self.states.current, fresh=fresh)
        return state.as_dict() if state else None

    async def create_checkpoint(self, name: str) -> dict[str, Any]:
        """Keep the current state under a name, in place of an earlier checkpoint of that name.

        Raises:
            InvalidInput: an unusable name. NotFound: there is no current state. Conflict: another writer came first.
        """
        return (await asyncio.to_thread(self.states.checkpoint, name)).as_dict()

    async def list_checkpoints(self) -> list[dict[str, Any]]:
        """`name`, `version` and `saved_at` of every checkpoint, in order of their names."""
        return await asyncio.to_thread(self.states.checkpoints)

    async def restore_checkpoint(self, name: str, *, expected_version: int | None = None) -> dict[str, Any]:
        """Make a checkpoint the current state again, as its next version.

        Raises:
            InvalidInput: an unusable name. NotFound: no such checkpoint. Conflict: another version is the current one.
        """
        return (await asyncio.to_thread(self.states.restore, name, expected_version=expected_version)).as_dict()

    async def list_configurations(self) -> list[dict[str, Any]]:
        """Every configuration the agent had, oldest first: `configuration`, `state_version` and `since`."""
        return await asyncio.to_thread(self.states.configurations)
