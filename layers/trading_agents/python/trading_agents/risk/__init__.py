"""Memories that change the size of positions: volatility, the health of agents, costs, losses."""

from trading_agents.risk.cost_gate import CostGate
from trading_agents.risk.health import AgentHealth, Health
from trading_agents.risk.losses import LossMemory, Pause
from trading_agents.risk.regime_losses import RegimeLosses, RegimeSize
from trading_agents.risk.volatility import VolatilityMemory

__all__ = ["AgentHealth", "CostGate", "Health", "LossMemory", "Pause", "RegimeLosses", "RegimeSize", "VolatilityMemory"]
