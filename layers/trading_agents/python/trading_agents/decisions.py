"""How the Market Hunter writes down a decision and an outcome."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from agent_memory.ids import decision_id_for
from trading_agents.features import MarketRow

AGENT_ID = "market-hunter"

TradingHours = Literal["asian", "european", "american"]

Record = dict[str, Any]
"""A JSON object as the decision log takes it."""

_METADATA = {"version": "1.0", "experiment_id": None}
_EUROPE_OPENS, _AMERICA_OPENS, _AMERICA_CLOSES = 7, 13, 22


def trading_hours(at: datetime) -> TradingHours:
    """The session of a moment by its UTC hour: European from 7, American from 13, Asian from 22."""
    hour = at.astimezone(UTC).hour
    if _EUROPE_OPENS <= hour < _AMERICA_OPENS:
        return "european"
    return "american" if _AMERICA_OPENS <= hour < _AMERICA_CLOSES else "asian"


@dataclass(slots=True)
class CycleWriter:
    """Gives the decisions of one cycle their ids, times and common context.

    Ids follow from type, time and name, so that the same cycle decided again is the same decisions.
    Decisions lie a millisecond apart: the order of times is the order in which they were made.
    """

    agent_id: str
    cycle: int
    at: datetime
    row: MarketRow
    written: int = 0

    def decision(self, decision_type: str, name: str, reasoning: Record, **context: str) -> Record:
        """The next decision of the cycle. `name` tells it from others of its type in this cycle."""
        moment = self.at + timedelta(milliseconds=self.written)
        self.written += 1
        return {
            "decision_id": decision_id_for(decision_type, moment, f"{self.agent_id}/{self.cycle}/{name}"),
            "decision_type": decision_type,
            "timestamp": moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "context": {
                "market": {"volatility": self.row.volatility, "trend": self.row.trend},
                "trading_hours": trading_hours(self.at),
                "cycle": self.cycle,
                **context,
            },
            "reasoning": reasoning,
            "metadata": dict(_METADATA),
        }


def outcome_of(decision: Mapping[str, Any], *, success: bool, outcome: Record, quality: float | None = None) -> Record:
    """What came of a decision. `quality` lies between 0 and 1 and is given where the forecast was graded."""
    graded = {} if quality is None else {"quality_score": round(quality, 4)}
    return {
        "decision_id": decision["decision_id"],
        "outcome": outcome,
        "success": success,
        "metrics": graded,
    }
