import numpy as np
import pytest

from agent_memory import InvalidInput
from trading_agents.market_hunter.selection import SourceScores, select


def test_propensities_are_the_frequencies_of_the_selections():
    chance, counts = np.random.default_rng(1), dict.fromkeys("abcde", 0)
    for _ in range(20_000):
        selection = select({"a": 0.9, "b": 0.8, "c": 0.1, "d": 0.2, "e": 0.3}, 2, 0.3, chance)
        for source in selection.selected:
            counts[source] += 1
    assert selection.propensities == pytest.approx({"a": 1.0, "b": 0.7, "c": 0.1, "d": 0.1, "e": 0.1})
    for source, count in counts.items():
        assert count / 20_000 == pytest.approx(selection.propensities[source], abs=0.01)
    all_sources = select({"a": 0.1, "b": 0.2}, 5, 0.3, chance)
    assert (all_sources.selected, all_sources.propensities) == (["b", "a"], {"b": 1.0, "a": 1.0})
    with pytest.raises(InvalidInput, match="max_sources"):
        select({"a": 1.0}, 0, 0.1, chance)


def test_scores_move_by_the_learning_rate_in_their_context():
    scores = SourceScores(["a", "b"], 0.2)
    scores.learn("bullish", {"a": 1.0})
    scores.learn("bullish", {"a": 0.0})
    assert scores.of("bullish") == pytest.approx({"a": 0.48, "b": 0.5})
    scores.learn("bearish", {})
    assert (scores.has_learned("bullish"), scores.has_learned("bearish")) == (True, False)
