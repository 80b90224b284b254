"""`trade_on_paper`: bars in, decisions and outcomes into the log, and the state on disk in between.

    bar ─▶ decide ─▶ state on disk, the report in it ─▶ log the report ─▶ next bar
                                                     └ after a crash: log it again, then go on

A decision is in the file before it is in the log, so that no bar is decided twice; logging the same again is stored
once, for ids follow from the bar. What the store does not take is an error, and lies in the file for the next start.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol

from trading_agents.paper.bars import PaperBar
from trading_agents.paper.decision_records import BarReport
from trading_agents.paper.state_file import StateFile
from trading_agents.paper.trader import PaperTrader


class DecisionSink(Protocol):
    """Where decisions go: a `DecisionLogger`, an `AgentMemoryClient`, or a `BufferedDecisionLogger` over either."""

    async def log_decision(self, decision_type: str, context: Any, reasoning: Any, **settings: Any) -> str:
        """Log one decision under its id."""
        ...

    async def log_outcome(self, decision_id: str, outcome: Any, success: bool, **settings: Any) -> None:
        """Add what came of one."""
        ...


async def trade_on_paper(
    trader: PaperTrader,
    bars: AsyncIterator[PaperBar],
    log: DecisionSink,
    file: StateFile | None = None,
    *,
    on_report: Callable[[PaperBar, BarReport], None] | None = None,
) -> int:
    """Trade bars as they come, until there are no more; returns how many were new.

    Bars that the trader has seen are passed over, so that a feed may begin again from its start.

    Args:
        trader: as it was loaded.
        bars: in order of time.
        log: where decisions and outcomes go.
        file: where the state is kept after each bar; none keeps nothing.
        on_report: is told each bar and what it brought, once that is logged.

    Raises:
        Unavailable: the store did not answer. Nothing is lost: trade again with the same trader, or from its file.
        InvalidInput, BarsError: an unusable bar. Conflict: the log holds other decisions for these bars.
        OSError: the file cannot be written; the bar is not logged either.
    """
    await _log(log, trader.last_report)
    count = 0
    async for bar in bars:
        if trader.last_time is not None and bar.time <= trader.last_time:
            continue
        report = trader.on_bar(bar)
        if file is not None:
            await asyncio.to_thread(file.save, trader)
        await _log(log, report)
        count += 1
        if on_report is not None:
            on_report(bar, report)
    return count


async def _log(log: DecisionSink, report: BarReport) -> None:
    """Everything that a bar brought, side by side but for two outcomes of one decision; the first failure is raised."""
    calls: list[Awaitable[Any]] = [log.log_outcome(**outcome) for outcome in report.outcomes]
    calls += [log.log_decision(**decision) for decision in report.decisions]
    for result in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
    for outcome in report.exits:
        await log.log_outcome(**outcome)
