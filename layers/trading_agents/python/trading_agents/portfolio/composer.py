"""`Composer`: one signal from the votes of several agents, weighted by what each has earned."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, Self
from uuid import uuid4

from agent_memory import DecisionType, InvalidInput, NotFound
from trading_agents.core.advice import EVEN, NOT_ADVISED, Advised, Adviser, advised_rates
from trading_agents.core.snapshots import Snapshot, data_of, snapshot
from trading_agents.memory import TradingMemoryStore
from trading_agents.portfolio.regimes import RegimeMemory
from trading_agents.portfolio.weights import FixedShare, Hedge, WeightRule, Weights, rule_from_state

DIRECTIONS = {"long": 1, "short": -1, "neutral": 0}

_LARGEST_GAIN = 3.0
_SCALE_HALF_LIFE = 100
_ALL_REGIMES = ""


class Voter(Protocol):
    """Anything with a name."""

    name: str


Vote = tuple[str, float, Voter]
"""A signal (`long`, `short`, `neutral`), a confidence from 0 to 1, and the agent."""


class FinalSignal(str):
    """`long`, `short` or `neutral`, with the reasons for it.

    Attributes:
        confidence: 0 to 1, the absolute weighted vote.
        decision_id: identifies the decision for `Composer.learn`.
        context: `score` (-1 to 1), `regime`, `weights` and `votes` by agent, and `regime_memory`.
    """

    __slots__ = ("confidence", "context", "decision_id")

    confidence: float
    context: dict[str, Any]
    decision_id: str

    def __new__(cls, signal: str, confidence: float, decision_id: str, context: dict[str, Any]) -> Self:
        """Return the text `signal` with the other attributes attached."""
        instance = super().__new__(cls, signal)
        instance.confidence, instance.decision_id, instance.context = confidence, decision_id, context
        return instance

    def __getnewargs__(self) -> tuple[str, float, str, dict[str, Any]]:  # type: ignore[override]
        return str(self), self.confidence, self.decision_id, self.context


@dataclass(frozen=True, slots=True)
class MarketOutcome:
    """The outcome of a decision: the market's return since then, as a fraction, before costs."""

    decision_id: str
    market_return: float


class _Pending(NamedTuple):
    symbol: str
    regime: str
    directions: Mapping[str, int]


