"""`python -m benchmarks.traced_calls`: how many calls of the product's own code one request takes, over moto.

Counts are exact and the same on every machine, so that tests can hold them to a limit.
"""

import json
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console
from rich.table import Table

from agent_memory.api.schemas.examples import AGENT_ID, DECISION_INPUT

PROJECT = Path(__file__).parents[1]
_OWN = (str(PROJECT / "layers" / "agent_memory"), str(PROJECT / "lambdas"))
DECISION = {name: DECISION_INPUT[name] for name in ("decision_type", "context", "reasoning", "metadata")}


@dataclass(slots=True)
class Calls:
    """The product's own functions that were called, by file and name."""

    by_function: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """How many calls there were."""
        return self.by_function.total()

    @property
    def files(self) -> set[str]:
        """The files that define them."""
        return {file for file, _ in self.by_function}


@contextmanager
def traced() -> Iterator[Calls]:
    """Count the calls in this thread and in those that start meanwhile."""
    calls = Calls()

    def profile(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(_OWN):
            calls.by_function[frame.f_code.co_filename, frame.f_code.co_qualname] += 1

    threading.setprofile(profile)
    sys.setprofile(profile)
    try:
        yield calls
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


@dataclass(frozen=True, slots=True)
class Context:
    """The attributes of a Lambda context that the handler reads."""

    function_name: str = "api"
    memory_limit_in_mb: int = 1024
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:000000000000:function:api"
    aws_request_id: str = "request-1"


def measure() -> dict[str, Calls]:
    """Calls of one logged decision, of a page of 50, and of a recall over 49 memories and decisions."""
    import boto3  # noqa: PLC0415  under moto
    from moto import mock_aws  # noqa: PLC0415

    os.environ |= {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AGENT_MEMORY_TABLE_PREFIX": "agent-memory",
        "AGENT_MEMORY_ARCHIVE_BUCKET": "archive-bucket",
        "POWERTOOLS_METRICS_NAMESPACE": "AgentMemory",
        "POWERTOOLS_SERVICE_NAME": "api",
        "POWERTOOLS_LOG_LEVEL": "CRITICAL",
        "POWERTOOLS_METRICS_DISABLED": "true",
    }
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="archive-bucket")
        from agent_memory import AWSMemoryClients  # noqa: PLC0415

        AWSMemoryClients.create_tables_if_not_exist("agent-memory")
        send = _api()
        send("POST", "decisions", DECISION)
        counts = {"POST of a decision": _counted(lambda: send("POST", "decisions", DECISION))}
        for n in range(7):
            path = f"memory/ltm/PATTERN/p{n}"
            send("PUT", path, {"confidence": 0.5 + n / 20, "description": f"whales lead pumps {n}", "status": "active"})
        for _ in range(40):
            send("POST", "decisions", DECISION)
        query = {"query": "whale pumps in bullish markets", "top_k": "5"}
        import agent_memory.memory.recall  # noqa: F401, PLC0415  the first request imports it, which is no call of its own

        counts["recall over 49"] = _counted(lambda: send("GET", "memory/recall", query=query))
        for _ in range(8):
            send("POST", "decisions", DECISION)
        page = {"limit": "50", "decision_type": "SOURCE_SELECTION"}
        counts["query of 50"] = _counted(lambda: send("GET", "decisions", query=page))
    return counts


def _counted(call: Callable[[], Any]) -> Calls:
    with traced() as calls:
        call()
    return calls


def _api() -> Callable[..., dict[str, Any]]:
    sys.path.insert(0, str(PROJECT / "lambdas" / "api"))
    from urllib.parse import urlencode  # noqa: PLC0415

    import handler  # type: ignore[import-not-found]  # noqa: PLC0415  the function's own folder

    def send(method: str, path: str, body: Any = None, query: dict[str, str] | None = None) -> dict[str, Any]:
        target = f"/v1/agents/{AGENT_ID}/{path}"
        event = {
            "version": "2.0",
            "routeKey": "ANY /v1/{proxy+}",
            "rawPath": target,
            "rawQueryString": urlencode(query or {}),
            "queryStringParameters": query or {},
            "headers": {"content-type": "application/json"},
            "requestContext": {
                "http": {"method": method, "path": target, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
                "requestId": "gateway-1",
                "stage": "$default",
            },
            "body": None if body is None else json.dumps(body),
            "isBase64Encoded": False,
        }
        answer = handler.handler(event, Context())
        if answer["statusCode"] >= 400:  # noqa: PLR2004
            raise RuntimeError(answer["body"])
        return dict(json.loads(answer["body"]))

    return send


def main() -> None:
    """Print the counts; with a part of a name as argument, that request's functions by their calls."""
    counts = measure()
    table = Table("request", "calls", "files", title="Calls of the product's own code")
    for name, calls in counts.items():
        table.add_row(name, f"{calls.total:,}", str(len(calls.files)))
    Console(width=100).print(table)
    for name, calls in counts.items():
        if sys.argv[1:] and sys.argv[1] in name:
            for (file, function), count in calls.by_function.most_common():
                print(f"{count:6,}  {Path(file).relative_to(PROJECT)}:{function}")  # noqa: T201


if __name__ == "__main__":
    main()
