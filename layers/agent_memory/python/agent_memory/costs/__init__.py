"""What a month costs: a deployment's templates, dated list prices, measured units and a workload."""

from agent_memory.costs.deployment import Deployment, read_deployment
from agent_memory.costs.estimate import Cost, CostLine, monthly_cost
from agent_memory.costs.measured import DecisionUnits, decision_units, mean_decision_units, memory_write_units
from agent_memory.costs.million import PerMillion, per_million
from agent_memory.costs.prices import Allowance, Charge, Price, Prices, load_prices
from agent_memory.costs.units import MeasuredUnits, load_units
from agent_memory.costs.workload import Workload, agent_every_ten_minutes

__all__ = [
    "Allowance",
    "Charge",
    "Cost",
    "CostLine",
    "DecisionUnits",
    "Deployment",
    "MeasuredUnits",
    "PerMillion",
    "Price",
    "Prices",
    "Workload",
    "agent_every_ten_minutes",
    "decision_units",
    "load_prices",
    "load_units",
    "mean_decision_units",
    "memory_write_units",
    "monthly_cost",
    "per_million",
    "read_deployment",
]
