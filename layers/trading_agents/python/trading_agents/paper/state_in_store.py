"""`StateInStore`: the state of a trader in the agent's own state, so that any machine can continue.

The field `paper_trader` of the agent's current state (table `agent_state`, or the same in a file or over HTTP) has the
snapshot as JSON, compressed with zlib, in Base64, with its SHA-256; other fields stay as they are. Every save expects
the version that was read or written last: of two processes that trade as one agent, the second to save fails.
"""

import base64
import hashlib
import json
import zlib
from typing import Any, Protocol

from agent_memory import Conflict, InvalidInput
from trading_agents.core.snapshots import Snapshot
from trading_agents.paper.trader_state import FORMAT, TraderState

FIELD = "paper_trader"


class StateMemory(Protocol):
    """What keeps the state of an agent: `MemoryManager(...).sync` or `AgentMemoryClient(...).sync`."""

    def load_state(self, *, fresh: bool = False) -> dict[str, Any] | None:
        """Return the current state with its version."""
        ...

    def save_state(self, state: dict[str, Any], *, expected_version: int | None = None) -> dict[str, Any]:
        """Save the current state if it has the expected version."""
        ...


class StateInStore(TraderState):
    """Saves a trader in its agent's state.

    Args:
        memory: of the agent.
        agent_id: for messages.
    """

    def __init__(self, memory: StateMemory, agent_id: str) -> None:
        self._memory = memory
        self.place, self.another = f"the state of {agent_id}", "use another --agent"
        self._version = 0
        self._others: dict[str, Any] = {}

    def _read(self) -> Snapshot | None:
        current = self._memory.load_state(fresh=True)
        self._version = 0 if current is None else current["version"]
        self._others = {} if current is None else dict(current["data"])
        stored = self._others.pop(FIELD, None)
        return None if stored is None else self._parsed(stored)

    def _parsed(self, stored: Any) -> Snapshot:
        if not isinstance(stored, dict) or stored.get("format") != FORMAT:
            raise InvalidInput("state", f"{self.place} has no {FIELD} of format {FORMAT}")
        try:
            body = zlib.decompress(base64.b64decode(stored["body"], validate=True))
            is_whole = hashlib.sha256(body).hexdigest() == stored["sha256"]
        except (KeyError, TypeError, ValueError, zlib.error):
            is_whole = False
        if not is_whole:
            raise InvalidInput("state", f"{FIELD} in {self.place} is damaged: its checksum does not match")
        state: Snapshot = json.loads(body)
        return state

    def _write(self, state: Snapshot) -> None:
        body = json.dumps(state, allow_nan=False, separators=(",", ":"), default=float).encode()
        stored = {
            "format": FORMAT,
            "sha256": hashlib.sha256(body).hexdigest(),
            "body": base64.b64encode(zlib.compress(body)).decode("ascii"),
        }
        try:
            saved = self._memory.save_state({**self._others, FIELD: stored}, expected_version=self._version)
        except Conflict as error:
            raise Conflict(f"another process changed {self.place}; use another --agent for each ({error})") from error
        self._version = saved["version"]
