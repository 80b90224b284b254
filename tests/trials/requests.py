"""Requests that the OpenAPI document allows, and those that it does not: the routes must answer as it says."""

from agent_memory.api import observability
from tests import wire
from tests.trials.results import timed


def send_requests(*, cases):
    """Send about so many random requests; `lost` counts server errors, `doubled` other disagreements."""
    description = "random requests, valid and invalid, are answered as the OpenAPI document says"
    observability.logger.setLevel("ERROR")  # a line for each request would hide the results
    with timed("requests", description) as result:
        counts = wire.run(cases)
        result.tried = counts["cases"]
        result.lost, result.doubled = counts["server_errors"], counts["disagreements"]
        result.survived = result.tried - result.lost - result.doubled
        result.details = {"server errors": result.lost, "disagreements": result.doubled}
        if counts["examples"]:
            result.details["first"] = counts["examples"][0]
    return result
