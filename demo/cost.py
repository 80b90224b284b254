"""The estimated cost of a month of an agent that decides every ten minutes: the `cost` section of the report."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from agent_memory.pricing import agent_every_ten_minutes, monthly_cost, read_deployment


def cost_of_a_month(assembly: Path) -> dict[str, Any]:
    """Estimate the cost of the deployed stacks on AWS, from the measured units that `agent-memory cost` uses."""
    # The local profile leaves out the composite alarm, which is deployed on AWS.
    deployment = replace(read_deployment(assembly), composite_alarms=1)
    return monthly_cost(agent_every_ten_minutes(), deployment).as_dict()
