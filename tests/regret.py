"""The best that experts could have done, to measure regret against."""

import numpy as np


def best_with_switches(gains, switches):
    """Gain of the best sequence of experts that changes at most `switches` times."""
    best = np.full((switches + 1, gains.shape[1]), -np.inf)
    best[:, :] = gains[0]
    for row in gains[1:]:
        stayed = best.copy()
        stayed[1:] = np.maximum(stayed[1:], best[:-1].max(axis=1, keepdims=True))
        best = stayed + row
    return float(best.max())
