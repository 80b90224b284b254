"""`StateFile`: the state of a trader on disk, complete after any crash, for one process at a time."""

import json
import os
from pathlib import Path

from agent_memory import Conflict, InvalidInput
from trading_agents.core.files import read_verified, write_verified
from trading_agents.core.snapshots import Snapshot
from trading_agents.memory import TradingMemoryStore
from trading_agents.paper.trader_state import FORMAT, TraderState


class StateFile(TraderState):
    """Saves a trader in a verified file (see `core.files`). Use it as a context manager.

    Args:
        path: of the file, in an existing folder.

    Raises:
        InvalidInput: the folder does not exist. Conflict: another process uses this file.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.place, self.another = path, str(path), "use another --state"
        if not path.absolute().parent.is_dir():
            raise InvalidInput("state", f"the folder {path.parent} does not exist")
        self._lock_handle = _lock(path.with_name(f"{path.name}.lock"))

    def close(self) -> None:
        """Release the lock of the file."""
        os.close(self._lock_handle)

    def _read(self) -> Snapshot | None:
        if not self.path.exists():
            return None
        _, body = read_verified(self.path, FORMAT, field="state", description="the state of a paper trader")
        state: Snapshot = json.loads(body)
        return state

    def _write(self, state: Snapshot) -> None:
        body = json.dumps(state, allow_nan=False, separators=(",", ":"), default=float).encode()
        write_verified(self.path, FORMAT, body)


def memories_in_state(path: Path) -> dict[str, TradingMemoryStore]:
    """Return the memories in the state of a trader by name: of each agent, and `account` of the composed signal.

    Raises:
        InvalidInput: the file is not such a state, or is damaged. OSError: it cannot be read.
    """
    _, body = read_verified(path, FORMAT, field="memory", description="the state of a paper trader")
    state = json.loads(body)
    stored = {**state["panel"]["memories"], "account": state["portfolio"]["memory"]}
    return {name: TradingMemoryStore.from_state(one) for name, one in stored.items()}


def _lock(path: Path) -> int:
    """Lock a file; the lock ends with the process, however it ends."""
    import fcntl  # noqa: PLC0415  not on every platform

    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise Conflict(f"another process uses {path.with_suffix('')}; use another --state for each") from error
    return handle
