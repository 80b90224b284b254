"""The cost of a month, from a deployment's templates, dated list prices, measured units and a workload."""

from agent_memory.pricing.capacity_units import DecisionUnits, decision_units, mean_decision_units
from agent_memory.pricing.deployment import Deployment, read_deployment
from agent_memory.pricing.estimate import Cost, CostLine, monthly_cost
from agent_memory.pricing.measured_units import MeasuredUnits, load_units
from agent_memory.pricing.per_million import PerMillion, million_by_price, per_million
from agent_memory.pricing.prices import Allowance, Charge, Price, Prices, known_regions, load_prices, read_prices
from agent_memory.pricing.workload import Workload, agent_every_ten_minutes, hot_agent, ten_agents

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
    "hot_agent",
    "known_regions",
    "load_prices",
    "load_units",
    "mean_decision_units",
    "million_by_price",
    "monthly_cost",
    "per_million",
    "read_deployment",
    "read_prices",
    "ten_agents",
]
