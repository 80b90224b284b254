"""The limits of requests and responses, on stores in memory."""

import base64
import json

import pytest

from agent_memory.api import entry as api
from agent_memory.api.http import json_text
from agent_memory.core.http_limits import MAX_BODY_BYTES, escaped_size
from tests.http_events import Context, http_event

BASE = "/v1/agents/market-hunter"
LAMBDA_BYTES = 6 * 1024 * 1024
DECISION = {"decision_type": "QUERY", "context": {}, "reasoning": {}}

pytestmark = pytest.mark.usefixtures("served")


def call(method, path, body=None, query=None, **arguments):
    """The status and the body of a response that Lambda can return."""
    response = api.resolve(http_event(method, BASE + path, body, query, **arguments), Context())
    # Lambda's runtime writes JSON in UTF-8 from Python 3.12 on.
    assert len(json.dumps(response, ensure_ascii=False).encode()) <= LAMBDA_BYTES
    return response["statusCode"], json.loads(response["body"])


def decision_of_size(size, fill):
    """A decision whose JSON has this number of bytes."""
    empty = len(json.dumps({**DECISION, "reasoning": {"why": ""}}))
    return {**DECISION, "reasoning": {"why": fill * (size - empty)}}


def log(decision):
    status, body = call("POST", "/decisions", decision)
    assert status == 201, body
    return body["decision_id"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=1&limit=2", "limit"),
        ("decision_type=A,B&decision_type=C", "decision_type"),
        ("limit=1&limlt=2", "limlt"),
        ("context_type=%ff", "query"),
        ("&".join(f"a{n}=1" for n in range(200)), "query"),
        ("limit=", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("limit=1001", "limit"),
        ("context=[]", "context"),
        ("context={", "context"),
        ('context={"a":NaN}', "context"),
        ('context={"a":1e999}', "context"),
        ('context={"a":"%5Cud800"}', "context"),
        ('context={"a":' + "[" * 100_000, "context"),
        ('context={"a":' + "[" * 400 + "]" * 400 + "}", "context/a" + "/0" * 31),
        ("cursor=%F0%9F%98%80", "cursor"),
    ],
)
def test_an_invalid_query_is_400_and_names_the_parameter(query, field):
    log(DECISION)
    status, body = call("GET", "/decisions", query=query)
    assert (status, body.get("error", {}).get("field")) == ((400, field) if field else (200, None))


def test_a_query_parameter_may_contain_commas_and_spaces():
    log({**DECISION, "context": {"market": {"trend": "up, then down", "phase": "a+b"}}})
    query = 'context={"trend":"up,%20then+down","phase":"a%2Bb"}'
    assert len(call("GET", "/decisions", query=query)[1]["decisions"]) == 1


@pytest.mark.parametrize(
    ("path", "raw", "field"),
    [
        ("/decisions", '{"decision_type": 1e999}', "body"),
        ("/decisions", '{"decision_type": ' + "1" * 5000 + "}", "body"),
        ("/decisions", '{"decision_type":"QUERY","context":{"a":"\\ud800"},"reasoning":{}}', "/context/a"),
        ("/decisions", json.dumps({**DECISION, "context": {"a": 1e200}}), "/context/a"),
        ("/decisions/batch", '{"decisions":[],"more":1}', "/more"),
        ("/decisions/batch", '{"outcomes":[]}', "/outcomes"),
        ("/decisions/batch", "{}", "/decisions"),
        ("/outcomes/batch", '{"outcomes":{}}', "/outcomes"),
    ],
)
def test_an_invalid_body_is_400_and_names_the_field(path, raw, field):
    status, body = call("POST", path, raw=raw)
    assert (status, body["error"]["field"]) == (400, field)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ('{"decision_type":"QUERY","context":{"a":1,"a":2},"reasoning":{}}', "'a' is given twice"),
        ('{"decision_type":"QUERY","context":{},"reasoning":{},"reasoning":{}}', "'reasoning' is given twice"),
        ('{"decision_type":"QUERY","context":{"l":[{"\\u0061":1,"a":1}]},"reasoning":{}}', "'a' is given twice"),
        ('{"decision_type":"QUERY","context":{"a":0.1234567890123456789},"reasoning":{}}', "0.1234567890123456789"),
        ('{"decision_type":"QUERY","context":{"a":1234567890123456.789},"reasoning":{}}', "1234567890123456.789"),
        ('{"decision_type":"QUERY","context":{"a":1e-400},"reasoning":{}}', "1e-400"),
        ('{"decision_type":"QUERY","context":{"a":"Z\ufffdrich"},"reasoning":{}}', "UTF-8"),
    ],
)
def test_a_body_that_would_not_be_kept_as_it_is_is_400(raw, says):
    status, answer = call("POST", "/decisions", raw=raw)
    assert (status, answer["error"]["field"]) == (400, "body")
    assert says in answer["error"]["message"]
    query = raw.removeprefix('{"decision_type":"QUERY","context":').removesuffix(',"reasoning":{}}')
    if says.startswith(("'a'", "0", "1")):
        assert call("GET", "/decisions", query={"context": query})[1]["error"]["field"] == "context"


def test_a_latin_1_body_is_400():
    body = '{"decision_type":"QUERY","context":{"a":"Zürich"},"reasoning":{}}'.encode("latin-1")
    event = http_event("POST", BASE + "/decisions", content=body)
    answer = api.resolve(event, Context())
    assert (answer["statusCode"], json.loads(answer["body"])["error"]["field"]) == (400, "body")


