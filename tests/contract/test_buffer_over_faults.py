"""The buffer over DynamoDB's store while three requests in ten are throttled or lose their answer."""

import random

from botocore.exceptions import ClientError, ConnectionClosedError

from agent_memory import BufferedDecisionLogger, DecisionLogger
from agent_memory.buffering import drainer
from agent_memory.decision_log import DecisionFilter
from agent_memory.stores.connections import open_stores
from benchmarks.sinks import Answering
from tests.aws_tables import create_tables

COUNT = 150


class FaultyClient:
    """A DynamoDB client that fails 15 requests in a hundred before they take effect, and 15 after."""

    def __init__(self, client, seed):
        self._client = client
        self._random = random.Random(seed)
        self.faults = 0

    def __getattr__(self, name):
        call = getattr(self._client, name)

        def faulty(**request):
            luck = self._random.random()
            self.faults += luck < 0.3
            if luck < 0.15:
                raise ClientError({"Error": {"Code": "ProvisionedThroughputExceededException"}}, name)
            answer = call(**request)
            if luck < 0.3:
                raise ConnectionClosedError(endpoint_url="https://dynamodb")
            return answer

        return faulty


async def test_all_is_stored_once_and_nothing_lost(moto_stores, clock, tmp_path, monkeypatch):
    monkeypatch.setattr(drainer, "_FIRST_BACKOFF_SECONDS", 0.001)
    monkeypatch.setattr(drainer, "_LONGEST_BACKOFF_SECONDS", 0.004)
    client = moto_stores.decisions._client
    create_tables(client, "faulty")
    faulty = FaultyClient(client, seed=1)
    sink = Answering("hunter", stores=open_stores(table_prefix="faulty", dynamodb_client=faulty, clock=clock))
    ids = []
    async with BufferedDecisionLogger(sink, tmp_path / "buffer", batch_size=20, clock=clock) as logger:
        for number in range(COUNT):
            ids.append(await logger.log_decision("QUERY", {"n": number, "whole": 1.0}, {"score": 0.5}))
            await logger.log_outcome(ids[-1], {"n": number}, number % 2 == 0, {"quality": 1.0})
        await logger.flush(60)
        state = logger.metrics()
    assert faulty.faults > 10
    assert (state.acknowledged, state.rejected) == (2 * COUNT, 0)
    direct = DecisionLogger("hunter", stores=open_stores(table_prefix="faulty", dynamodb_client=client, clock=clock))
    found = {decision.decision_id: decision for decision in direct.log.stream(DecisionFilter())}
    assert [found[one].context for one in ids] == [{"n": number, "whole": 1.0} for number in range(COUNT)]
    assert [found[one].outcome.details for one in ids] == [{"n": number} for number in range(COUNT)]
    assert len(found) == COUNT
