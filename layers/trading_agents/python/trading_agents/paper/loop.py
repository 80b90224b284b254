"""`trade_on_paper`: bars in, decisions and outcomes into the log, and the state on disk in between.

    bar ─▶ decide ─▶ state on disk, including the report ─▶ log the report ─▶ next bar
                                                         └ after a crash: log it again, then continue

A decision is in the file before it is in the log, so that no bar is decided twice. Logging it again changes nothing,
since ids are derived from the bar. If the store rejects or does not answer, the report stays in the file and the next
start logs it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol

from trading_agents.paper.bars import PaperBar
from trading_agents.paper.decision_records import BarReport
from trading_agents.paper.state_file import StateFile
from trading_agents.paper.trader import PaperTrader


class DecisionSink(Protocol):
    """Where decisions are logged: a `DecisionLogger`, an `AgentMemoryClient`, or a `BufferedDecisionLogger`."""

    async def log_decision(self, decision_type: str, context: Any, reasoning: Any, **settings: Any) -> str:
        """Log a decision under its id."""
        ...

    async def log_outcome(self, decision_id: str, outcome: Any, success: bool, **settings: Any) -> None:
        """Log the outcome of a decision."""
        ...


async def trade_on_paper(
    trader: PaperTrader,
    bars: AsyncIterator[PaperBar],
    log: DecisionSink,
    file: StateFile | None = None,
    *,
    on_report: Callable[[PaperBar, BarReport], None] | None = None,
) -> int:
    """Trade bars as they arrive until there are no more, and return how many were new.

    Bars that the trader has seen already are skipped, so that a feed can start again from its beginning.

    Args:
        trader: new, or loaded from a state file.
        bars: in order of time.
        log: where decisions and outcomes are logged.
        file: where the state is saved after each bar; None saves nothing.
        on_report: called with each bar and its report after the report was logged.

    Raises:
        Unavailable: the store did not respond. Nothing is lost: continue with the same trader, or from its file.
        InvalidInput, BarsError: a bar is invalid. Conflict: the log has other decisions for these bars.
        OSError: the file cannot be written; the bar was not logged either.
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
    """Log a report concurrently, except for two outcomes of one decision; the first failure is raised."""
    calls: list[Awaitable[Any]] = [log.log_outcome(**outcome) for outcome in report.outcomes]
    calls += [log.log_decision(**decision) for decision in report.decisions]
    for result in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
    for outcome in report.exits:
        await log.log_outcome(**outcome)
