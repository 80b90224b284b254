"""What success means for each decision of the Market Hunter. Nothing but the next bar judges.

- SIGNAL_GENERATION: the forecast came true. Large move: |log return| above the threshold; range expansion:
  log(high / low) above the threshold; direction: the return has the expected sign (an unchanged price has none).
  Its quality is 1 - (confidence - result) squared, with result 1 or 0 (one minus the Brier score).
- SOURCE_SELECTION: at least half of the answers of the selected sources, over all symbols, came true.
- QUERY: the source gave a clear answer, a rank at least a quarter away from the middle, for at least half of the
  symbols. Whether the answer was right is the selection's and the signal's business.
- LEARNING: the mean squared error of the updated estimates on what the next bar shows of all sources is smaller
  than that of the estimates before the update.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent_memory.models import DecisionType
from trading_agents.decisions import Record, outcome_of
from trading_agents.features import MarketRow
from trading_agents.reliability import mean_squared_error, observed_shares

CLEAR_DISTANCE = 0.25
_HALF = 0.5


def judge(decision: Mapping[str, Any], symbols: Sequence[str], row: MarketRow, next_row: MarketRow) -> Record:
    """The outcome of a decision that was made on `row`, by the rules of this module."""
    rule = _RULES[decision["decision_type"]]
    return rule(decision, symbols, row, next_row)


def _signal(decision: Mapping[str, Any], symbols: Sequence[str], _row: MarketRow, next_row: MarketRow) -> Record:
    reasoning = decision["reasoning"]
    number = symbols.index(decision["context"]["symbol"])
    happened = next_row.happened[reasoning["forecast"]][number]
    wanted = reasoning.get("expected", "up") == "up"
    came_true = happened is wanted
    realized = {"return": round(next_row.returns[number], 6), "range": round(next_row.ranges[number], 6)}
    quality = 1.0 - (reasoning["confidence"] - came_true) ** 2
    return outcome_of(decision, success=came_true, outcome=realized, quality=quality)


def _selection(decision: Mapping[str, Any], symbols: Sequence[str], _row: MarketRow, next_row: MarketRow) -> Record:
    selected = decision["reasoning"]["selected"]
    came_true = {name: sum(next_row.agreed[name]) for name in selected}
    share = sum(came_true.values()) / (len(selected) * len(symbols))
    outcome = {"answers": len(selected) * len(symbols), "came_true": came_true}
    return outcome_of(decision, success=share >= _HALF, outcome=outcome, quality=share)


def _query(decision: Mapping[str, Any], symbols: Sequence[str], row: MarketRow, _next_row: MarketRow) -> Record:
    ranks = row.ranks[decision["reasoning"]["source"]]
    clear = sum(abs(rank - _HALF) >= CLEAR_DISTANCE for rank in ranks)
    readings = {symbol: round(rank, 4) for symbol, rank in zip(symbols, ranks, strict=True)}
    outcome = {"readings": readings, "clear": clear}
    return outcome_of(decision, success=clear >= _HALF * len(symbols), outcome=outcome)


def _learning(decision: Mapping[str, Any], _symbols: Sequence[str], _row: MarketRow, next_row: MarketRow) -> Record:
    observed = observed_shares(next_row)
    before = mean_squared_error(decision["reasoning"]["before"], observed)
    after = mean_squared_error(decision["reasoning"]["after"], observed)
    outcome = {"error_before": round(before, 6), "error_after": round(after, 6)}
    return outcome_of(decision, success=after < before, outcome=outcome)


_RULES: dict[str, Callable[[Mapping[str, Any], Sequence[str], MarketRow, MarketRow], Record]] = {
    DecisionType.SIGNAL_GENERATION: _signal,
    DecisionType.SOURCE_SELECTION: _selection,
    DecisionType.QUERY: _query,
    DecisionType.LEARNING: _learning,
}
