"""Requests are lost before or after they take effect: what is sent is stored or refused, and nothing else."""

import asyncio
import json
import random
from collections import Counter
from contextlib import suppress

import httpx

from agent_memory import AgentMemoryClient, BufferedDecisionLogger, Rejected
from agent_memory.buffering import drainer
from agent_memory.client import requests
from agent_memory.core.ids import new_decision_id
from tests.trials.results import timed

SHARE = 0.3


class FaultyTransport(httpx.HTTPTransport):
    """Fails half of `share` before the request is sent, and half after it took effect."""

    def __init__(self, share, seed):
        super().__init__()
        self._share = share
        self._random = random.Random(seed)
        self.faults = 0

    def handle_request(self, request):
        chance = self._random.random()
        self.faults += chance < self._share
        if chance < self._share / 2:
            return random.Random(chance).choice(
                [
                    httpx.Response(429, json={"message": "Too Many Requests"}),
                    httpx.Response(503, json={"message": "Service Unavailable"}),
                    httpx.Response(404, json={"message": "Not Found"}),
                    httpx.Response(403, json={"message": "Forbidden"}),
                ]
            )
        response = super().handle_request(request)
        if chance < self._share:
            response.read()
            raise httpx.ReadError("the connection was cut", request=request)
        return response


def send_through_faults(cloud, folder, *, decisions):
    """Log decisions through a buffer over the HTTP API, one in ten of which the API has to refuse."""
    description = f"{SHARE:.0%} of the requests of a buffer to the HTTP API fail before or after they take effect"
    with timed("buffer over HTTP", description) as result:
        stored, refused, faults = asyncio.run(_send(cloud, folder, decisions))
        result.tried = decisions
        result.survived = sum(
            (stored[n], n in refused) == ((0, True) if _is_invalid(n) else (1, False)) for n in range(decisions)
        )
        result.lost = sum(not stored[n] for n in range(decisions) if not _is_invalid(n))
        result.doubled = stored.total() - len(stored) + len(stored.keys() & refused)
        result.details = {"faults": faults, "stored": len(stored), "refused": len(refused)}
    return result


def _is_invalid(n):
    return n % 10 == 9


async def _send(cloud, folder, count):
    agent_id = f"faults-{random.randrange(16**8):08x}"
    transport = FaultyTransport(SHARE, seed=1)
    direct = AgentMemoryClient(cloud.api_url, agent_id, session=cloud.boto_session())
    client = AgentMemoryClient(cloud.api_url, agent_id, session=cloud.boto_session(), transport=transport)
    directory = folder / agent_id
    waits = drainer._FIRST_BACKOFF_SECONDS, drainer._LONGEST_BACKOFF_SECONDS, requests._FIRST_BACKOFF_SECONDS
    drainer._FIRST_BACKOFF_SECONDS, drainer._LONGEST_BACKOFF_SECONDS = 0.01, 0.05
    requests._FIRST_BACKOFF_SECONDS = 0.01
    try:
        async with direct, client:
            logger = BufferedDecisionLogger(client, directory, batch_size=10)
            for n in range(count):
                if _is_invalid(n):  # an outcome of a decision that nobody logged: the API refuses it
                    missing = new_decision_id("QUERY", 1_795_000_000_000 + n)
                    await logger.log_outcome(missing, {"n": n}, True)
                else:
                    await logger.log_decision("QUERY", {"n": n}, {})
            with suppress(Rejected):
                await logger.aclose(timeout_seconds=120)
            stored = Counter([one["context"]["n"] async for one in _all_decisions(direct)])
    finally:
        drainer._FIRST_BACKOFF_SECONDS, drainer._LONGEST_BACKOFF_SECONDS, requests._FIRST_BACKOFF_SECONDS = waits
    file = directory / "rejected.jsonl"
    lines = file.read_text().splitlines() if file.exists() else []
    refused = {_number(json.loads(line)) for line in lines}
    return stored, refused, transport.faults


async def _all_decisions(client):
    cursor = None
    while True:
        page = await client.page_decisions("QUERY", limit=500, cursor=cursor)
        for decision in page["decisions"]:
            yield decision
        cursor = page["cursor"]
        if cursor is None:
            return


def _number(line):
    return line["outcome"]["outcome"]["n"] if "outcome" in line else line["decision"]["context"]["n"]