class Composer:
    """Weights votes by remembered performance, separately for each regime.

    The gain of an agent from an outcome is its direction × return, in units of the typical return (exponential moving
    root mean square, half-life 100 outcomes), limited to -3 to 3; `rule` turns gains into weights. A new regime starts
    with the weights learned over all regimes.

    Evidence (docs/does-memory-help.md): against equal weights the Sharpe ratio changed by -0.02 to +0.28, and by -0.14
    to +0.34 with weights by regime, beyond chance on 0 of 3 files each. Omit `regime` in `decide` unless your own
    results say otherwise.

    Args:
        memory: optional store in which votes and their gains are remembered with the kind `agent_vote`.
        rule: `FixedShare` by default.
        threshold: absolute weighted vote, 0 to below 1, up to which the decision is neutral.
        max_open: maximum number of decisions without an outcome; beyond it the oldest is dropped.
        adviser: asked how often each agent is right in the regime, as `MemoryManager(...).sync`; where the 95 %
            interval excludes one half, the agent's weight in `decide` is multiplied by its rate over one half. Votes
            are to be logged as SIGNAL_GENERATION with `reasoning.agent`, and the CONFIGURATION memory `estimates` is to
            name that choice.
    """

    def __init__(
        self,
        memory: TradingMemoryStore | None = None,
        *,
        rule: WeightRule | None = None,
        threshold: float = 0.1,
        max_open: int = 10_000,
        adviser: Adviser | None = None,
    ) -> None:
        if not 0 <= threshold < 1:
            raise InvalidInput("threshold", f"{threshold!r} is not from 0 to below 1")
        self.regimes = RegimeMemory()
        self._memory = memory
        self._rule = rule or FixedShare()
        self._threshold = threshold
        self._max_open = max_open
        self._adviser = adviser
        self._tables: dict[str, Weights] = {_ALL_REGIMES: {}}
        self._pending: dict[str, _Pending] = {}
        self._mean_square: float | None = None

    def decide(
        self, votes: Sequence[Vote], *, symbol: str = "SPY", regime: str | None = None, decision_id: str | None = None
    ) -> FinalSignal:
        """Return the signal of the weighted votes.

        score = Σ weight × confidence × direction / Σ weight. Without a `decision_id`, a random one is assigned.

        Raises:
            InvalidInput: an unknown signal, a confidence outside 0-1, an agent that votes twice, or no votes.
            Unavailable: the adviser's table did not respond.
        """
        directions = _directions(votes)
        advised = self._advised(list(directions), symbol, regime)
        table = self.weights(regime, names=list(directions))
        for name, rate in advised.rates.items():
            table[name] *= rate / EVEN
        total = sum(table[name] for name in directions)
        confidences = {agent.name: confidence for _, confidence, agent in votes}
        score = sum(table[name] * confidences[name] * sign for name, sign in directions.items()) / total
        signal = "neutral" if abs(score) <= self._threshold else "long" if score > 0 else "short"
        decision_id = decision_id or str(uuid4())
        self._pending[decision_id] = _Pending(symbol, regime or _ALL_REGIMES, directions)
        while len(self._pending) > self._max_open:
            del self._pending[next(iter(self._pending))]
        context = {
            "score": score,
            "regime": regime,
            "weights": {name: table[name] / total for name in directions},
            "votes": {agent.name: (signal, confidence) for signal, confidence, agent in votes},
            "regime_memory": self.regimes.describe(regime) if regime else None,
            **({} if self._adviser is None else {"memory_ids": list(advised.memory_ids)}),
        }
        return FinalSignal(signal, abs(score), decision_id, context)

    def learn(self, outcomes: Iterable[MarketOutcome]) -> dict[str, float]:
        """Attribute outcomes to the agents that voted, and return the total gain of each.

        Raises:
            NotFound: a decision is unknown, or has its outcome already. InvalidInput: a return is not a finite number.
                Outcomes before the invalid one have been learned.
        """
        summed: dict[str, float] = {}
        for outcome in outcomes:
            if not math.isfinite(outcome.market_return):
                raise InvalidInput("market_return", f"{outcome.market_return!r} is not a finite number")
            if outcome.decision_id not in self._pending:
                raise NotFound(f"no decision {outcome.decision_id} is waiting for its outcome")
            decision = self._pending.pop(outcome.decision_id)
            gains = self._gains(decision, outcome.market_return)
            self._update(decision.regime, gains)
            self.regimes.observe(decision.regime, outcome.market_return, gains)
            self._remember(decision, gains)
            for name, gain in gains.items():
                summed[name] = summed.get(name, 0.0) + gain
        return summed

    def weights(self, regime: str | None = None, names: Sequence[str] = ()) -> Weights:
        """Return the weights of all known agents and of `names` in a regime, summing to 1."""
        for name in names:
            self._add_agent(name)
        return dict(self._tables.get(regime or _ALL_REGIMES, self._tables[_ALL_REGIMES]))

    def to_state(self) -> Snapshot:
        """Return weights, regimes, pending decisions and settings, for `from_state`; the memory is not included."""
        return snapshot(
            "Composer",
            threshold=self._threshold,
            max_open=self._max_open,
            rule=self._rule.to_state() if isinstance(self._rule, FixedShare | Hedge) else None,
            regimes=self.regimes.to_state(),
            tables={regime: dict(table) for regime, table in self._tables.items()},
            open={decision_id: decision._asdict() for decision_id, decision in self._pending.items()},
            mean_square=self._mean_square,
        )

    @classmethod
    def from_state(
        cls,
        state: Snapshot,
        memory: TradingMemoryStore | None = None,
        *,
        rule: WeightRule | None = None,
        adviser: Adviser | None = None,
    ) -> "Composer":
        """Return the composer of a snapshot, with this memory. A custom `rule` has to be passed again.

        Raises:
            InvalidInput: `state` is not such a snapshot, or the composer had a custom rule and `rule` is None.
        """
        data = data_of(state, "Composer")
        if rule is None:
            if data["rule"] is None:
                raise InvalidInput("rule", "the composer had a custom rule; pass it again")
            rule = rule_from_state(data["rule"])
        composer = cls(memory, rule=rule, threshold=data["threshold"], max_open=data["max_open"], adviser=adviser)
        composer.regimes = RegimeMemory.from_state(data["regimes"])
        composer._tables = {regime: dict(table) for regime, table in data["tables"].items()}
        composer._pending = {decision_id: _Pending(**decision) for decision_id, decision in data["open"].items()}
        composer._mean_square = data["mean_square"]
        return composer

    # --- internals -----------------------------------------------------------------------------

    def _advised(self, names: Sequence[str], symbol: str, regime: str | None) -> Advised:
        context = {"symbol": symbol, **({"market": {"regime": regime}} if regime else {})}
        found = advised_rates(self._adviser, DecisionType.SIGNAL_GENERATION, context, names, "reasoning.agent")
        # If memory trusts no voter at all, it says nothing about which one to follow.
        return NOT_ADVISED if all(found.rates.get(name, EVEN) == 0 for name in names) else found

    def _add_agent(self, name: str) -> None:
        """Give a new agent an equal weight in every table, and scale down the others."""
        for table in self._tables.values():
            if name not in table:
                weight = 1 / (len(table) + 1)
                for other in table:
                    table[other] *= 1 - weight
                table[name] = weight

    def _gains(self, decision: _Pending, market_return: float) -> dict[str, float]:
        typical = math.sqrt(self._mean_square) if self._mean_square else abs(market_return)
        rate = 1 - 0.5 ** (1 / _SCALE_HALF_LIFE)
        before = self._mean_square if self._mean_square is not None else market_return**2
        self._mean_square = before + rate * (market_return**2 - before)
        scaled = 0.0 if typical == 0 else market_return / typical
        return {
            name: min(_LARGEST_GAIN, max(-_LARGEST_GAIN, sign * scaled)) for name, sign in decision.directions.items()
        }

    def _update(self, regime: str, gains: Mapping[str, float]) -> None:
        if regime != _ALL_REGIMES and regime not in self._tables:
            self._tables[regime] = dict(self._tables[_ALL_REGIMES])
        for name in {_ALL_REGIMES, regime}:
            self._tables[name] = self._rule.updated(self._tables[name], gains)

    def _remember(self, decision: _Pending, gains: Mapping[str, float]) -> None:
        if self._memory is None:
            return
        for name, gain in gains.items():
            signal = next(signal for signal, sign in DIRECTIONS.items() if sign == decision.directions[name])
            result = "was right" if gain > 0 else "was wrong" if gain < 0 else "took no part"
            self._memory.add(
                "agent_vote",
                f"{name} voted {signal} and {result} {decision.regime}".rstrip(),
                score=1.0,
                symbol=decision.symbol,
                metadata={"agent": name, "signal": signal, "regime": decision.regime, "gain": gain},
            )


def _directions(votes: Sequence[Vote]) -> dict[str, int]:
    """Validate the votes, and return each agent's direction by name."""
    directions: dict[str, int] = {}
    for number, (signal, confidence, agent) in enumerate(votes):
        if signal not in DIRECTIONS:
            raise InvalidInput(f"votes[{number}].signal", f"{signal!r:.40} is not one of {', '.join(DIRECTIONS)}")
        if not 0 <= confidence <= 1:
            raise InvalidInput(f"votes[{number}].confidence", f"{confidence!r:.40} is not between 0 and 1")
        if agent.name in directions:
            raise InvalidInput(f"votes[{number}].agent", f"{agent.name} votes twice")
        directions[agent.name] = DIRECTIONS[signal]
    if not directions:
        raise InvalidInput("votes", "is empty")
    return directions
