"""Logs decisions through a buffer in child processes that are killed repeatedly. Used by test_kill.py.

Everything is imported once and each child is forked from here, before this process has any thread.
"""

import asyncio
import io
import os
import random
import signal
import sys
import time
import uuid
from pathlib import Path

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError

from agent_memory import BufferedDecisionLogger, DecisionLogger
from agent_memory.storage.factory import aws_client, open_stores

DECISIONS_PER_LIFE = 14
PAUSE_SECONDS = 0.005
LIFE_SECONDS = (0.005, 0.150)


async def log_until(count, buffer, reported, sink, *, flush):
    logger = BufferedDecisionLogger(sink, buffer)
    out = os.open(reported, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number in range(lines_in(reported), count):
        nonce = uuid.uuid4().hex
        decision_id = await logger.log_decision("QUERY", {"n": number, "nonce": nonce}, {"whole": 1.0})
        os.write(out, f"{decision_id} {nonce}\n".encode())
        if not flush and random.random() < 0.8:
            await asyncio.sleep(random.expovariate(1 / PAUSE_SECONDS))
    if flush:
        await logger.aclose(timeout_seconds=90)
    else:
        await asyncio.sleep(60)


def lines_in(file):
    return file.read_bytes().count(b"\n") if file.exists() else 0


def live(seconds, *, seed, log):
    """Fork a child that logs, and kill it after `seconds`."""
    child = os.fork()
    if child == 0:
        random.seed(seed)
        asyncio.run(log())
        os._exit(1)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"the child ended by itself: {status}"


def faulty_client(share):
    """A DynamoDB client that throttles or cuts a share of its requests, half of it each."""
    client = aws_client("dynamodb")
    chance = random.Random()  # each child has its own: seeded anew after the fork

    def throttle(request, **_):
        if chance.random() < share / 2:
            body = io.BytesIO(b'{"__type": "com.amazonaws.dynamodb#ProvisionedThroughputExceededException"}')
            body.stream = lambda **_: iter([body.read()])
            return AWSResponse(request.url, 400, HTTPHeaders(), body)
        return None

    def cut(**_):
        if chance.random() < share / 2:
            raise ConnectionClosedError(endpoint_url="the local cloud")

    os.register_at_fork(after_in_child=chance.seed)
    client.meta.events.register("before-send.dynamodb", throttle)
    client.meta.events.register("response-received.dynamodb", cut)
    return client


def main(buffer, reported, table_prefix, kills, total, faults):
    buffer, reported = Path(buffer), Path(reported)
    kills, total = int(kills), int(total)
    stores = open_stores(table_prefix=table_prefix, dynamodb_client=faulty_client(float(faults)))
    sink = DecisionLogger("hunter", stores=stores)
    moments = random.Random(20_261_120)
    for life in range(kills):
        until = min(total, lines_in(reported) + DECISIONS_PER_LIFE)

        def log(until=until):
            return log_until(until, buffer, reported, sink, flush=False)

        live(moments.uniform(*LIFE_SECONDS), seed=life, log=log)
    assert lines_in(reported) > total // 4, "many decisions have to be logged by processes that are killed"
    asyncio.run(log_until(total, buffer, reported, sink, flush=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
