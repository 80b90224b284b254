"""The routes and errors of the HTTP API, on stores in memory."""

import json

import pytest

from agent_memory.api import entry as api
from agent_memory.core.clock import to_iso
from agent_memory.core.errors import Unavailable
from agent_memory.core.ids import new_decision_id
from tests.http_events import Context, http_event

BASE = "/v1/agents/market-hunter"
DECISION = {
    "decision_type": "QUERY",
    "context": {"market": {"trend": "bullish"}, "ratio": 1.0},
    "reasoning": {"n": 1},
}


@pytest.fixture(autouse=True)
def stores(served):
    return served


def call(method, path, body=None, query=None, *, raw=None, base=BASE):
    response = api.resolve(http_event(method, base + path, body, query, raw=raw), Context())
    return response["statusCode"], json.loads(response["body"])


def test_a_decision_from_logging_to_outcome():
    status, logged = call("POST", "/decisions", DECISION)
    assert (status, logged["status"]) == (201, "created")
    path = f"/decisions/{logged['decision_id']}"
    assert call("POST", f"{path}/outcome", {"outcome": {"rows": 2}, "success": True})[0] == 201
    status, found = call("GET", path)
    assert status == 200
    assert (found["context"], found["outcome"], found["success"]) == (DECISION["context"], {"rows": 2}, True)


@pytest.mark.parametrize("seconds", [1_763_640_000, 1_763_640_000.25])
def test_a_time_may_be_seconds_since_1970(seconds):
    for path, body in (("/decisions", DECISION), ("/decisions/batch", None)):
        decision = {**DECISION, "timestamp": seconds}
        assert call("POST", path, decision if body else {"decisions": [decision]})[0] in {200, 201}
    times = {one["timestamp"] for one in call("GET", "/decisions")[1]["decisions"]}
    assert times == {to_iso(int(seconds * 1000))}


def test_a_slash_in_a_name_is_written_as_in_a_json_pointer():
    assert call("PUT", "/memory/ltm/PATTERN/BTC~1USDT", {"n": 1})[1]["pattern_id"] == "BTC/USDT"
    assert len(call("GET", "/memory/ltm/PATTERN/BTC~1USDT/history")[1]["changes"]) == 1
    status, body = call("PUT", "/memory/ltm/PATTERN/BTC~0USDT", {"n": 1})
    assert (status, body["error"]["field"]) == (400, "pattern_id")


def test_a_repeated_decision_is_stored_once_and_different_content_is_409():
    decision_id = new_decision_id("QUERY", 1_760_000_000_000)
    decision = {**DECISION, "decision_id": decision_id}
    assert [call("POST", "/decisions", decision)[0] for _ in range(2)] == [201, 200]
    status, body = call("POST", "/decisions", {**decision, "reasoning": {"n": 2}})
    assert (status, body["error"]["code"]) == (409, "conflict")
    assert len(call("GET", "/decisions")[1]["decisions"]) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"decision_type": "x"}, "/decision_type"),
        ({"context": 5}, "/context"),
        ({"oops": 1}, "/oops"),
        ({"timestamp": "then"}, "/timestamp"),
        ({"timestamp": True}, "/timestamp"),
        ({"timestamp": []}, "/timestamp"),
        ({"timestamp": 1_795_176_000_000}, "/timestamp"),
    ],
)
def test_a_malformed_decision_is_400_and_names_the_field(change, field):
    status, body = call("POST", "/decisions", {**DECISION, **change})
    assert (status, body["error"]["code"], body["error"]["field"]) == (400, "invalid_input", field)


@pytest.mark.parametrize("raw", ["", "{", "[1]", '"x"', '{"a": NaN}', "[" * 100_000])
def test_a_body_that_is_not_a_json_object_is_400(raw):
    status, body = call("POST", "/decisions", raw=raw)
    assert (status, body["error"]["field"]) == (400, "body")


def test_unknown_decisions_and_routes_are_404():
    assert call("GET", f"/decisions/{new_decision_id('QUERY', 5)}")[0] == 404
    outcome = {"outcome": {}, "success": True}
    assert call("POST", f"/decisions/{new_decision_id('QUERY', 5)}/outcome", outcome)[0] == 404
    status, body = call("GET", "/nothing/here")
    assert (status, body["error"]["code"]) == (404, "no_route")


def test_invalid_path_parameters_are_400():
    assert call("GET", "/decisions", base="/v1/agents/Bad-Agent")[1]["error"]["field"] == "agent_id"
    assert call("GET", "/decisions/4711")[1]["error"]["field"] == "decision_id"


