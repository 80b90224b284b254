"""Weights of experts by their gains: Hedge and fixed share, with the bounds on their regret."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

from agent_memory.core.errors import InvalidInput
from trading_agents.core.snapshots import Snapshot, data_of, snapshot

Weights = dict[str, float]
"""Weights by name, summing to 1."""


class WeightRule(Protocol):
    """How weights follow gains."""

    def updated(self, weights: Mapping[str, float], gains: Mapping[str, float]) -> Weights:
        """The next weights of all experts.

        Args:
            weights: by name, summing to 1.
            gains: of those that took part, by name. The others keep their weights.
        """
        ...


@dataclass(frozen=True, slots=True)
class Hedge:
    """w ← w exp(η gain), divided by the sum. Freund, Schapire, JCSS 55 (1997) 119-139.

    Evidence (docs/decisions/memories-that-change-size.md): it finds the agent that earns, so it gained 0.38 to 1.02 of
    Sharpe on portfolios of mostly losing agents; its timing gained nothing, and it ends as one bet with a larger tail.
    """

    eta: float = 0.02

    def __post_init__(self) -> None:
        _check_eta(self.eta)

    def updated(self, weights: Mapping[str, float], gains: Mapping[str, float]) -> Weights:
        """The next weights; see `WeightRule`."""
        return _multiplied(weights, gains, self.eta)

    def to_state(self) -> Snapshot:
        """The settings, for `rule_from_state`."""
        return snapshot("Hedge", **asdict(self))

    def regret_bound(self, rounds: int, experts: int, gain_range: float) -> float:
        """How far the weights' gain can fall behind the best expert's: ln N / η + η R² T / 8.

        For gains that lie in an interval of length R. Cesa-Bianchi, Lugosi, *Prediction, Learning, and Games* (2006),
        theorem 2.2.
        """
        return math.log(experts) / self.eta + self.eta * gain_range**2 * rounds / 8


@dataclass(frozen=True, slots=True)
class FixedShare:
    """Hedge, and then w ← (1 - α) w + α / N: who fell behind can come back. Herbster, Warmuth, ML 32 (1998) 151-178.

    `share` (α) must fit η: with η 0.02 a share of 0.01 keeps all weights nearly equal.
    """

    eta: float = 0.05
    share: float = 0.001

    def __post_init__(self) -> None:
        _check_eta(self.eta)
        if not 0 < self.share < 1:
            raise InvalidInput("share", f"{self.share!r} does not lie between 0 and 1")

    def updated(self, weights: Mapping[str, float], gains: Mapping[str, float]) -> Weights:
        """The next weights; see `WeightRule`."""
        multiplied = _multiplied(weights, gains, self.eta)
        awake = sum(multiplied[name] for name in gains)
        return {
            name: (1 - self.share) * weight + self.share * awake / len(gains) if name in gains else weight
            for name, weight in multiplied.items()
        }

    def to_state(self) -> Snapshot:
        """The settings, for `rule_from_state`."""
        return snapshot("FixedShare", **asdict(self))

    def regret_bound(self, rounds: int, experts: int, gain_range: float, switches: int) -> float:
        """How far the weights' gain can fall behind that of the best sequence of experts with so many switches.

        (ln N + S ln(N / α) + (T - 1 - S) ln(1 / (1 - α))) / η + η R² T / 8, for gains in an interval of length R: a
        sequence keeps the weight 1/N × (α/N)^S × (1 - α)^(T-1-S) or more. Cesa-Bianchi, Lugosi (2006), theorem 5.2.
        """
        kept = (rounds - 1 - switches) * -math.log1p(-self.share)
        switched = switches * math.log(experts / self.share)
        return (math.log(experts) + switched + kept) / self.eta + self.eta * gain_range**2 * rounds / 8


def rule_from_state(state: Snapshot) -> WeightRule:
    """The `Hedge` or `FixedShare` that was written. `InvalidInput` where `state` is neither."""
    if state.get("of") == "Hedge":
        return Hedge(**data_of(state, "Hedge"))
    return FixedShare(**data_of(state, "FixedShare"))


def even(names: Sequence[str]) -> Weights:
    """The same weight for each."""
    return {name: 1 / len(names) for name in names}


def _multiplied(weights: Mapping[str, float], gains: Mapping[str, float], eta: float) -> Weights:
    """Weights of those with gains, multiplied; their sum stays, so that who slept neither gains nor loses.

    Freund, Schapire, Singer, Warmuth, *Using and combining predictors that specialize*, STOC 1997.
    """
    if not gains:
        return dict(weights)
    highest = max(gains.values())
    grown = {name: weights[name] * math.exp(eta * (gain - highest)) for name, gain in gains.items()}
    scale = sum(weights[name] for name in gains) / sum(grown.values())
    return {**weights, **{name: weight * scale for name, weight in grown.items()}}


def _check_eta(eta: float) -> None:
    if not 0 < eta < math.inf:
        raise InvalidInput("eta", f"{eta!r} is not above 0")
