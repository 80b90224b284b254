"""Memories that change how much is at risk: volatility, an agent's health, costs, losses."""

from trading_agents.risk.cost_gate import CostGate
from trading_agents.risk.health import AgentHealth, Health
from trading_agents.risk.losses import LossMemory, Pause
from trading_agents.risk.volatility import VolatilityMemory

__all__ = ["AgentHealth", "CostGate", "Health", "LossMemory", "Pause", "VolatilityMemory"]
