"""TradingAgents: `AgentMemoryLog` in place of `graph.memory_log`, with lessons as they were known at the trade date.

It has the methods of TradingAgents' own log (0.3 and 0.4). Needs no extra.
"""

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from agent_memory.client.decision_logger import DecisionLogger
from agent_memory.core.clock import parse_date
from agent_memory.core.errors import Conflict, InvalidInput
from agent_memory.core.ids import decision_id_for

DECISION_TYPE = "TRADE_RATING"
_PAGE = 1000
_SATURDAY = 5
_RATINGS = ("Buy", "Overweight", "Hold", "Underweight", "Sell")
_ANY_RATING = "|".join(_RATINGS)
_LABELLED = re.compile(rf"(?:rating|proposal|decision)\W{{1,12}}({_ANY_RATING})\b", re.IGNORECASE)
_ANYWHERE = re.compile(rf"\b({_ANY_RATING})\b", re.IGNORECASE)
_logger = logging.getLogger(__name__)


class AgentMemoryLog:
    """The decisions of a TradingAgents graph, with outcomes and lessons: `graph.memory_log = AgentMemoryLog(log)`.

    A decision has one id for ticker and trade date. What came of it is its outcome at the end of the holding period,
    with the reflection as text: Buy and Overweight succeeded if it beat the benchmark, the others if it did not.

    Args:
        log: the decision log of the agent.
        today: the date; in a backtest, the trade date.
    """

    def __init__(self, log: DecisionLogger, *, today: Callable[[], date] = lambda: datetime.now(UTC).date()) -> None:
        self._log = log.sync
        self._today = today

    def store_decision(self, ticker: str, trade_date: str, final_trade_decision: str) -> None:
        """Log the decision of a trade date. The first one stays: another one is a warning in the program's log."""
        reasoning = {"rating": rating_of(final_trade_decision), "text": final_trade_decision}
        decision_id = _id_of(ticker, trade_date)
        try:
            self._log.log_decision(DECISION_TYPE, {"symbol": ticker}, reasoning, decision_id=decision_id)
        except Conflict:
            _logger.warning("%s already has another decision for %s, which stays", ticker, trade_date)

    def load_entries(self) -> list[dict[str, Any]]:
        """All decisions, oldest first, as entries of TradingAgents."""
        return [_entry(one) for one in self._decisions(None)]

    def get_pending_entries(self) -> list[dict[str, Any]]:
        """Decisions without an outcome, oldest first."""
        return [_entry(one) for one in self._decisions("pending")]

    def get_past_context(self, ticker: str, as_of: str | None = None, n_same: int = 5, n_cross: int = 3) -> str:
        """Lessons for a prompt: the newest of this ticker, then of others; empty without any.

        Only those whose holding period had ended before `as_of`, by default today, so that a backtest learns nothing
        from its own future.
        """
        day = self._today() if as_of is None else parse_date(as_of)
        known = [one for one in map(_entry, self._decisions(None)) if not one["pending"] and _is_known(one, day)]
        known.reverse()
        same = [one for one in known if one["ticker"] == ticker][:n_same]
        cross = [one for one in known if one["ticker"] != ticker][:n_cross]
        parts = [f"Past analyses of {ticker} (most recent first):", *map(_full_text, same)] if same else []
        parts += ["Recent lessons of other tickers:", *map(_lesson, cross)] if cross else []
        return "\n\n".join(parts)

    def update_with_outcome(  # noqa: PLR0917  TradingAgents' signature
        self,
        ticker: str,
        trade_date: str,
        raw_return: float,
        alpha_return: float,
        holding_days: int,
        reflection: str,
    ) -> None:
        """Log the outcome of a decision. The same one again changes nothing.

        Raises:
            InvalidInput: the holding period has not ended. NotFound: there is no decision for the date.
            Conflict: it has another outcome.
        """
        ended = _end_of(trade_date, holding_days)
        if ended >= self._today():
            raise InvalidInput("holding_days", f"the holding period ends on {ended}; its outcome is not known before")
        decision_id = _id_of(ticker, trade_date)
        rating = self._log.get_decision(decision_id)["reasoning"]["rating"]
        won = alpha_return > 0
        self._log.log_outcome(
            decision_id,
            {"reflection": reflection, "holding_days": holding_days, "known_on": ended.isoformat()},
            won if rating in {"Buy", "Overweight"} else not won,
            {"raw_return": raw_return, "alpha_return": alpha_return},
            horizon=f"{holding_days}d",
        )

    def batch_update_with_outcomes(self, updates: Sequence[Mapping[str, Any]]) -> None:
        """Log outcomes, each with the arguments of `update_with_outcome`; an error ends it, and it may be repeated.

        The graph calls it at the start of every run, with the prices there are: a decision whose holding period has not
        ended stays pending until a later run.
        """
        for update in updates:
            ended = _end_of(update["trade_date"], update["holding_days"])
            if ended >= self._today():
                ticker, day = update["ticker"], update["trade_date"]
                _logger.warning("%s of %s stays pending: its holding period ends on %s", ticker, day, ended)
            else:
                self.update_with_outcome(**update)

    def _decisions(self, success: Any) -> Iterator[Mapping[str, Any]]:
        cursor: str | None = None
        while True:
            page = self._log.page_decisions(
                DECISION_TYPE, success_filter=success, limit=_PAGE, newest_first=False, cursor=cursor
            )
            yield from page["decisions"]
            cursor = page["cursor"]
            if cursor is None:
                return


def rating_of(text: str) -> str:
    """The rating that a decision's text states: the first after a label, else the first word that is one, or Hold."""
    found = _LABELLED.search(text) or _ANYWHERE.search(text)
    return found[1].capitalize() if found else "Hold"


def _id_of(ticker: str, trade_date: str) -> str:
    return decision_id_for(DECISION_TYPE, f"{parse_date(trade_date)}T00:00:00Z", ticker)


def _end_of(trade_date: str, holding_days: int) -> date:
    """The last of so many trading days after a date; without holidays, so that it is the earliest one possible."""
    day, left = parse_date(trade_date), holding_days
    while left > 0:
        day += timedelta(days=1)
        left -= day.weekday() < _SATURDAY
    return day


def _entry(decision: Mapping[str, Any]) -> dict[str, Any]:
    outcome, metrics = decision["outcome"], decision["metrics"] or {}
    return {
        "date": decision["timestamp"][:10],
        "ticker": decision["context"]["symbol"],
        "rating": decision["reasoning"]["rating"],
        "pending": outcome is None,
        "raw": None if outcome is None else f"{metrics['raw_return']:+.1%}",
        "alpha": None if outcome is None else f"{metrics['alpha_return']:+.1%}",
        "holding": None if outcome is None else f"{outcome['holding_days']}d",
        "decision": decision["reasoning"]["text"],
        "reflection": "" if outcome is None else outcome["reflection"],
        "known_on": None if outcome is None else outcome["known_on"],
    }


def _is_known(entry: Mapping[str, Any], day: date) -> bool:
    return parse_date(entry["known_on"]) < day


def _tag(entry: Mapping[str, Any]) -> str:
    return f"[{entry['date']} | {entry['ticker']} | {entry['rating']} | {entry['raw']} | {entry['alpha']} alpha]"


def _full_text(entry: Mapping[str, Any]) -> str:
    return f"{_tag(entry)}\nDecision: {entry['decision']}\nReflection: {entry['reflection']}"


def _lesson(entry: Mapping[str, Any]) -> str:
    return f"{_tag(entry)}\nReflection: {entry['reflection']}"
