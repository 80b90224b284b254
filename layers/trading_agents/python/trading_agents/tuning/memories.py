"""The trading memories of a file: a saved `TradingMemoryStore`, or the state of a paper trader."""

from dataclasses import dataclass
from pathlib import Path

from agent_memory import InvalidInput
from trading_agents.memory import TradingMemoryItem, TradingMemoryStore
from trading_agents.paper.state_file import memories_in_state

FIELD = "memory"


@dataclass(frozen=True, slots=True, eq=False)
class NamedMemory:
    """A memory and whose it is; the name is empty for a saved store. Its clock stands at its newest item."""

    name: str
    store: TradingMemoryStore


def memories_of(path: Path) -> list[NamedMemory]:
    """Return the memories of a file, with their clocks at the newest item of all.

    Raises:
        InvalidInput: the file is neither a saved store nor the state of a paper trader, or is damaged. OSError: it
            cannot be read.
    """
    try:
        found = {"": TradingMemoryStore.load(path)}
    except InvalidInput as error:
        try:
            found = memories_in_state(path)
        except InvalidInput:
            raise InvalidInput(
                FIELD, f"{path} is neither a saved TradingMemoryStore nor the state of `agent-memory paper`"
            ) from error
    newest = max((item.timestamp for store in found.values() for item in store.all_items()), default=0.0)
    for store in found.values():
        store.clock = lambda: newest
    return [NamedMemory(name, store) for name, store in found.items()]


def outcomes(store: TradingMemoryStore) -> list[TradingMemoryItem]:
    """Return the outcomes of trades that a memory holds, oldest first; those of a symbol have a `pnl`."""
    found = [item for item in store.all_items() if item.kind == "outcome" and "pnl" in item.metadata]
    return sorted(found, key=lambda item: item.timestamp)
