"""Portfolios of agents to backtest, with the memory rules that can change what they trade."""

from collections.abc import Sequence
from dataclasses import dataclass

from trading_agents.backtest.engine.memory_rules import MEMORY_RULES, MemoryRule
from trading_agents.backtest.engine.signal_agents import TEXTBOOK_AGENTS, SignalAgent
from trading_agents.backtest.engine.votes import AGENT_NAMES, Votes, collect_votes
from trading_agents.backtest.engine.voting_agent_rules import voting_agent_rules
from trading_agents.bars import PriceBars
from trading_agents.indicators import FeatureTable, OptionChain


@dataclass(frozen=True, slots=True, eq=False)
class AgentPortfolio:
    """A portfolio of agents with equal capital.

    Attributes:
        agents: traded in both arms alike.
        memory_rules: tried on their trades.
        votes: of the agents with memory; None for textbook agents.
        has_options: whether the features have option chains.
    """

    agents: tuple[SignalAgent, ...]
    memory_rules: tuple[MemoryRule, ...]
    votes: Votes | None = None
    has_options: bool = False

    @property
    def abstaining(self) -> tuple[str, ...]:
        """Agents that never had the features that they read, such as Hedge without option chains."""
        if self.votes is None:
            return ()
        return tuple(name for number, name in enumerate(AGENT_NAMES) if not self.votes.participates[:, number].any())


TEXTBOOK_PORTFOLIO = AgentPortfolio(TEXTBOOK_AGENTS, MEMORY_RULES)


def voting_portfolio(
    bars: PriceBars, table: FeatureTable | None = None, *, chains: Sequence[OptionChain] = ()
) -> AgentPortfolio:
    """Return the portfolio of the five agents with memory, whose votes are collected here.

    Takes tens of seconds for a few years of hourly bars.

    Args:
        bars: of one instrument.
        table: the features of the bars; by default computed from bars and chains.
        chains: option chains of the instrument in order of time, from which the Hedge agent decides.
    """
    table = table or FeatureTable(bars, chains)
    votes = collect_votes(bars, table)
    return AgentPortfolio(votes.signal_agents(), voting_agent_rules(votes), votes, table.has_options)
