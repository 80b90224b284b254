"""Sources are ordered as the truth does; the full trial is `python -m benchmarks.source_effectiveness`."""

import numpy as np
import pytest

from agent_memory.core.ids import new_decision_id
from agent_memory.decisions.performance import PerformanceCounts
from agent_memory.model.decisions import Decision, Outcome
from benchmarks.source_effectiveness import CYCLES_PER_DAY, DAYS, TRUTH, ordering, readings

MIN_SIGNAL = 0.25


def decided(kind, at_ms, reasoning, *, success):
    one = new_decision_id(kind, at_ms)
    return Decision("hunter", one, kind, at_ms, {}, reasoning, outcome=Outcome(success, {}, {}, at_ms))


def record_of(seed):
    """The decisions of a hunter that selects two sources at random, and judges all of them."""
    chance = np.random.default_rng(seed)
    for cycle in range(DAYS * CYCLES_PER_DAY):
        at_ms = 1_790_000_000_000 + cycle * 3_600_000
        rises, is_bullish = map(bool, chance.integers(2, size=2))
        said = readings(rises, is_bullish, chance)
        selected = [TRUTH[n] for n in chance.choice(len(TRUTH), size=2, replace=False)]
        any_signal = any(abs(said[one]) >= MIN_SIGNAL for one in selected)
        yield decided("SOURCE_SELECTION", at_ms, {"selected": selected}, success=any_signal)
        for source, reading in said.items():
            yield decided("SIGNAL_GENERATION", at_ms, {"source": source}, success=(reading > 0) == rises)


@pytest.mark.slow
def test_sources_are_ordered_as_the_truth_does_in_simulated_records_of_sixty_days():
    right = 0
    for seed in range(8):
        counts = PerformanceCounts()
        for one in record_of(seed):
            counts.add(one)
        right += [row["source"] for row in counts.sources()] == TRUTH
        counts.by_source.clear()
        assert [row["source"] for row in counts.sources()] != TRUTH, "talkative sources are selected with success"
    assert right >= 7


@pytest.mark.slow
async def test_the_hunters_record_names_the_best_and_the_worst_source():
    found = await ordering(seed=3, days=10)
    assert (found.by_outcome[0], found.by_outcome[-1]) == (TRUTH[0], TRUTH[-1])
    assert found.by_selection != TRUTH
