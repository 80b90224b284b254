"""Who trades in a backtest, and which memories may change what they trade."""

from dataclasses import dataclass

from trading_agents.backtest.engine.memory_rules import MEMORIES, Memory
from trading_agents.backtest.engine.signal_agents import AGENTS, Agent
from trading_agents.backtest.engine.votes import NAMES, Votes, vote
from trading_agents.backtest.engine.voting_agent_rules import memories_of
from trading_agents.bars import PriceBars
from trading_agents.indicators import FeatureTable


@dataclass(frozen=True, slots=True, eq=False)
class Cast:
    """A portfolio of agents.

    Attributes:
        agents: who trades, in both arms alike.
        memories: what is tried on their trades.
        votes: of the agents with memory; None for plain ones.
    """

    agents: tuple[Agent, ...]
    memories: tuple[Memory, ...]
    votes: Votes | None = None

    @property
    def abstaining(self) -> tuple[str, ...]:
        """Agents that never had the features that they read, as Hedge without option chains."""
        if self.votes is None:
            return ()
        return tuple(name for number, name in enumerate(NAMES) if not self.votes.takes_part[:, number].any())


PLAIN = Cast(AGENTS, MEMORIES)


def with_memory(bars: PriceBars, table: FeatureTable | None = None) -> Cast:
    """The five agents with memory; their votes are cast here (tens of seconds for some years of hours).

    `table` holds the bars' features; without one it is made, and then there are no option chains.
    """
    votes = vote(bars, table or FeatureTable(bars))
    return Cast(votes.traders(), memories_of(votes), votes)
