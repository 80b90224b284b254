"""What a month costs: dated list prices times a measured workload."""

from agent_memory.costs.estimate import Cost, CostLine, monthly_cost
from agent_memory.costs.measured import DecisionUnits, decision_units, mean_decision_units, memory_write_units
from agent_memory.costs.prices import Price, Prices, load_prices
from agent_memory.costs.workload import Workload, agent_every_ten_minutes

__all__ = [
    "Cost",
    "CostLine",
    "DecisionUnits",
    "Price",
    "Prices",
    "Workload",
    "agent_every_ten_minutes",
    "decision_units",
    "load_prices",
    "mean_decision_units",
    "memory_write_units",
    "monthly_cost",
]
