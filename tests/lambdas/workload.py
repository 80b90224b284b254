"""What the functions are run on: decisions of 34 days of one agent, nightly events, and requests to the API."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agent_memory.decisions.log import DecisionLog
from tests.outcomes import known_at_once

LAMBDAS = Path(__file__).parents[2] / "lambdas"
AGENT, BUCKET, PREFIX = "hunter", "archive-bucket", "agent-memory"
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
DAY = NOON.date().isoformat()
DAYS, DECISIONS_PER_DAY = 34, 4
# The nightly functions in the order of the job, each with a part of its result.
NIGHTLY = {
    "agents": {"agents": 1},
    "consolidation": {"evidence_rows": DAYS * DECISIONS_PER_DAY},
    "pruning": {"accesses": {"memories": 0, "missing": None}},
    "archival": {"decisions": 4 * DECISIONS_PER_DAY, "remaining_days": 0},
    "analytics": {"with_outcome": DECISIONS_PER_DAY},
}


def environment_of(endpoint):
    """The environment of a function that finds the cache at this endpoint, if there is one."""
    variables = {
        "AGENT_MEMORY_TABLE_PREFIX": PREFIX,
        "AGENT_MEMORY_ARCHIVE_BUCKET": BUCKET,
        "POWERTOOLS_METRICS_NAMESPACE": "BTCAgent/Memory",
        "POWERTOOLS_SERVICE_NAME": "test",
    }
    return variables | ({"AGENT_MEMORY_REDIS_ENDPOINT": endpoint} if endpoint else {})


def fill(stores):
    """Log decisions of 34 days, the oldest of which are due for archival."""
    log = DecisionLog(AGENT, stores)
    for n in range(DAYS):
        times = [NOON - timedelta(days=n, hours=k) for k in range(DECISIONS_PER_DAY)]
        context = {"market": {"trend": "up"}}
        decisions = [{"decision_type": "QUERY", "context": context, "reasoning": {}, "timestamp": at} for at in times]
        ids = [result.decision_id for result in log.log(decisions)]
        outcomes = [{"decision_id": one, "outcome": {}, "success": k % 2 == 0} for k, one in enumerate(ids)]
        log.record_outcomes(known_at_once(outcomes))


def calls_of(function):
    """The calls that a function is run with: events, and what their contexts say."""
    if function == "gateway":
        return list(tool_calls())
    return [{"event": event} for event in events_of(function)]


def events_of(function):
    """The events that a function is run with."""
    match function:
        case "api":
            return list(api_events())
        case "counter":
            return [json.loads((LAMBDAS / "counter" / "event.json").read_text())]
    return [nightly_event(function)]


def nightly_event(function):
    return {"date": DAY, "run": "run-1"} if function == "agents" else {"agent_id": AGENT, "date": DAY}


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


def tool_calls():
    """Calls of tools by AgentCore Gateway: a write, a search of the table, and the archive's verification."""
    decision = json.loads((LAMBDAS / "gateway" / "event.json").read_text())
    for tool, arguments in (
        ("record_decision", decision),
        ("search_decisions", {"decision_type": "TRADE"}),
        ("set_working_memory", {"key": "plan", "value": {"n": 1}}),
        ("verify_audit_chain", {}),
    ):
        yield {"event": arguments, "context": {"tool": f"memory___{tool}", "agent": AGENT}}
