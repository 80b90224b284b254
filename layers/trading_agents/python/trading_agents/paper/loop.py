"""`trade_on_paper`: bars in, decisions and outcomes into the log, and the state on disk in between.

    bar is over? ─▶ decide ─▶ earlier state and bar on disk ─▶ log the decisions ─▶ next bar
                                                            ├ after a crash: decide and log them again, then continue
                                                            └ rejected: the earlier state on disk, without the bar

A bar is in the file before its decisions are in the log, so that no bar is decided twice. Logging again changes
nothing, since ids are derived from the bar. If the store does not answer, the bar stays in the file and the next start
logs it. If the store rejects all of it, the file forgets the bar: it has only what the store took.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol

from agent_memory import Conflict, Forbidden, InvalidInput
from trading_agents.core.snapshots import Snapshot
from trading_agents.paper.bars import PaperBar
from trading_agents.paper.decision_records import BarReport
from trading_agents.paper.trader import PaperTrader
from trading_agents.paper.trader_state import TraderState

_REJECTIONS = (InvalidInput, Conflict, Forbidden)


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
    file: TraderState | None = None,
    *,
    on_report: Callable[[PaperBar, BarReport], None] | None = None,
    clock: Callable[[], float] = time.time,
) -> int:
    """Trade bars as they arrive until there are no more, and return how many were new.

    Bars that the trader has seen already are skipped, so that a feed can start again from its beginning.

    Args:
        trader: new, or loaded from a state file.
        bars: in order of time.
        log: where decisions and outcomes are logged.
        file: where the state is saved after each bar, a `StateFile` or a `StateInStore`; None saves nothing.
        on_report: called with each bar and its report after the report was logged.
        clock: returns the time in seconds since the epoch.

    Raises:
        Unavailable: the store did not respond. Nothing is lost: continue with the same trader, or from its file.
        InvalidInput, BarsError: a bar is invalid or not over; it is neither saved nor logged. Conflict: the log has
            other decisions for these bars.
        OSError: the file cannot be written; the bar was not logged either. The same holds if a `StateInStore` raises
            Unavailable, or Conflict because another process saved.
    """
    _, failure = await _log(log, trader.last_report)
    if failure is not None:
        raise failure
    count = 0
    async for bar in bars:
        if trader.last_time is not None and bar.time <= trader.last_time:
            continue
        _check_over(bar, trader.settings.bar_seconds, clock())
        before = trader.to_state() if file is not None or trader.settings.advice else {}
        report = await _decide(trader, bar, before)
        if file is not None:
            await asyncio.to_thread(file.save_state, before, bar, trader.advice)
        taken, failure = await _log(log, report)
        if failure is not None:
            if file is not None and not taken and isinstance(failure, _REJECTIONS):
                await asyncio.to_thread(file.save_state, before)
            raise failure
        count += 1
        if on_report is not None:
            on_report(bar, report)
    return count


async def _decide(trader: PaperTrader, bar: PaperBar, before: Snapshot) -> BarReport:
    """Let the trader decide; if its adviser fails, it is as before the bar. Advice is asked in another thread."""
    if not trader.settings.advice:
        return trader.on_bar(bar)
    try:
        return await asyncio.to_thread(trader.on_bar, bar)
    except Exception:  # whatever it is, it is raised again; only the half-made decision is taken back
        trader.restore(before)
        raise


def _check_over(bar: PaperBar, bar_seconds: float, now: float) -> None:
    """Refuse a bar that is not over."""
    if bar.time.timestamp() + bar_seconds > now:
        raise InvalidInput("time", f"the bar of {bar.time} is not over: it lasts {bar_seconds:g} s; pass it when it is")


async def _log(log: DecisionSink, report: BarReport) -> tuple[int, BaseException | None]:
    """Log a report concurrently, except for two outcomes of one decision.

    Returns how many records the store took, and the first failure.
    """
    calls: list[Awaitable[Any]] = [log.log_outcome(**outcome) for outcome in report.outcomes]
    calls += [log.log_decision(**decision) for decision in report.decisions]
    results = await asyncio.gather(*calls, return_exceptions=True)
    failures = [result for result in results if isinstance(result, BaseException)]
    if not failures:
        for outcome in report.exits:
            await log.log_outcome(**outcome)
    return len(results) - len(failures), failures[0] if failures else None
