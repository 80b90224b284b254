"""What no request may hold and no reply can carry, on stores in memory."""

import base64
import json

import pytest

from agent_memory.api import entry as api
from agent_memory.api.http import json_text
from agent_memory.core.http_limits import MAX_BODY_BYTES, escaped_size
from tests.http_events import Context, http_event

BASE = "/v1/agents/market-hunter"
LAMBDA_BYTES = 6 * 1024 * 1024
ONE = {"decision_type": "QUERY", "context": {}, "reasoning": {}}

pytestmark = pytest.mark.usefixtures("served")


def answer_to(method, path, body=None, query=None, **more):
    """The status and the body of an answer that Lambda could return."""
    answer = api.resolve(http_event(method, BASE + path, body, query, **more), Context())
    # Lambda's runtime writes JSON in UTF-8 from Python 3.12 on.
    assert len(json.dumps(answer, ensure_ascii=False).encode()) <= LAMBDA_BYTES
    return answer["statusCode"], json.loads(answer["body"])


def of_size(size, fill):
    """A draft whose body has so many bytes."""
    empty = len(json.dumps({**ONE, "reasoning": {"why": ""}}))
    return {**ONE, "reasoning": {"why": fill * (size - empty)}}


def log(body):
    status, told = answer_to("POST", "/decisions", body)
    assert status == 201, told
    return told["decision_id"]


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
        ('context={"a":' + "[" * 400 + "]" * 400 + "}", None),
        ("cursor=%F0%9F%98%80", "cursor"),
    ],
)
def test_an_unusable_query_is_400_and_names_the_parameter(query, field):
    log(ONE)
    status, told = answer_to("GET", "/decisions", query=query)
    assert (status, told.get("error", {}).get("field")) == ((400, field) if field else (200, None))


def test_a_value_may_hold_commas_and_spaces():
    log({**ONE, "context": {"market": {"trend": "up, then down", "phase": "a+b"}}})
    query = 'context={"trend":"up,%20then+down","phase":"a%2Bb"}'
    assert len(answer_to("GET", "/decisions", query=query)[1]["decisions"]) == 1


@pytest.mark.parametrize(
    ("path", "raw", "field"),
    [
        ("/decisions", '{"decision_type": 1e999}', "body"),
        ("/decisions", '{"decision_type": ' + "1" * 5000 + "}", "body"),
        ("/decisions", '{"decision_type":"QUERY","context":{"a":"\\ud800"},"reasoning":{}}', "/context/a"),
        ("/decisions", json.dumps({**ONE, "context": {"a": 1e200}}), "/context/a"),
        ("/decisions/batch", '{"decisions":[],"more":1}', "/more"),
        ("/decisions/batch", '{"outcomes":[]}', "/outcomes"),
        ("/decisions/batch", "{}", "/decisions"),
        ("/outcomes/batch", '{"outcomes":{}}', "/outcomes"),
    ],
)
def test_an_unusable_body_is_400_and_names_the_field(path, raw, field):
    status, told = answer_to("POST", path, raw=raw)
    assert (status, told["error"]["field"]) == (400, field)


@pytest.mark.parametrize("levels", [40, 400, 900, 100_000])
def test_deep_nesting_is_400(levels):
    raw = '{"decision_type":"QUERY","reasoning":{},"context":{"a":' + "[" * levels + "]" * levels + "}}"
    status, told = answer_to("POST", "/decisions", raw=raw)
    assert (status, told["error"]["code"]) == (400, "invalid_input")


def test_the_path_alone_names_the_decision_of_an_outcome():
    decision_id = log(ONE)
    report = {"decision_id": decision_id, "outcome": {}, "success": True}
    status, told = answer_to("POST", f"/decisions/{decision_id}/outcome", report)
    assert (status, told["error"]["field"]) == (400, "/decision_id")


def test_base64_bodies_are_read():
    body = base64.b64encode(json.dumps({**ONE, "context": {"a": "ä"}}).encode()).decode()
    status, told = answer_to("POST", "/decisions", raw=body, is_base64=True)
    assert (status, told["status"]) == (201, "created")
    for wrong in ("=", "§", base64.b64encode(b"\xff").decode()):
        status, told = answer_to("POST", "/decisions", raw=wrong, is_base64=True)
        assert (status, told["error"]["field"]) == (400, "body")


def test_five_megabytes_go_in_and_come_out_and_ten_are_413():
    decision = of_size(5_242_880, "x")
    decision_id = log(decision)
    status, found = answer_to("GET", f"/decisions/{decision_id}")
    assert (status, found["reasoning"]) == (200, decision["reasoning"])
    log(of_size(MAX_BODY_BYTES, "x"))
    for size in (MAX_BODY_BYTES + 1, 10_000_000):
        status, told = answer_to("POST", "/decisions", of_size(size, "x"))
        assert (status, told["error"]["code"], told["error"]["field"]) == (413, "too_large", "body")


def test_the_limit_counts_bytes_not_characters():
    wide = {**ONE, "reasoning": {"why": "語" * 1_900_000}}
    assert answer_to("POST", "/decisions", raw=json.dumps(wide, ensure_ascii=False))[0] == 413
    wide["reasoning"]["why"] = "語" * 1_750_000
    status, told = answer_to("POST", "/decisions", raw=json.dumps(wide, ensure_ascii=False))
    assert status == 201
    assert answer_to("GET", f"/decisions/{told['decision_id']}")[1]["reasoning"] == wide["reasoning"]


def test_a_page_ends_where_a_reply_is_full():
    ids = [log({**ONE, "context": {"n": n}, "reasoning": {"why": "y" * 1_500_000}}) for n in range(9)]
    seen, cursor = [], ""
    while cursor is not None:
        query = {"order": "oldest", **({"cursor": cursor} if cursor else {})}
        _, page = answer_to("GET", "/decisions", query=query)
        assert len(page["decisions"]) in (1, 4)
        seen += [one["decision_id"] for one in page["decisions"]]
        cursor = page["cursor"]
    assert sorted(seen) == sorted(ids)
    assert len(seen) == 9


def test_what_no_reply_can_carry_is_413_and_never_cut():
    # Two bytes in the body as it came, four in the reply: a quote is escaped twice.
    decision_id = log({**ONE, "reasoning": {"why": '"' * 2_000_000}})
    child = log({**ONE, "parent_ids": [decision_id]})
    for path in (f"/decisions/{decision_id}", f"/decisions/{child}/chain", "/decisions"):
        status, told = answer_to("GET", path, query={"order": "oldest"} if path == "/decisions" else None)
        assert (status, told["error"]["code"], told["error"]["field"]) == (413, "too_large", "reply")
        assert "DecisionLogger" in told["error"]["message"]


def test_carried_bytes_are_those_of_lambdas_own_json():
    for value in ({"a": 'quote " and \\ back'}, ["ä語😀", "\n\t\x01"], {"x": "\\" * 50}):
        text = json_text(value)
        assert escaped_size(text) == len(json.dumps(text, ensure_ascii=False).encode()) - 2
