"""The gains of experts and of weighting rules, to measure regret."""

import numpy as np
import pytest

from trading_agents.portfolio.weights import equal_weights


def best_with_switches(gains, switches):
    """The gain of the best sequence of experts with at most `switches` changes."""
    best = np.full((switches + 1, gains.shape[1]), -np.inf)
    best[:, :] = gains[0]
    for row in gains[1:]:
        stayed = best.copy()
        stayed[1:] = np.maximum(stayed[1:], best[:-1].max(axis=1, keepdims=True))
        best = stayed + row
    return float(best.max())


def gain_of(rule, gains):
    """The total of the weighted gains over all rounds; `gains` has the shape (rounds, experts)."""
    names = [str(n) for n in range(gains.shape[1])]
    weights, total = equal_weights(names), 0.0
    for row in gains:
        now = dict(zip(names, row.tolist(), strict=True))
        total += sum(weights[name] * now[name] for name in names)
        weights = rule.updated(weights, now)
        assert sum(weights.values()) == pytest.approx(1)
    return total
