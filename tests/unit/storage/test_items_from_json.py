"""Items that are taken from the JSON of an answer are those that botocore parses."""

import json
from base64 import b64encode

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.storage.dynamodb.answers import items_as_json, take_items_from_json
from benchmarks.instant_dynamodb import body_of
from tests.attribute_values import NUMBERS, SCALARS, items

_SCALARS = (
    SCALARS
    | st.builds(lambda raw: {"B": b64encode(raw).decode()}, st.binary(max_size=8))
    | st.builds(lambda numbers: {"NS": [str(one) for one in numbers]}, st.lists(NUMBERS, min_size=1, max_size=3))
    | st.builds(lambda raws: {"BS": [b64encode(one).decode() for one in raws]}, st.lists(st.binary(), min_size=1))
)
_NAMES = st.text(min_size=1, max_size=8) | st.sampled_from(["B", "BS", "S", "NULL", "Items", "Item"])
_ITEMS = items(_SCALARS, _NAMES)
_UNITS = {"TableName": "t", "CapacityUnits": 0.5}


class Answering:
    """Two clients that get the same answers, of which the first takes items from JSON."""

    def __init__(self):
        self.status, self.text = 200, "{}"
        self.clients = [self._client(), self._client()]
        take_items_from_json(self.clients[0])
        take_items_from_json(self.clients[0])  # as for a second logger over the same client

    def both(self, operation, answer, request, *, compact=True):
        self.text = (
            answer if isinstance(answer, str) else json.dumps(answer, separators=(",", ":") if compact else None)
        )
        return [getattr(client, operation)(**request) for client in self.clients]

    def _client(self):
        session = boto3.Session("testing", "testing", region_name="us-east-1")
        client = session.client("dynamodb")
        client.meta.events.register(
            "before-send.dynamodb.*",
            lambda request, **_: AWSResponse(request.url, self.status, {"x-amzn-RequestId": "1"}, body_of(self.text)),
        )
        return client


@pytest.fixture(scope="module")
def answering():
    return Answering()


QUERY = {"TableName": "t", "KeyConditionExpression": "pk = :pk"}
GET = {"TableName": "t", "Key": {"pk": {"S": "a"}}}
BATCH = {"RequestItems": {"t": {"Keys": [{"pk": {"S": "a"}}]}}}


@given(st.lists(_ITEMS, max_size=3), _ITEMS, st.booleans())
def test_a_page_is_the_one_that_botocore_parses(answering, items, last_key, compact):
    answer = {"Items": items, "Count": len(items), "ScannedCount": 9, "LastEvaluatedKey": last_key}
    answer["ConsumedCapacity"] = _UNITS
    for operation, request in (("query", QUERY), ("scan", {"TableName": "t"})):
        ours, theirs = answering.both(operation, answer, request, compact=compact)
        assert ours == theirs


@given(_ITEMS)
def test_an_item_is_the_one_that_botocore_parses(answering, item):
    ours, theirs = answering.both("get_item", {"Item": item, "ConsumedCapacity": _UNITS}, GET)
    assert ours == theirs


@given(st.lists(_ITEMS, max_size=3), st.lists(_ITEMS, max_size=2))
def test_items_of_a_batch_are_those_that_botocore_parses(answering, items, keys):
    answer = {"Responses": {"t": items}, "UnprocessedKeys": {"t": {"Keys": keys, "ConsistentRead": True}}}
    ours, theirs = answering.both("batch_get_item", answer, BATCH)
    assert ours == theirs


@pytest.mark.parametrize("answer", ["{}", '{"Item":null}', '{"Item":{}}'])
def test_an_answer_without_an_item_is_the_same(answering, answer):
    ours, theirs = answering.both("get_item", answer, GET)
    assert ours == theirs


def test_items_are_not_parsed_by_botocore(answering, monkeypatch):
    parsed = []
    monkeypatch.setattr(
        "botocore.parsers.JSONParser._handle_map", lambda _, shape, value: parsed.append(shape.name) or value
    )
    answering.both("get_item", {"Item": {"pk": {"S": "a"}}}, GET)
    assert parsed == ["AttributeMap"]  # once for two clients


@pytest.mark.parametrize(("status", "text"), [(400, '{"__type":"x#ResourceNotFoundException","message":"none"}')])
def test_an_error_is_the_one_that_botocore_raises(answering, monkeypatch, status, text):
    monkeypatch.setattr(answering, "status", status)
    monkeypatch.setattr(answering, "text", text)
    for client in answering.clients:
        with pytest.raises(client.exceptions.ResourceNotFoundException, match="none"):
            client.query(**QUERY)


def test_a_body_that_is_no_json_fails_as_in_botocore(answering):
    answering.text = '{"Items":[{"pk"'
    ours, theirs = (_failure(client) for client in answering.clients)
    assert ours == theirs


def _failure(client):
    try:
        return client.query(**QUERY)
    except Exception as error:
        return type(error), str(error)


class Wrapper:
    """A client of a caller's that passes every request on."""

    def __getattr__(self, name):
        return lambda **request: (name, request)


def test_what_is_no_client_is_left_as_it_is():
    take_items_from_json(object())
    take_items_from_json(Wrapper())


@given(st.lists(items(SCALARS, _NAMES), max_size=3), items(SCALARS, _NAMES))
def test_a_query_returns_items_as_json_where_they_are_asked_for(answering, entries, last_key):
    answer = {"Items": entries, "Count": len(entries), "ScannedCount": 9, "LastEvaluatedKey": last_key}
    with items_as_json():
        ours, theirs = answering.both("query", answer, QUERY)
    has_binary = '"B"' in answering.text or '"BS"' in answering.text
    read = ours["Items"] if has_binary else [json.loads(bytes(one)) for one in ours["Items"]]
    assert {**ours, "Items": read} == theirs
    assert answering.both("query", answer, QUERY) == [theirs, theirs]


def test_other_answers_are_the_same_where_items_are_asked_for_as_json(answering):
    item = {"pk": {"S": "a"}}
    with items_as_json():
        ours, theirs = answering.both("get_item", {"Item": item}, GET)
        assert ours == theirs
        ours, theirs = answering.both("query", {"Items": [{"pk": {"S": "\ud800"}}], "Count": 1}, QUERY)
        assert ours == theirs  # msgspec refuses half a surrogate pair
        assert answering.both("query", {"Items": [{"pk": {"B": "YQ=="}}]}, QUERY)[0]["Items"] == [{"pk": {"B": b"a"}}]
