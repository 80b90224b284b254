"""What the buffered logger writes to in these measurements."""

from collections.abc import Mapping, Sequence
from typing import Any

from agent_memory import DecisionLogger
from agent_memory.storage.factory import open_stores
from benchmarks.endpoint import instant_session


class AcceptsAll:
    """A store that takes everything at once and forgets it."""

    agent_id = "market-hunter"

    async def log_decisions(self, drafts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """All created."""
        return [{"status": "created"} for _ in drafts]

    async def log_outcomes(self, reports: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """All recorded."""
        return [{"status": "recorded"} for _ in reports]


def direct_logger(*, parameter_validation: bool = False) -> DecisionLogger:
    """A logger on a DynamoDB that answers at once; as for the product's own clients, botocore checks nothing."""
    client = instant_session(parameter_validation=parameter_validation).client("dynamodb")
    return DecisionLogger("market-hunter", stores=open_stores(dynamodb_client=client))
