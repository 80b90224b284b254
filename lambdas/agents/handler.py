"""Lists the agents that a night works on."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from agent_memory.service.nightly import agents_of_the_night
from agent_memory.service.observability import logger


@logger.inject_lambda_context
def handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    """Date of the night, and an entry for each agent."""
    night = agents_of_the_night(event)
    logger.info("night", date=night["date"], agents=len(night["agents"]))
    return night
