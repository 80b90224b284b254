"""Trading memories: what they hold, how it fades, what was recalled, and what other half-lives would have done."""

from typing import Any

from agent_memory.cli.console.view import Page, Table, Visit, columns
from agent_memory.client.executor import in_thread
from agent_memory.core.errors import InvalidInput

_KINDS = columns(
    """
    kind             line     Kind
    items            number   Items
    symbols          short    Symbols
    oldest           day      Oldest
    newest           day      Newest
    importance       decimal  Importance now
    half_life        line     Half-life
    left             fading   30 days
    forgotten_after  line     Forgotten after
    """
)
_RECALLED = columns(
    """
    time            time     Time
    symbol          text     Symbol
    vote            text     Vote
    confidence      percent  Confidence
    without_memory  percent  Without memory
    recalled        short    Recalled
    profit          decimal  Profit
    """
)
_HALF_LIVES = columns(
    """
    half_life   line     Half-life
    remembered  decimal  Outcomes remembered, of 10
    resized     percent  Trades resized
    change      percent  Change of the mean result, in typical ones
    low         percent  At least
    high        percent  At most
    """
)


async def trading_page(visit: Visit) -> Page:
    """The page, whose part are the memories: another half-life is tried on each trade."""
    _memory(visit)
    return Page("trading.html.j2", "Trading memory")


async def trading_part(visit: Visit) -> Page:
    """The memories of the file."""
    sections = await in_thread(_memory(visit).sections)
    tables = [
        table
        for number, one in enumerate(sections)
        for table in (
            Table(f"kinds-{number}", _KINDS, one["kinds"], empty="It holds nothing."),
            Table(f"recalled-{number}", _RECALLED, one["recalled"], empty="No vote for a direction is remembered."),
            Table(f"half-lives-{number}", _HALF_LIVES, one["half_lives"], empty="There are too few trades."),
        )
    ]
    return Page("trading_part.html.j2", "Trading memory", {"memories": sections}, tables)


def _memory(visit: Visit) -> Any:
    if visit.source.trading_memory is None:
        raise InvalidInput("--trading-memory", "name a saved TradingMemoryStore, or the state of a paper trader")
    return visit.source.trading_memory
