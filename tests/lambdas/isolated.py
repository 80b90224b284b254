"""Run one function on moto in a process that can import only the contents of the function's layers.

    python -m tests.lambdas.isolated NAME    prints the function's results as a JSON list

The preceding nightly functions run first, without restrictions, so that their results exist. Then the product's modules
are unloaded, everything that the function does not contain becomes impossible to import, and the function runs.
"""

import importlib.util
import json
import os
import sys
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
from moto import mock_aws

from agent_memory.decisions.log import DecisionLog
from agent_memory.storage.factory import open_stores
from stacks.function_contents import CONTENTS
from tests.aws_tables import create_tables
from tests.contract.statements import StatementsAsItemCalls
from tests.redis_servers import fake_server

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers" / "agent_memory" / "python" / "agent_memory"
AGENT, BUCKET = "hunter", "archive-bucket"
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
DAY = NOON.date().isoformat()
NIGHTLY = ("agents", "consolidation", "pruning", "archival", "analytics")
DAYS, DECISIONS_PER_DAY = 34, 4
# The modules of each group of wheels except `runtime`, which every function has.
MODULES = {
    "http": {"pydantic", "pydantic_core"},
    "cache": {"redis"},
    "parquet": {"duckdb", "_duckdb"},
    "arrow": {"arro3"},
    "science": {"numpy", "scipy"},
}
IN_NO_FUNCTION = {"httpx", "jinja2", "matplotlib", "rich", "typer"}


class Context:
    """The attributes of a Lambda context that a function reads."""

    function_name = "isolated"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:isolated"
    aws_request_id = "request-1"


def set_environment(endpoint):
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AGENT_MEMORY_TABLE_PREFIX": "agent-memory",
        "AGENT_MEMORY_ARCHIVE_BUCKET": BUCKET,
        "POWERTOOLS_METRICS_NAMESPACE": "BTCAgent/Memory",
        "POWERTOOLS_SERVICE_NAME": "test",
    }
    if endpoint:
        os.environ["AGENT_MEMORY_REDIS_ENDPOINT"] = endpoint


def let_moto_execute_partiql():
    create = boto3.client

    def client(service, **kwargs):
        created = create(service, **kwargs)
        return StatementsAsItemCalls(created) if service == "dynamodb" else created

    boto3.client = client


def fill():
    """Create the tables, the bucket, and decisions of 34 days, the oldest of which are due for archival."""
    dynamodb = boto3.client("dynamodb")
    create_tables(dynamodb, "agent-memory")
    boto3.client("s3").create_bucket(Bucket=BUCKET)
    log = DecisionLog(AGENT, open_stores())
    for n in range(DAYS):
        times = [NOON - timedelta(days=n, hours=k) for k in range(DECISIONS_PER_DAY)]
        context = {"market": {"trend": "up"}}
        decisions = [{"decision_type": "QUERY", "context": context, "reasoning": {}, "timestamp": at} for at in times]
        ids = [result.decision_id for result in log.log(decisions)]
        log.record_outcomes([{"decision_id": one, "outcome": {}, "success": k % 2 == 0} for k, one in enumerate(ids)])


def invoke(function, event):
    """Load `lambdas/{function}/handler.py` as a module and call its handler."""
    specification = importlib.util.spec_from_file_location("handler", ROOT / "lambdas" / function / "handler.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.handler(event, Context())


def unload(function):
    """Unload the product, and make it impossible to import what a function does not contain."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "agent_memory"]:
        del sys.modules[name]
    contents = CONTENTS[function]
    packages = {path.name for path in PACKAGE.iterdir() if path.is_dir()} - set(contents.packages)
    others = set().union(*(modules for group, modules in MODULES.items() if group not in contents.wheels))
    for name in {f"agent_memory.{package}" for package in packages} | others | IN_NO_FUNCTION:
        for loaded in [one for one in sys.modules if one == name or one.startswith(f"{name}.")]:
            del sys.modules[loaded]
        sys.modules[name] = None  # importing it now raises ModuleNotFoundError


def http_event(method, path, body=None, query=""):
    return {
        "version": "2.0",
        "routeKey": "ANY /v1/{proxy+}",
        "rawPath": f"/v1/agents/{AGENT}/{path}",
        "rawQueryString": query,
        "headers": {"content-type": "application/json"},
        "requestContext": {"http": {"method": method, "path": f"/v1/agents/{AGENT}/{path}"}, "stage": "$default"},
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }


def api_events():
    """Writes, a read of short-term memory, a search of memories, and contexts that include archived decisions."""
    yield http_event("POST", "decisions", {"decision_type": "QUERY", "context": {"n": 1}, "reasoning": {}})
    yield http_event("PUT", "memory/stm/insight", {"data": {"n": 1}, "ttl_seconds": 60})
    yield http_event("GET", "memory/stm/insight")
    yield http_event("PUT", "memory/ltm/PATTERN/pump", {"data": {"text": "volume pumps", "confidence": 0.8}})
    yield http_event("GET", "memory/recall", query="query=pump")
    start, end = (f"{NOON - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}" for days in (40, -1))
    yield http_event("GET", "memory/contexts", query=f"start={start}&end={end}&limit=1000")


def main(function):
    has_cache = "cache" in CONTENTS[function].wheels
    with mock_aws(), fake_server() if has_cache else nullcontext() as port:
        set_environment(f"127.0.0.1:{port}" if has_cache else None)
        let_moto_execute_partiql()
        fill()
        earlier = NIGHTLY if function == "api" else NIGHTLY[: NIGHTLY.index(function)]
        for name in earlier:
            invoke(name, nightly_event(name))
        unload(function)
        events = api_events() if function == "api" else [nightly_event(function)]
        sys.stdout.write(json.dumps([invoke(function, event) for event in events]) + "\n")


def nightly_event(function):
    return {"date": DAY, "run": "isolated"} if function == "agents" else {"agent_id": AGENT, "date": DAY}


if __name__ == "__main__":
    main(sys.argv[1])
