"""With a store that often fails, before or after a write, every record is stored once and in order."""

import pytest
from buffer_fakes import REASONING, Faulty

from agent_memory import BufferedDecisionLogger


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.slow
async def test_nothing_is_lost_or_duplicated(directory, seed):
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
    assert [decision["context"]["n"] for decision in store.decisions.values()] == list(range(300))
