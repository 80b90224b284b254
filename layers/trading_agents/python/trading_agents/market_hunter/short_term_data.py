"""What a cycle of the market hunter writes to short-term memory: the six kinds of data, in one round trip."""

from collections.abc import Iterable
from typing import Any

from trading_agents.market_hunter.asking import Answers
from trading_agents.market_hunter.cycle_report import CycleReport, LogEntry
from trading_agents.market_hunter.reasoning import rounded
from trading_agents.market_hunter.selection import SourceScores
from trading_agents.market_hunter.sources import market_name

_PERFORMANCE_SECONDS = 900
_QUERY_SECONDS = 3_600


def latest_key(source: str) -> str:
    """The key of the latest result of a source."""
    return f"queries:{source}:latest"


def performance_key(market: str) -> str:
    """The key of the scores of all sources in a market."""
    return f"performance:{market_name(market)}"


def short_term_data(
    report: CycleReport,
    context: LogEntry,
    answers: Answers,
    scores: SourceScores,
    markets: Iterable[str],
    *,
    counted: Iterable[str],
) -> LogEntry:
    """Return the arguments of `write_cycle` for a cycle.

    Args:
        report: of the cycle, with its decisions and signals.
        context: the context of its decisions.
        answers: of its sources.
        scores: after the cycle.
        markets: names of the markets whose scores are written.
        counted: sources that were counted before they were queried.
    """
    values = {latest_key(one["source"]): {"data": one, "ttl_seconds": _QUERY_SECONDS} for one in answers.used_results}
    figures: dict[str, dict[str, Any]] = {}
    for market in sorted(markets):
        data = rounded(scores.of(market))
        values[performance_key(market)] = {"data": data, "ttl_seconds": _PERFORMANCE_SECONDS}
        for source, one in scores.details(market).items():
            figures.setdefault(source, {})[market_name(market)] = one.as_dict()
    signal_of = {one["reasoning"].get("source"): one["decision_id"] for one in report.decisions}
    return {
        "context": context,
        "queries": answers.results,
        "signals": [{**one, "decision_id": signal_of.get(one["source"])} for one in report.signals],
        "performance": figures,
        "decision_ids": report.decision_ids,
        "cycle_id": f"{report.cycle}/{report.at_ms}",
        "asked": [one for one in answers.queried if one not in counted],
        "values": values,
        "at": report.at_ms / 1000,
    }
