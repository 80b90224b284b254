"""The buffer over DynamoDB's store while three requests in ten are throttled or lose their answer."""

import random

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from agent_memory import BufferedDecisionLogger, DecisionLogger
from agent_memory.buffering import drainer
from agent_memory.core.clock import to_iso
from agent_memory.core.ids import new_decision_id
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.storage.factory import open_stores
from tests.aws_tables import create_tables

COUNT = 60


class FaultyClient:
    """A DynamoDB client that fails 15 requests in a hundred before they take effect, and 15 after."""

    def __init__(self, client, seed):
        self._client = client
        self._random = random.Random(seed)
        self.faults = 0

    def __getattr__(self, name):
        call = getattr(self._client, name)

        def faulty(**request):
            draw = self._random.random()
            self.faults += draw < 0.3
            if draw < 0.15:
                raise ClientError({"Error": {"Code": "ProvisionedThroughputExceededException"}}, name)
            answer = call(**request)
            if draw < 0.3:
                raise ConnectionClosedError(endpoint_url="https://dynamodb")
            return answer

        return faulty


@pytest.mark.slow
async def test_all_is_stored_once_and_nothing_lost(moto_stores, clock, tmp_path, monkeypatch):
    monkeypatch.setattr(drainer, "_FIRST_BACKOFF_SECONDS", 0.001)
    monkeypatch.setattr(drainer, "_LONGEST_BACKOFF_SECONDS", 0.004)
    client = moto_stores.decisions._client
    create_tables(client, "faulty")
    faulty = FaultyClient(client, seed=1)
    sink = DecisionLogger("hunter", stores=open_stores(table_prefix="faulty", dynamodb_client=faulty, clock=clock))
    ids = []
    async with BufferedDecisionLogger(sink, tmp_path / "buffer", batch_size=20, clock=clock) as logger:
        for number in range(COUNT):
            decision_id = new_decision_id("QUERY", clock.now_ms() - COUNT + number)
            document = {"n": number, "integral": 1.0}
            ids.append(await logger.log_decision("QUERY", document, {}, decision_id=decision_id, parent_ids=ids[-1:]))
            # To and fro: a repeated request meets outcomes that were amended since.
            for turn in range(4):
                outcome, at = {"n": number, "turn": turn % 2}, to_iso(clock.now_ms() + turn)
                await logger.log_outcome(decision_id, outcome, turn % 2 == 0, amend=turn > 0, timestamp=at)
            await logger.log_outcome(decision_id, {"n": number}, True, horizon="1h")
        await logger.flush(60)
        state = logger.metrics()
    assert faulty.faults > 10
    assert (state.acknowledged, state.rejected) == (6 * COUNT, 0)
    direct = DecisionLogger("hunter", stores=open_stores(table_prefix="faulty", dynamodb_client=client, clock=clock))
    found = {decision.decision_id: decision for decision in direct.log.stream(DecisionFilter())}
    assert list(found) == ids[::-1]
    for number, one in enumerate(ids):
        decision = found[one]
        assert decision.context == {"n": number, "integral": 1.0}
        assert decision.outcome.details == {"n": number, "turn": 1}
        assert [earlier.outcome.details["turn"] for earlier in decision.superseded] == [0, 1, 0]
        assert [other.horizon for other in decision.other_outcomes] == ["1h"]
    chain = [entry.decision_id for entry in direct.log.chain(ids[-1], 5) if entry.relation == "ancestor"]
    assert chain == ids[-2:-7:-1]