@pytest.mark.parametrize(
    "number", ["0.10000000000000000", "0.10000000000000001", "0.30000000000000004", "1.7976931348623157e+100", "0e-500"]
)
def test_every_text_of_a_float_is_read(number):
    raw = '{"decision_type":"QUERY","context":{"a":' + number + '},"reasoning":{}}'
    status, answer = call("POST", "/decisions", raw=raw)
    assert status == 201, answer
    found = call("GET", f"/decisions/{answer['decision_id']}")[1]
    assert found["context"]["a"] == float(number)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/decisions", "GET, POST"),
        ("GET", "/decisions/batch", "POST"),
        ("POST", "/state", "GET, PUT"),
        ("POST", "/memory/ltm/PATTERN/p1", "DELETE, GET, PUT"),
    ],
)
def test_a_method_that_a_path_has_not_is_405_and_names_those_that_it_has(method, path, allowed):
    answer = api.resolve(http_event(method, BASE + path), Context())
    assert (answer["statusCode"], answer["headers"]["Allow"]) == (405, allowed)
    assert json.loads(answer["body"])["error"]["code"] == "method_not_allowed"


@pytest.mark.parametrize("levels", [40, 400, 900, 100_000])
def test_deep_nesting_is_400(levels):
    raw = '{"decision_type":"QUERY","reasoning":{},"context":{"a":' + "[" * levels + "]" * levels + "}}"
    status, body = call("POST", "/decisions", raw=raw)
    assert (status, body["error"]["code"]) == (400, "invalid_input")


def test_the_body_of_an_outcome_may_not_name_the_decision():
    decision_id = log(DECISION)
    outcome = {"decision_id": decision_id, "outcome": {}, "success": True}
    status, body = call("POST", f"/decisions/{decision_id}/outcome", outcome)
    assert (status, body["error"]["field"]) == (400, "/decision_id")


def test_base64_bodies_are_read():
    encoded = base64.b64encode(json.dumps({**DECISION, "context": {"a": "ä"}}).encode()).decode()
    status, body = call("POST", "/decisions", raw=encoded, is_base64=True)
    assert (status, body["status"]) == (201, "created")
    for invalid in ("=", "§", base64.b64encode(b"\xff").decode()):
        status, body = call("POST", "/decisions", raw=invalid, is_base64=True)
        assert (status, body["error"]["field"]) == (400, "body")


def test_five_megabytes_are_stored_and_returned_and_ten_are_413():
    decision = decision_of_size(5_242_880, "x")
    decision_id = log(decision)
    status, found = call("GET", f"/decisions/{decision_id}")
    assert (status, found["reasoning"]) == (200, decision["reasoning"])
    log(decision_of_size(MAX_BODY_BYTES, "x"))
    for size in (MAX_BODY_BYTES + 1, 10_000_000):
        status, body = call("POST", "/decisions", decision_of_size(size, "x"))
        assert (status, body["error"]["code"], body["error"]["field"]) == (413, "too_large", "body")


def test_the_limit_counts_bytes_not_characters():
    wide = {**DECISION, "reasoning": {"why": "語" * 1_900_000}}
    assert call("POST", "/decisions", raw=json.dumps(wide, ensure_ascii=False))[0] == 413
    wide["reasoning"]["why"] = "語" * 1_750_000
    status, body = call("POST", "/decisions", raw=json.dumps(wide, ensure_ascii=False))
    assert status == 201
    assert call("GET", f"/decisions/{body['decision_id']}")[1]["reasoning"] == wide["reasoning"]


def test_a_page_ends_at_the_size_limit_of_a_response():
    ids = [log({**DECISION, "context": {"n": n}, "reasoning": {"why": "y" * 1_500_000}}) for n in range(9)]
    seen, cursor = [], ""
    while cursor is not None:
        query = {"order": "oldest", **({"cursor": cursor} if cursor else {})}
        _, page = call("GET", "/decisions", query=query)
        assert len(page["decisions"]) in (1, 4)
        seen += [one["decision_id"] for one in page["decisions"]]
        cursor = page["cursor"]
    assert sorted(seen) == sorted(ids)
    assert len(seen) == 9


def test_a_decision_over_the_limit_is_413_alone_and_named_in_listings():
    # A quote is two bytes in the request body and four in the response, where it is escaped twice.
    decision_id = log({**DECISION, "reasoning": {"why": '"' * 2_000_000}})
    child = log({**DECISION, "parent_ids": [decision_id]})
    status, body = call("GET", f"/decisions/{decision_id}")
    assert (status, body["error"]["code"], body["error"]["field"]) == (413, "too_large", "reply")
    assert "DecisionLogger" in body["error"]["message"]
    for path, name, others in ((f"/decisions/{child}/chain", "chain", []), ("/decisions", "decisions", [child])):
        status, body = call("GET", path, query={"order": "oldest"} if name == "decisions" else None)
        assert (status, [one["decision_id"] for one in body[name]], body["complete"]) == (200, others, False)
        (missing,) = body["missing"]
        assert (missing["id"], missing["reason"]) == (decision_id, "too_large")
        assert "DecisionLogger" in missing["why"]


def test_escaped_size_is_that_of_lambdas_json():
    for value in ({"a": 'quote " and \\ back'}, ["ä語😀", "\n\t\x01"], {"x": "\\" * 50}):
        text = json_text(value)
        assert escaped_size(text) == len(json.dumps(text, ensure_ascii=False).encode()) - 2


def test_a_memory_or_state_over_the_limit_of_an_item_is_413():
    large = {"why": "x" * 410_000}
    for path, field in (("/memory/ltm/PATTERN/p1", "data"), ("/state", "state")):
        status, answer = call("PUT", path, large)
        assert (status, answer["error"]["code"], answer["error"]["field"]) == (413, "too_large", field)
        assert "DynamoDB" not in answer["error"]["message"]
