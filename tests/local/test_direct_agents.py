"""Agents that log directly are counted as those are that log over HTTP, and an alarm sees when they stop."""

import pytest

from agent_memory import AgentMemoryClient, BufferedDecisionLogger, DecisionLogger
from local.stores import stores_of
from tests.local.function_log import counted, counted_so_far

pytestmark = pytest.mark.local_cloud


async def test_thirty_direct_decisions_are_counted_once_and_so_are_those_over_http(local_cloud, tmp_path):
    session, before = local_cloud.boto_session(), counted_so_far(local_cloud)
    logger = DecisionLogger("direct", stores=stores_of(local_cloud))
    ids = [await logger.log_decision("QUERY", {"n": n}, {}, memory_ids=["pump"]) for n in range(10)]
    assert counted(local_cloud, before + 10) == before + 10
    parents = [{"decision_type": "LEARNING", "context": {}, "reasoning": {}, "parent_ids": ids[:2]} for _ in range(10)]
    await logger.log_decisions(parents)
    async with BufferedDecisionLogger(logger, directory=tmp_path / "buffer") as buffered:
        for n in range(10):
            await buffered.log_decision("SIGNAL_GENERATION", {"n": n}, {})
    await logger.log_outcome(ids[0], {}, True)
    assert counted(local_cloud, before + 30) == before + 30
    async with AgentMemoryClient(local_cloud.api_url, "distant", session=session) as client:
        await client.log_decision("QUERY", {}, {})
    assert counted(local_cloud, before + 31) == before + 31
    assert counted(local_cloud, before + 32, seconds=3) == before + 31  # nothing is counted a second time
