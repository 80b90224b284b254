"""What the decisions of the market hunter say of themselves: why these sources, how they are queried, why a signal."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from trading_agents.market_hunter.agent import MIN_SIGNAL
from trading_agents.market_hunter.selection import Selection, SourceScore
from trading_agents.market_hunter.sources import DIRECTION

Reasoning = dict[str, Any]
Scores = Mapping[str, float]

FALLBACK = "next_best"
"""A source that does not answer is replaced by the next one in the order of priority."""


def selection_reasoning(
    selected: Sequence[str],
    scores: Scores,
    details: Mapping[str, SourceScore],
    breakdown: Mapping[str, Scores],
    choice: Selection | None,
    *,
    patterns_influenced: bool,
) -> Reasoning:
    """Why these sources: their scores, from how many judgements, what else moved a score, and the chances.

    `score_breakdown` has the sources whose score is not simply what was learned: the score before, under `learned` or
    `recent_performance`, and the success rate of each pattern that moved it, by the pattern's id, or the rate that the
    nightly estimates expect instead, under `estimated`.
    """
    reasoning: Reasoning = {
        "scores": rounded(scores),
        "judged": {source: one.judged for source, one in details.items()},
        "selected": list(selected),
        "patterns_influenced": patterns_influenced,
    }
    if breakdown:
        reasoning["score_breakdown"] = {source: rounded(parts) for source, parts in breakdown.items()}
    if choice is not None:
        # Rounded, so that a decision fits into one write unit; the field `joint_propensity` is exact.
        reasoning["propensities"] = {source: round(one, 6) for source, one in choice.propensities.items()}
        reasoning["exploration_triggered"] = choice.explored
        reasoning["strategy"] = strategy_of(choice)
    return reasoning


def query_reasoning(
    sources: Sequence[str], order: Sequence[str], parameters: Reasoning, limits: Mapping[str, int]
) -> Reasoning:
    """How the sources are queried: the parameters, the priority of each (1 is queried first), and the fallback."""
    return {
        "sources": list(sources),
        "parameters": {**parameters, **({"limits": dict(limits)} if limits else {})},
        "priority": {source: rank for rank, source in enumerate(order, start=1)},
        "fallback": FALLBACK,
    }


def signal_reasoning(
    source: str,
    reading: float,
    says: Reasoning,
    score: SourceScore,
    choice: Selection | None,
    *,
    targets: Sequence[str] | None,
) -> Reasoning:
    """Why a signal: the reading and its threshold, the confidence with what it is based on, who is to do what.

    `confidence` is the score of the source in this context, after `judged` judgements of which `right` were right. A
    `fallback` replaces a chosen source that did not answer.

    Args:
        source: name of the source.
        reading: -1 to 1.
        says: what the reading forecasts, see `sources.forecast`.
        score: of the source in this context.
        choice: the selection of the cycle.
        targets: ids of the agents that are to act on it; None if the source was not used.
    """
    is_chosen = choice is not None and source in choice.selected
    is_acted_on = targets is not None and abs(reading) >= MIN_SIGNAL
    return {
        "source": source,
        "question": says.get("forecast", DIRECTION),
        "reading": round(reading, 4),
        "threshold": MIN_SIGNAL,
        **says,
        "confidence": round(score.score, 4),
        "confidence_from": {"judged": score.judged, "right": int(score.right)},
        "chosen": is_chosen,
        **({"fallback": True} if targets is not None and not is_chosen else {}),
        "propensity": choice.propensities.get(source) if choice else None,
        "targets": [{"agent": one, "action": action_of(says)} for one in targets or ()] if is_acted_on else [],
    }


def action_of(says: Mapping[str, Any]) -> str:
    """What a forecast asks for: `buy`, `sell`, `expect large_move` or `expect no large_move`."""
    if "direction" in says:
        return "buy" if says["direction"] == "long" else "sell"
    return f"expect {says['forecast']}" if says["expected"] else f"expect no {says['forecast']}"


def strategy_of(choice: Selection) -> str:
    """Return `exploration` or `exploitation`."""
    return "exploration" if choice.explored else "exploitation"


def squared_error(scores: Scores, judgements: Mapping[str, bool]) -> float:
    """Return the Brier score, the mean of (score - was right)² over the judged sources; 0 if none was judged.

    The sum is exact, so that it is the same in whatever order a store returns the judgements.
    """
    errors = [(scores[source] - was_right) ** 2 for source, was_right in judgements.items()]
    return math.fsum(errors) / max(len(errors), 1)


def rounded(scores: Scores) -> dict[str, float]:
    """Round scores for the log: smaller decisions cost less."""
    return {source: round(score, 4) for source, score in scores.items()}
