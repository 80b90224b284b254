"""Weights of experts from their gains: Hedge and fixed share, with bounds on their regret."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

from agent_memory import InvalidInput
from trading_agents.core.snapshots import Snapshot, data_of, snapshot

Weights = dict[str, float]
"""Weights by name, summing to 1."""


class WeightRule(Protocol):
    """Updates the weights of experts from their gains."""

    def updated(self, weights: Mapping[str, float], gains: Mapping[str, float]) -> Weights:
        """Return the next weights of all experts.

        Args:
            weights: by name, summing to 1.
            gains: of the experts that took part, by name. The others keep their weights.
        """
        ...


@dataclass(frozen=True, slots=True)
class Hedge:
    """w ← w exp(η gain), normalised. Freund, Schapire, JCSS 55 (1997) 119-139.

    Evidence (decision record 0025): on portfolios of mostly losing agents it ends up concentrated on the one that
    earns, with larger tail losses. Its timing gained nothing; the page of the backtest has the figures of
    `FixedShare`, which is the default.
    """

    eta: float = 0.02

    def __post_init__(self) -> None:
        _check_eta(self.eta)

    def updated(self, weights: Mapping[str, float], gains: Mapping[str, float]) -> Weights:
        """Return the next weights; see `WeightRule`."""
        return _multiplied(weights, gains, self.eta)

    def to_state(self) -> Snapshot:
        """Return the settings, for `rule_from_state`."""
        return snapshot("Hedge", **asdict(self))

    def regret_bound(self, rounds: int, experts: int, gain_range: float) -> float:
        """Return how far the gain can fall behind that of the best expert: ln N / η + η R² T / 8.

        For gains in an interval of length R. Cesa-Bianchi, Lugosi, *Prediction, Learning, and Games* (2006),
        theorem 2.2.
        """
        return math.log(experts) / self.eta + self.eta * gain_range**2 * rounds / 8


@dataclass(frozen=True, slots=True)
class FixedShare:
    """Hedge, then w ← (1 - α) w + α / N, so that weights can recover. Herbster, Warmuth, ML 32 (1998) 151-178.

    `share` (α) must be small relative to η: with η = 0.02, α = 0.01 keeps all weights nearly equal.
    """

    eta: float = 0.05
    share: float = 0.001

    def __post_init__(self) -> None:
        _check_eta(self.eta)
        if not 0 < self.share < 1:
            raise InvalidInput("share", f"{self.share!r} is not between 0 and 1")

    def updated(self, weights: Mapping[str, float], gains: Mapping[str, float]) -> Weights:
        """Return the next weights; see `WeightRule`."""
        multiplied = _multiplied(weights, gains, self.eta)
        active = sum(multiplied[name] for name in gains)
        return {
            name: (1 - self.share) * weight + self.share * active / len(gains) if name in gains else weight
            for name, weight in multiplied.items()
        }

    def to_state(self) -> Snapshot:
        """Return the settings, for `rule_from_state`."""
        return snapshot("FixedShare", **asdict(self))

    def regret_bound(self, rounds: int, experts: int, gain_range: float, switches: int) -> float:
        """Return how far the gain can fall behind that of the best sequence of experts with this many switches.

        (ln N + S ln(N / α) + (T - 1 - S) ln(1 / (1 - α))) / η + η R² T / 8, for gains in an interval of length R: a
        sequence keeps the weight 1/N × (α/N)^S × (1 - α)^(T-1-S) or more. Cesa-Bianchi, Lugosi (2006), theorem 5.2.
        """
        kept = (rounds - 1 - switches) * -math.log1p(-self.share)
        switched = switches * math.log(experts / self.share)
        return (math.log(experts) + switched + kept) / self.eta + self.eta * gain_range**2 * rounds / 8


def rule_from_state(state: Snapshot) -> WeightRule:
    """Return the `Hedge` or `FixedShare` of a snapshot. `InvalidInput` if `state` is neither."""
    if state.get("of") == "Hedge":
        return Hedge(**data_of(state, "Hedge"))
    return FixedShare(**data_of(state, "FixedShare"))


def equal_weights(names: Sequence[str]) -> Weights:
    """Return the same weight for each name."""
    return {name: 1 / len(names) for name in names}


def _multiplied(weights: Mapping[str, float], gains: Mapping[str, float], eta: float) -> Weights:
    """Update the weights of experts with gains, preserving their sum, so that absent experts neither gain nor lose.

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
