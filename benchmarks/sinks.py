"""Sinks that the buffered logger writes to in these benchmarks."""

from collections.abc import Mapping, Sequence
from typing import Any

from agent_memory import DecisionLogger
from agent_memory.storage.factory import open_stores
from benchmarks.instant_dynamodb import instant_session


class AcceptsAll:
    """A store that accepts everything immediately and keeps nothing."""

    agent_id = "market-hunter"

    async def log_decisions(self, decisions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Report all as created."""
        return [{"status": "created"} for _ in decisions]

    async def log_outcomes(self, outcomes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Report all as recorded."""
        return [{"status": "recorded"} for _ in outcomes]


def direct_logger(*, parameter_validation: bool = False) -> DecisionLogger:
    """A logger on a DynamoDB that answers immediately; as in the product, botocore does not validate parameters."""
    client = instant_session(parameter_validation=parameter_validation).client("dynamodb")
    return DecisionLogger("market-hunter", stores=open_stores(dynamodb_client=client))
