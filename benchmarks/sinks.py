"""What the buffered logger writes to in these measurements."""

from collections.abc import Mapping, Sequence
from typing import Any

from agent_memory import DecisionLogger
from agent_memory.decision_log import ItemResult
from agent_memory.stores.connections import open_stores
from benchmarks.endpoint import instant_session

EXAMPLE: Mapping[str, Any] = {
    "decision_type": "SOURCE_SELECTION",
    "context": {
        "market": {"volatility": "high", "trend": "bullish"},
        "cycle": 142,
        "trading_hours": "american",
    },
    "reasoning": {
        "scores": {"whaleMovements": 0.92, "derivatives": 0.87},
        "selected": ["whaleMovements", "derivatives", "institutional"],
        "exploration_triggered": False,
    },
    "metadata": {"version": "1.0", "experiment_id": None},
}


class AcceptsAll:
    """A store that takes everything at once and forgets it."""

    agent_id = "market-hunter"

    async def log_decisions(self, drafts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """All created."""
        return [{"status": "created"} for _ in drafts]

    async def log_outcomes(self, reports: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """All recorded."""
        return [{"status": "recorded"} for _ in reports]


class Answering(DecisionLogger):
    """A `DecisionLogger` whose batches answer in dicts."""

    async def log_decisions(self, drafts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:  # type: ignore[override]
        """See `DecisionLogger.log_decisions`."""
        return [_told(result) for result in await super().log_decisions(drafts)]

    async def log_outcomes(self, reports: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:  # type: ignore[override]
        """See `DecisionLogger.log_outcomes`."""
        return [_told(result) for result in await super().log_outcomes(reports)]


def _told(result: ItemResult) -> dict[str, Any]:
    error = result.error and {"code": type(result.error).__name__, "message": str(result.error)}
    return {"decision_id": result.decision_id, "status": result.status or "invalid", "error": error}


def direct_logger(**config: Any) -> Answering:
    """A logger on a DynamoDB that answers at once; `config` is botocore's."""
    client = instant_session(**config).client("dynamodb")
    return Answering("market-hunter", stores=open_stores(dynamodb_client=client))
