"""What other packages show in the console: prices around a decision, and trading memories.

A package registers a function that opens a file, as an entry point of the group `agent_memory.console`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol

from agent_memory.core.errors import InvalidInput
from agent_memory.core.extras import MissingExtra

GROUP = "agent_memory.console"
PRICES, TRADING_MEMORY = "prices", "trading_memory"


class Prices(Protocol):
    """Prices of instruments; the function that opens them is the entry point `prices`."""

    @property
    def name(self) -> str:
        """Where they are from, for people."""
        ...

    def around(self, symbol: str | None, at: datetime, until: datetime | None) -> Sequence[Mapping[str, Any]]:
        """The bars before and after a time, oldest first, each with `time` (ISO), `open`, `high`, `low` and `close`.

        Those that begin at `until` or later are left out. Empty if there are none of the symbol or of that time.
        """
        ...


class TradingMemory(Protocol):
    """Trading memories in a file; the function that opens them is the entry point `trading_memory`."""

    def sections(self) -> Sequence[Mapping[str, Any]]:
        """For each memory what the page about trading memories shows of it, read anew.

        `name`, `items` and `verdict`; `kinds`, `recalled` and `half_lives`, each a list of rows.
        """
        ...


def opened(name: str, path: Path, option: str) -> Any:
    """What a package opens a file as.

    Raises:
        InvalidInput: names the option: no installed package reads such files, or the file cannot be used.
    """
    for point in entry_points(group=GROUP, name=name):
        try:
            return point.load()(path)
        except MissingExtra as error:
            raise InvalidInput(option, str(error)) from error
        except InvalidInput as error:
            raise InvalidInput(option, error.message) from error
    raise InvalidInput(option, f"no installed package reads this: it would be the entry point {name} of {GROUP}")
