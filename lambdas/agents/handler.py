"""Lists the agents that the nightly job processes."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from agent_memory.api.nightly import list_agents
from agent_memory.api.observability import logger


@logger.inject_lambda_context
def handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    """Return the run's date, the number of its agents and the key of their list."""
    run = list_agents(event)
    if "repeats" in run:
        logger.info("this start of the schedule was delivered twice; nothing to do", repeats=run["repeats"])
    else:
        logger.info("listed", date=run["date"], agents=run["agents"])
    return run
