"""`python -m benchmarks.cold_start`: CPU time of a function's start beside that of boto3 with one client.

Each start is a process of its own: the handler is imported, the stores are opened, as with the first event, and the
table is asked for an item, which it answers at once. Beside it boto3 is imported and a client asks for an item. The
API is also measured until it has answered its first request, that of `lambdas/api/event.json`, which loads routes and
models, too. What the interpreter itself needs is not counted. Byte-code is there, as in the functions' layers; those of
AWS are read from another disk, which is not measured.
"""

import os
import statistics
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks.tables import print_table

FUNCTIONS = ("api", "agents", "pruning", "archival", "analytics", "consolidation")
BOTO3 = "boto3"
FIRST_REQUEST = "api until its first response"
_ROOT = Path(__file__).parents[1]
_ROUNDS = 7
_INSTANT = """
import time
started = time.process_time()
def answer_at_once():
    import io
    import boto3
    from botocore.awsrequest import AWSResponse
    class Body(io.BytesIO):
        def stream(self, **_):
            yield self.read()
    def answer(request, **_):
        return AWSResponse(request.url, 200, {}, Body(b"{}"))
    boto3.setup_default_session()
    boto3.DEFAULT_SESSION.events.register("before-send.dynamodb.*", answer)
def ask(client):
    client.get_item(TableName="t", Key={"pk": {"S": "a"}, "sk": {"S": "b"}})
"""
_WITH_BOTO3 = """
answer_at_once()
import boto3
ask(boto3.client("dynamodb"))
"""
_WITH_FUNCTION = """
import handler
answer_at_once()
from agent_memory.api.settings import FunctionSettings
ask(FunctionSettings.from_environment().open_stores().states._client)
"""
_WITH_REQUEST = """
import handler
answer_at_once()
import json, types
context = types.SimpleNamespace(
    aws_request_id="example", function_name="api", memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:api",
)
with open(handler.__file__.replace("handler.py", "event.json")) as file:
    response = handler.handler(json.load(file), context)
assert response["statusCode"] == 201, response
"""
_PRINT = "\nprint(time.process_time() - started)"
_ENVIRONMENT = {
    "AGENT_MEMORY_TABLE_PREFIX": "agent-memory",
    "AGENT_MEMORY_ARCHIVE_BUCKET": "archive",
    "AGENT_MEMORY_REDIS_ENDPOINT": "127.0.0.1:1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "POWERTOOLS_METRICS_NAMESPACE": "BTCAgent/Memory",
    "POWERTOOLS_SERVICE_NAME": "api",
    "PYTHONDONTWRITEBYTECODE": "",  # empty is off
}
_PROGRAMS = {BOTO3: _WITH_BOTO3, FIRST_REQUEST: _WITH_REQUEST, **dict.fromkeys(FUNCTIONS, _WITH_FUNCTION)}


def starts() -> Mapping[str, float]:
    """Seconds of CPU time by key of `_PROGRAMS`; medians of rounds in which they take turns."""
    rounds: dict[str, list[float]] = {name: [] for name in _PROGRAMS}
    for number in range(_ROUNDS + 1):
        for name, times in rounds.items():
            seconds = _seconds(name)
            if number:  # the first round writes byte-code
                times.append(seconds)
    return {name: statistics.median(times) for name, times in rounds.items()}


def _seconds(name: str) -> float:
    program = _INSTANT + _PROGRAMS[name] + _PRINT
    function = name.partition(" ")[0]
    variables = {**os.environ, **_ENVIRONMENT, "PYTHONPATH": str(_ROOT / "lambdas" / function)}
    done = subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-c", program], env=variables, capture_output=True, text=True, check=True
    )
    return float(done.stdout.rpartition("\n")[0].rpartition("\n")[2])


def main() -> None:
    """Print the starts."""
    found = starts()
    rows = [(name, f"{one * 1e3:.0f} ms, {one / found[BOTO3]:.2f} × boto3", "") for name, one in found.items()]
    print_table("CPU time of a start", rows)


if __name__ == "__main__":
    main()
