"""Stores that fail often, before and after they took effect: all is stored, in order, once."""

import pytest
from buffer_fakes import REASONING, Faulty

from agent_memory import BufferedDecisionLogger


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.slow
async def test_nothing_is_lost_and_nothing_doubled(directory, seed):
    store = Faulty(seed)
    ids = []
    for restart in range(3):
        logger = BufferedDecisionLogger(store, directory, batch_size=10)
        for n in range(100):
            ids.append(await logger.log_decision("QUERY", {"n": 100 * restart + n}, REASONING))
            await logger.log_outcome(ids[-1], {"n": n}, True)
        await logger.aclose(timeout_seconds=0.01)
    async with BufferedDecisionLogger(store, directory) as logger:
        await logger.flush()
        assert logger.metrics().rejected == 0
    assert list(store.decisions) == list(store.outcomes) == ids
    assert [draft["context"]["n"] for draft in store.decisions.values()] == list(range(300))
