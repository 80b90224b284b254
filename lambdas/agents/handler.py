"""Lists the agents that a night works on."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from agent_memory.api.nightly import list_agents
from agent_memory.api.observability import logger


@logger.inject_lambda_context
def handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    """Date of the night, number of its agents, and the key of their list."""
    night = list_agents(event)
    logger.info("night", date=night["date"], agents=night["agents"])
    return night