def test_a_batch_reports_each_item():
    other = {**DECISION, "decision_id": new_decision_id("QUERY", 1_760_000_000_000)}
    status, body = call("POST", "/decisions/batch", {"decisions": [DECISION, {**DECISION, "context": 1}, other, other]})
    assert status == 200
    assert [r["status"] for r in body["results"]] == ["created", "invalid", "created", "unchanged"]
    assert body["results"][1]["error"]["field"] == "/decisions/1/context"
    decision_id = body["results"][0]["decision_id"]
    outcomes = [
        {"decision_id": decision_id, "outcome": {}, "success": True},
        {"decision_id": new_decision_id("QUERY", 7), "outcome": {}, "success": True},
        {"decision_id": new_decision_id("NEVER", 7), "outcome": {}, "success": True},
        {"decision_id": other["decision_id"], "outcome": {}, "success": "yes"},
    ]
    _, body = call("POST", "/outcomes/batch", {"outcomes": outcomes})
    assert [r["status"] for r in body["results"]] == ["recorded", "not_found", "not_found", "invalid"]


@pytest.mark.parametrize("decisions", [[], [DECISION] * 101, "x", None])
def test_a_batch_of_the_wrong_size_is_400(decisions):
    status, body = call("POST", "/decisions/batch", {"decisions": decisions})
    assert (status, body["error"]["field"]) == (400, "/decisions")


def test_queries_page_and_filter():
    for n in range(5):
        call("POST", "/decisions", {**DECISION, "context": {"n": n}})
    status, page = call("GET", "/decisions", query={"limit": "3", "order": "oldest"})
    assert (status, len(page["decisions"])) == (200, 3)
    _, rest = call("GET", "/decisions", query={"limit": "3", "order": "oldest", "cursor": page["cursor"]})
    assert {d["context"]["n"] for d in page["decisions"] + rest["decisions"]} == set(range(5))
    assert rest["cursor"] is None
    _, one = call("GET", "/decisions", query={"context": '{"n": 3}'})
    assert [d["context"]["n"] for d in one["decisions"]] == [3]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "many"}, "limit"),
        ({"limit": "0"}, "limit"),
        ({"success": "maybe"}, "success"),
        ({"order": "up"}, "order"),
        ({"context": "{"}, "context"),
        ({"cursor": "abc"}, "cursor"),
        ({"start": "x"}, "time_range/start"),
    ],
)
def test_invalid_query_parameters_are_400(query, field):
    status, body = call("GET", "/decisions", query=query)
    assert (status, body["error"]["field"]) == (400, field)


def test_memory_over_http():
    assert call("PUT", "/memory/stm/context:current", {"data": {"v": 1}, "ttl_seconds": 60})[0] == 200
    assert call("GET", "/memory/stm/context:current")[1]["data"] == {"v": 1}
    assert call("GET", "/memory/stm/other")[1]["data"] is None
    assert call("PUT", "/memory/stm/x", {"data": 1, "ttl_seconds": 0})[1]["error"]["field"] == "/ttl_seconds"
    assert call("PUT", "/memory/ltm/PATTERN/p1", {"confidence": 0.8, "context": "bullish"})[1]["version"] == 1
    assert call("PUT", "/memory/ltm/PATTERN/p1", {"confidence": 2})[1]["error"]["field"] == "/confidence"
    filters = {"filters": '{"min_confidence": 0.7, "context": "bullish"}'}
    assert [m["pattern_id"] for m in call("GET", "/memory/ltm/PATTERN", query=filters)[1]["memories"]] == ["p1"]
    assert call("GET", "/memory/ltm/PATTERN", query={"filters": '{"min_confidence": 0.9}'})[1]["memories"] == []


def test_an_outage_is_503_and_not_an_empty_result(stores, monkeypatch):
    def down(*_args, **_kwargs):
        raise Unavailable("DynamoDB did not respond: EndpointConnectionError")

    monkeypatch.setattr(stores.decisions, "get", down)
    monkeypatch.setattr(stores.states, "registration", down)
    assert call("GET", f"/decisions/{new_decision_id('QUERY', 5)}")[0] == 503
    assert call("GET", "/decisions")[0] == 503


def test_an_unexpected_error_shows_only_the_request_id(stores, monkeypatch, caplog):
    def broken(*_args, **_kwargs):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(stores.decisions, "get", broken)
    status, body = call("GET", f"/decisions/{new_decision_id('QUERY', 5)}")
    assert status == 500
    assert body == {"error": {"code": "internal", "message": "unexpected error", "request_id": "request-1"}}
    assert "secret detail" in caplog.text


@pytest.mark.parametrize("query", [None, {"limit": "5"}])
def test_an_unknown_path_is_404_with_any_query(query):
    status, body = call("GET", "/decisions/a/b/c", query=query)
    assert (status, body["error"]["code"]) == (404, "no_route")
