"""`VotingAgents`: the five agents, each with its own memory, paper trades and track record."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from trading_agents.agents import AGENT_TYPES, LiquidityAgentWithMemory, MemoryAwareAgent
from trading_agents.agents.baseline import level_kind
from trading_agents.agents.memory_agent import Signal
from trading_agents.agents.volume_patterns import volume_name
from trading_agents.core.advice import Adviser
from trading_agents.core.snapshots import Snapshot, data_of, snapshot
from trading_agents.indicators.market_condition import CONDITIONS
from trading_agents.memory import TradingMemoryStore
from trading_agents.paper.bars import PaperBar
from trading_agents.paper.book import Book, ClosedTrade, Position
from trading_agents.paper.features import BarFeatures
from trading_agents.paper.settings import PaperSettings
from trading_agents.portfolio import RegimeSwitch
from trading_agents.portfolio.composer import DIRECTIONS, Vote
from trading_agents.risk import AgentHealth
from trading_agents.risk.regime_losses import outcome_kind

_AGENTS = {group.capitalize(): agent_type for group, agent_type in AGENT_TYPES.items()}
_LIQUIDITY = "Liquidity"
_SIGNALS: dict[int, Signal] = {1: "long", -1: "short"}


@dataclass(frozen=True, slots=True)
class AgentVote:
    """The vote of one agent on a bar.

    Attributes:
        agent: its name.
        signal: long, short or neutral.
        confidence: 0 to 1.
        win_rate: of its last ten trades, 0 to 1.
        is_retired: whether its results are significantly negative.
        is_left_out: whether another agent was chosen for the market's condition (setting `switch_by_regime`).
        advice_context: what advice was asked for; empty without an adviser.
        memory_ids: of the memories whose advice moved the confidence.
    """

    agent: str
    signal: str
    confidence: float
    win_rate: float
    is_retired: bool
    is_left_out: bool = False
    advice_context: Mapping[str, Any] = field(default_factory=dict)
    memory_ids: tuple[str, ...] = ()


class VotingAgents:
    """Every agent trades its own votes on paper; it remembers these trades, and is retired by them.

    Args:
        settings: of the trader.
        clock: returns the time in seconds since the epoch.
        adviser: asked about each vote for a direction, if any.
    """

    def __init__(self, settings: PaperSettings, clock: Callable[[], float], adviser: Adviser | None = None) -> None:
        self._adviser = adviser
        self._symbol, self._capital, self._clock = settings.symbol, settings.capital, clock
        self.health = AgentHealth()
        self._switch = RegimeSwitch() if settings.switch_by_regime else None
        self._learns_volume = settings.volume_by_regime
        self._memories = {name: memory_for(settings, clock) for name in _AGENTS}
        self._agents = self._make_agents()
        self._books = {name: Book(settings.costs_bp, settings.hold_bars, settings.bracket) for name in _AGENTS}

    def on_bar(self, bar: PaperBar) -> list[ClosedTrade]:
        """Update every agent's own position; trades are remembered, and closed ones count for its health."""
        closed = []
        for name, book in self._books.items():
            ordered = book.position if book.position is not None and book.position.entry is None else None
            trade = book.on_bar(bar)
            if ordered is not None and ordered.entry is not None:
                signal = _SIGNALS[ordered.direction]
                self._agents[name].remember_trade(self._symbol, ordered.decision_id, signal, ordered.entry)
            if trade is not None:
                closed.append(trade)
                self.health.observe(name, trade.net_in_atr)
                if self._switch is not None and trade.position.condition:
                    self._switch.observe(name, trade.position.condition, trade.net_in_atr)
                self._remember(name, trade)
        return closed

    def vote(self, bar: PaperBar, features: BarFeatures) -> list[AgentVote]:
        """Let every agent perceive a bar and vote."""
        votes = []
        for name, agent in self._agents.items():
            agent.perceive(self._symbol, bar.time, features.groups)
            signal, confidence, context = agent.act_with_memory(self._symbol, bar.time, features.groups)
            is_retired = self.health.of(name).is_retired
            advised = {} if self._adviser is None else agent.advice_context(self._symbol, features.groups)
            moved_by = tuple(context.get("memory_ids", ()))
            left_out = self._switch is not None and self._switch.multiplier(name, features.condition) == 0
            win_rate = context["win_rate"]
            votes.append(AgentVote(name, signal, confidence, win_rate, is_retired, left_out, advised, moved_by))
        return votes

    def for_composer(self, votes: list[AgentVote]) -> list[Vote]:
        """Return the votes for the composer: the confidence of an agent that is retired or left out is 0."""
        return [
            (one.signal, 0.0 if one.is_retired or one.is_left_out else one.confidence, self._agents[one.agent])
            for one in votes
        ]

    def place_orders(
        self, votes: list[AgentVote], decision_ids: list[str], close: float, features: BarFeatures
    ) -> None:
        """Order what the agents voted, unless they have an open position."""
        for vote, decision_id in zip(votes, decision_ids, strict=True):
            direction, book = DIRECTIONS[vote.signal], self._books[vote.agent]
            if direction and book.position is None:
                setup, condition = self._agents[vote.agent].setup(self._symbol), features.condition
                book.order(Position(decision_id, direction, 1.0, close, features.atr, setup=setup, condition=condition))

    def clean_up(self) -> None:
        """Remove items that have lost their importance."""
        for memory in self._memories.values():
            memory.cleanup()

    def to_state(self) -> Snapshot:
        """Return memories, agents, books and health, for `restore`."""
        return snapshot(
            "Panel",
            health=self.health.to_state(),
            memories={name: memory.to_state() for name, memory in self._memories.items()},
            agents={name: agent.to_state() for name, agent in self._agents.items()},
            books={name: book.to_state() for name, book in self._books.items()},
            **({} if self._switch is None else {"switch": self._switch.to_state()}),
        )

    def restore(self, state: Snapshot) -> None:
        """Restore a snapshot. `InvalidInput` if `state` is not one."""
        data = data_of(state, "Panel")
        self.health = AgentHealth.from_state(data["health"])
        self._memories = {
            name: TradingMemoryStore.from_state(data["memories"][name], clock=self._clock) for name in _AGENTS
        }
        if self._switch is not None:
            self._switch = RegimeSwitch.from_state(data["switch"])
        self._agents = self._make_agents()
        for name in _AGENTS:
            self._agents[name].restore(data["agents"][name])
            self._books[name].restore(data["books"][name])

    def _make_agents(self) -> dict[str, MemoryAwareAgent]:
        settings: dict[str, Any] = {"explain": True, "adviser": self._adviser}
        agents = {name: agent_type(name, self._memories[name], **settings) for name, agent_type in _AGENTS.items()}
        if self._learns_volume:
            name = _LIQUIDITY
            agents[name] = LiquidityAgentWithMemory(name, self._memories[name], volume_patterns=True, **settings)
        return agents

    def _remember(self, name: str, trade: ClosedTrade) -> None:
        position = trade.position
        assert position.entry is not None  # noqa: S101  a closed trade was filled
        profit = self._capital * trade.account_return
        self._agents[name].remember_outcome(
            self._symbol, position.decision_id, profit, position.entry, trade.exit_price, setup=position.setup
        )


