"""`StateFile`: the state of a trader on disk, complete after any crash, for one process at a time."""

import json
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from agent_memory import Conflict, InvalidInput
from trading_agents.core.files import read_verified, write_verified
from trading_agents.paper.settings import PaperSettings
from trading_agents.paper.trader import PaperTrader

_FORMAT = "paper-trader/1"


class StateFile:
    """Saves a trader in a verified file (see `core.files`). Use it as a context manager.

    Args:
        path: of the file, in an existing folder.

    Raises:
        InvalidInput: the folder does not exist. Conflict: another process uses this file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.absolute().parent.is_dir():
            raise InvalidInput("state", f"the folder {path.parent} does not exist")
        self._lock_handle = _lock(path.with_name(f"{path.name}.lock"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._lock_handle)

    def load(self, agent_id: str, settings: PaperSettings) -> PaperTrader:
        """Return the trader of the file, or a new one if the file does not exist.

        Raises:
            InvalidInput: the file is damaged, or belongs to another agent or other settings. OSError: it cannot be
                read.
        """
        if not self.path.exists():
            return PaperTrader(agent_id, settings)
        trader = PaperTrader.from_state(self._read())
        if trader.agent_id != agent_id:
            raise InvalidInput("agent", f"{self.path} belongs to {trader.agent_id}; use another --state for {agent_id}")
        stored = trader.settings.to_state()
        for name, value in settings.to_state().items():
            if stored[name] != value:
                raise InvalidInput(
                    name,
                    f"{self.path} was started with {stored[name]!r}, not {value!r}; use another --state to change it",
                )
        return trader

    def save(self, trader: PaperTrader) -> None:
        """Write the trader; a crash at any time leaves this state or the previous one. `OSError` if it fails."""
        body = json.dumps(trader.to_state(), allow_nan=False, separators=(",", ":")).encode()
        write_verified(self.path, _FORMAT, body)

    def _read(self) -> dict[str, object]:
        _, body = read_verified(self.path, _FORMAT, field="state", description="the state of a paper trader")
        state: dict[str, object] = json.loads(body)
        return state


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
