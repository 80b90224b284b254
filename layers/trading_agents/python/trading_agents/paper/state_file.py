"""`StateFile`: a trader's state on disk, whole after any crash, for one process at a time."""

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
    """Keeps a trader in a file: a line with a checksum, then the state as JSON. Use it as a context manager.

    Args:
        path: of the file; its folder exists.

    Raises:
        InvalidInput: there is no such folder. Conflict: another process trades with this file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.absolute().parent.is_dir():
            raise InvalidInput("state", f"there is no folder {path.parent}")
        self._lock = _held(path.with_name(f"{path.name}.lock"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._lock)

    def load(self, agent_id: str, settings: PaperSettings) -> PaperTrader:
        """The trader of the file, or a new one where there is no file yet.

        Raises:
            InvalidInput: the file is damaged, or was begun with another agent or other settings. OSError: it cannot be
                read.
        """
        if not self.path.exists():
            return PaperTrader(agent_id, settings)
        trader = PaperTrader.from_state(self._read())
        if trader.agent_id != agent_id:
            raise InvalidInput("agent", f"{self.path} was begun by {trader.agent_id}; take another file for {agent_id}")
        begun, given = trader.settings.to_state(), settings.to_state()
        for name, value in given.items():
            if begun[name] != value:
                raise InvalidInput(name, f"{self.path} was begun with {begun[name]!r}, not {value!r}; it stays so")
        return trader

    def save(self, trader: PaperTrader) -> None:
        """Write the trader; a crash at any moment leaves this state or the one before. `OSError` where that fails."""
        body = json.dumps(trader.to_state(), allow_nan=False, separators=(",", ":")).encode()
        write_verified(self.path, _FORMAT, body)

    def _read(self) -> dict[str, object]:
        _, body = read_verified(self.path, _FORMAT, field="state", description="the state of a paper trader")
        state: dict[str, object] = json.loads(body)
        return state


def _held(path: Path) -> int:
    """A lock that the end of the process lets go, however it ends."""
    import fcntl  # noqa: PLC0415  not on every platform

    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise Conflict(f"another process trades with {path.with_suffix('')}; give each a --state of its own") from error
    return handle
