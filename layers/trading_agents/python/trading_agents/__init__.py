"""Trading agents that log their decisions, remember what happened, and learn from the outcomes."""

from agent_memory.core.extras import needs_extra

with needs_extra("trading"):
    from trading_agents.agents import (
        AS_DESIGNED,
        ConfidenceRule,
        HedgeAgentWithMemory,
        LiquidityAgentWithMemory,
        MarkovAgentWithMemory,
        MemoryAwareAgent,
        OutcomeRecord,
        PosteriorRule,
        SentimentAgentWithMemory,
        Unchanged,
        WinRateRule,
        WyckoffAgentWithMemory,
    )
    from trading_agents.bars import Bars
    from trading_agents.market_hunter import (
        BAR_SOURCES,
        WARM_UP_BARS,
        BarMarkets,
        CsvSeries,
        IntegratedMarketHunterAgent,
        MarketContext,
        MemoryAwareMarketHunterAgent,
    )
    from trading_agents.memory import LongTermTradingMemory, TradingMemoryItem, TradingMemoryStore
    from trading_agents.portfolio import (
        Composer,
        FinalSignal,
        FixedShare,
        Hedge,
        MarketOutcome,
        RegimeMemory,
        RegimeSwitch,
        WeightRule,
    )
    from trading_agents.risk import (
        AgentHealth,
        CostGate,
        Health,
        LossMemory,
        Pause,
        RegimeLosses,
        RegimeSize,
        VolatilityMemory,
    )

__all__ = [
    "AS_DESIGNED",
    "BAR_SOURCES",
    "WARM_UP_BARS",
    "AgentHealth",
    "BarMarkets",
    "Bars",
    "Composer",
    "ConfidenceRule",
    "CostGate",
    "CsvSeries",
    "FinalSignal",
    "FixedShare",
    "Health",
    "Hedge",
    "HedgeAgentWithMemory",
    "IntegratedMarketHunterAgent",
    "LiquidityAgentWithMemory",
    "LongTermTradingMemory",
    "LossMemory",
    "MarketContext",
    "MarketOutcome",
    "MarkovAgentWithMemory",
    "MemoryAwareAgent",
    "MemoryAwareMarketHunterAgent",
    "OutcomeRecord",
    "Pause",
    "PosteriorRule",
    "RegimeLosses",
    "RegimeMemory",
    "RegimeSize",
    "RegimeSwitch",
    "SentimentAgentWithMemory",
    "TradingMemoryItem",
    "TradingMemoryStore",
    "Unchanged",
    "VolatilityMemory",
    "WeightRule",
    "WinRateRule",
    "WyckoffAgentWithMemory",
]
