"""Direct invocations: the operations of the HTTP API by their names, for the agent of the invoked alias only."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.api import entry
from agent_memory.api.app import operations
from agent_memory.api.observability import metrics
from agent_memory.core.ids import PATTERNS, agent_of_alias, alias_of
from tests.http_events import Context, http_event

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:agent-memory-api"
DECISION = {"decision_type": "QUERY", "context": {"market": {"trend": "up"}}, "reasoning": {"n": 1}}
AGENT_IDS = st.from_regex(PATTERNS["agent_id"], fullmatch=True)


@pytest.fixture(autouse=True)
def stores(served, monkeypatch):
    monkeypatch.setattr(metrics, "namespace", "BTCAgent/Memory")
    monkeypatch.setattr(metrics, "service", "api")
    return served


def invoke(payload, alias="agent-hunter"):
    arn = FUNCTION if alias is None else f"{FUNCTION}:{alias}"
    result = entry.handler(payload, Context(invoked_function_arn=arn))
    json.dumps(result, allow_nan=False)
    return result["statusCode"], result["body"]


def call(operation, **fields):
    return invoke({"agent_id": "hunter", "operation": operation, **fields})


def over_http(method, path, body=None, query=None):
    response = entry.resolve(http_event(method, f"/v1/agents/hunter{path}", body, query), Context())
    return response["statusCode"], json.loads(response["body"])


def test_a_decision_from_logging_to_outcome_and_back_over_http():
    status, logged = call("log_decision", **DECISION)
    assert (status, logged["status"]) == (201, "created")
    decision_id = logged["decision_id"]
    assert call("log_outcome", decision_id=decision_id, outcome={"rows": 2}, success=True)[0] == 201
    found = call("get_decision", decision_id=decision_id)
    assert found == over_http("GET", f"/decisions/{decision_id}")
    assert found[1]["outcome"] == {"rows": 2}
    page = call("query_decisions", success="true", context={"market": {"trend": "up"}}, limit=5, start=None)
    assert [one["decision_id"] for one in page[1]["decisions"]] == [decision_id]


def test_names_in_paths_and_bodies_of_any_members():
    memory = {"confidence": 0.5, "query": "a field of the memory", "body": {"n": 1}}
    stored = call("store_ltm", memory_type="PATTERN", pattern_id="BTC/USDT", reason="why", body=memory)
    assert (stored[0], stored[1]["pattern_id"]) == (200, "BTC/USDT")
    assert over_http("GET", "/memory/ltm/PATTERN/BTC~1USDT/history")[1]["changes"][0]["reason"] == "why"
    assert call("store_stm", key="context:current", data={"n": 1}, ttl_seconds=60) == (200, {"key": "context:current"})
    assert call("retrieve_stm", key="context:current")[1]["data"] == {"n": 1}
    for yes in (True, "true"):  # JSON's, and the text of a query string
        assert call("recall", query="pump", explain=yes, half_lives={"PATTERN": 60})[0] == 200


def test_every_operation_of_the_document_can_be_invoked():
    document = json.loads((Path(__file__).parents[3] / "docs" / "openapi.json").read_text())
    named = {one["operationId"] for methods in document["paths"].values() for one in methods.values()}
    assert set(operations()) == named
    for name in named:
        status, body = call(name)
        assert status in {200, 400, 404}, (name, body)
        assert body.get("error", {}).get("code") not in {"no_route", "method_not_allowed", "internal"}, name


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ([], "payload"),
        ("text", "payload"),
        (None, "payload"),
        ({"operation": "log_decision"}, "agent_id"),
        ({"agent_id": "hunter", **DECISION}, "operation"),
        ({"agent_id": "hunter", "operation": "drop"}, "operation"),
        ({"agent_id": "hunter", "operation": ["log_decision"]}, "operation"),
        ({"agent_id": "hunter", "operation": "get_decision"}, "decision_id"),
        ({"agent_id": "hunter", "operation": "get_decision", "decision_id": 7}, "decision_id"),
        ({"agent_id": "hunter", "operation": "get_decision", "decision_id": "x"}, "decision_id"),
        ({"agent_id": "hunter", "operation": "query_decisions", "limits": 3}, "limits"),
        ({"agent_id": "hunter", "operation": "query_decisions", "limit": 0}, "limit"),
        ({"agent_id": "hunter", "operation": "log_decision", "context": {}}, "/decision_type"),
        ({"agent_id": "hunter", "operation": "log_decision", **DECISION, "oops": 1}, "/oops"),
        ({"agent_id": "hunter", "operation": "log_decision", "body": DECISION, "oops": 1}, "oops"),
        ({"agent_id": "hunter", "operation": "log_decision", "body": 5}, "body"),
        ({"agent_id": "hunter", "operation": "log_decision", **DECISION, "context": float("nan")}, "body"),
    ],
)
def test_what_is_wrong_is_named_as_the_routes_name_it(payload, field):
    status, body = invoke(payload)
    assert (status, body["error"]["code"], body["error"]["field"]) == (400, "invalid_input", field)


@pytest.mark.parametrize("alias", [None, "$LATEST", "7", "live", "agent-", "agent-Hunter", "hunter", "agent-x#y"])
def test_who_does_not_invoke_the_alias_of_an_agent_is_refused(alias):
    status, body = invoke({"agent_id": "hunter", "operation": "load_state"}, alias)
    assert (status, body["error"]["code"]) == (403, "forbidden")


@pytest.mark.parametrize("agent_id", ["gatherer", "hunte", "hunter-2", "HUNTER", "", None, ["hunter"], "hunter/../x"])
def test_the_payload_of_an_alias_names_its_agent_or_is_refused(agent_id):
    status, body = invoke({"agent_id": agent_id, "operation": "log_decision", **DECISION})
    assert (status, body["error"]["code"]) == (403, "forbidden")


@pytest.mark.parametrize("agent_id", ["hunter", "gatherer"])
def test_an_event_of_api_gateway_is_not_believed_from_an_alias(agent_id):
    event = http_event("POST", f"/v1/agents/{agent_id}/decisions", DECISION)
    status, body = invoke(event)
    assert (status, body["error"]["field"]) == (400, "agent_id")
    status, body = invoke({**event, "agent_id": "hunter", "operation": "load_state"})
    assert (status, body["error"]["field"]) == (400, "version")  # which is no parameter of the operation
    for name in ("hunter", "gatherer"):
        path = f"/v1/agents/{name}/decisions"
        assert json.loads(entry.resolve(http_event("GET", path), Context())["body"])["decisions"] == []


@pytest.mark.parametrize("name", ["..", "a//b", "a?b", "%2e%2e", "a\\b", "", "x/../../gatherer/state"])
def test_a_name_never_leaves_the_path_of_the_agent(name):
    status, body = call("retrieve_stm", key=name)
    assert status in {400, 403} or (status, body) == (200, {"key": name, "data": None})  # a key of its own


@given(AGENT_IDS, AGENT_IDS)
def test_aliases_are_valid_and_each_is_that_of_one_agent(one, other):
    alias = alias_of(one)
    assert len(alias) <= 128
    assert alias.replace("-", "").replace("_", "").isalnum()
    assert not alias.isdigit()
    assert agent_of_alias(alias) == one == entry.invoking_agent(f"{FUNCTION}:{alias}")
    assert (alias_of(other) == alias) is (other == one)


@given(st.text(alphabet="agent-DOT.xy_0", max_size=20))
def test_no_two_aliases_are_those_of_one_agent(alias):
    agent_id = agent_of_alias(alias)
    assert agent_id is None or alias_of(agent_id) == alias
