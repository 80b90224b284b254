"""What trading memories hold, for the page of `agent-memory ui --trading-memory`."""

from pathlib import Path
from typing import Any

from trading_agents.tuning.contents import contents, recalled_decisions
from trading_agents.tuning.durations import duration_name
from trading_agents.tuning.half_lives import HalfLifeResult, tune
from trading_agents.tuning.memories import NamedMemory, memories_of
from trading_agents.tuning.record import record_of_memory


class MemoriesOfFile:
    """The memories of a file: `agent_memory.cli.console.extensions.TradingMemory`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def sections(self) -> list[dict[str, Any]]:
        """For each memory what the page shows of it. A paper trader may write the file at any time."""
        return [_section(one) for one in memories_of(self._path)]


def open_trading_memory(path: Path) -> MemoriesOfFile:
    """The memories of a saved store or of the state of a paper trader; `InvalidInput` if the file is neither."""
    memories_of(path)
    return MemoriesOfFile(path)


def _section(memory: NamedMemory) -> dict[str, Any]:
    tuning = tune(record_of_memory(memory))
    return {
        "name": memory.name,
        "items": len(memory.store),
        "kinds": [
            {
                "kind": one.kind,
                "items": one.items,
                "symbols": ", ".join(one.symbols),
                "oldest": one.oldest.isoformat(),
                "newest": one.newest.isoformat(),
                "importance": one.importance,
                "half_life": one.half_life,
                "left": one.left[2],
                "forgotten_after": one.forgotten_after,
            }
            for one in contents(memory.store)
        ],
        "recalled": [
            {
                "time": one.at.isoformat(),
                "symbol": one.symbol,
                "vote": one.signal,
                "confidence": one.confidence,
                "without_memory": one.without_memory,
                "recalled": "; ".join(one.recalled) or None,
                "profit": one.profit,
            }
            for one in recalled_decisions(memory.store)
        ],
        "verdict": tuning.verdict,
        "half_lives": [_half_life(one) for one in tuning.results] if tuning.trades else [],
    }


def _half_life(one: HalfLifeResult) -> dict[str, Any]:
    return {
        "half_life": duration_name(one.half_life),
        "remembered": one.remembered,
        "resized": one.resized,
        "change": one.change,
        "low": one.interval.low,
        "high": one.interval.high,
    }