# Half-lives in bars: of votes and events, of what is typical of a market, and of the outcomes of trades.
_VOTE_BARS, _MARKET_BARS, _OUTCOME_BARS = 24, 240, 1_440
_MARKET_KINDS = ("regime", level_kind("kyle_lambda"), level_kind("volatility"))
_OUTCOME_KINDS = ("trade", "outcome", "setup_outcome", "risk")
_REGIMES, _HOURS = ("", "calm", "turbulent"), range(24)


def memory_for(settings: PaperSettings, clock: Callable[[], float]) -> TradingMemoryStore:
    """Return a memory with half-lives of a day for votes, ten days for market levels, and 60 days for outcomes."""
    half_lives: dict[str, Any] = dict.fromkeys(_MARKET_KINDS, _MARKET_BARS * settings.bar_seconds)
    half_lives |= dict.fromkeys(_OUTCOME_KINDS, _OUTCOME_BARS * settings.bar_seconds)
    if settings.size_by_regime:
        half_lives |= dict.fromkeys(map(outcome_kind, CONDITIONS), _OUTCOME_BARS * settings.bar_seconds)
    if settings.volume_by_regime:
        volumes = (level_kind(volume_name(regime, hour)) for regime in _REGIMES for hour in _HOURS)
        half_lives |= dict.fromkeys(volumes, _MARKET_BARS * settings.bar_seconds)
    return TradingMemoryStore(_VOTE_BARS * settings.bar_seconds, half_lives=half_lives, clock=clock)
