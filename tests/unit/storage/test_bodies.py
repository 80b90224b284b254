"""The bodies of requests that are written from their parameters are those that botocore writes."""

import json

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ParamValidationError
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.storage.dynamodb.bodies import write_bodies_from_parameters
from benchmarks.instant_dynamodb import body_of
from tests.attribute_values import SCALARS, items

_NAMES = st.text(min_size=1, max_size=8)
_WITH_BINARY = SCALARS | st.builds(lambda raw: {"B": raw}, st.binary(max_size=8))


class Sending:
    """Two clients whose requests are recorded, of which the first writes bodies from parameters."""

    def __init__(self, **config):
        self.sent = []
        self.clients = [self._client(config), self._client(config)]
        write_bodies_from_parameters(self.clients[0])
        write_bodies_from_parameters(self.clients[0])  # as for a second logger over the same client

    def both(self, operation, **parameters):
        self.sent.clear()
        for client in self.clients:
            getattr(client, operation)(**parameters)
        ours, theirs = self.sent
        assert ours.url == theirs.url
        assert ours.headers["X-Amz-Target"] == theirs.headers["X-Amz-Target"]
        assert int(ours.headers["Content-Length"]) == len(ours.body)
        return json.loads(ours.body), json.loads(theirs.body)

    def _client(self, config):
        session = boto3.Session("testing", "testing", region_name="us-east-1")
        client = session.client("dynamodb", config=Config(**config))
        client.meta.events.register("before-send.dynamodb.*", self._record)
        return client

    def _record(self, request, **_):
        self.sent.append(request)
        return AWSResponse(request.url, 200, {"x-amzn-RequestId": "1"}, body_of("{}"))


@pytest.fixture(scope="module", params=[True, False], ids=["validated", "not-validated"])
def sending(request):
    return Sending(parameter_validation=request.param)


KEY = {"pk": {"S": "a"}, "sk": {"S": "b"}}
UPDATE = {
    "TableName": "t",
    "Key": KEY,
    "UpdateExpression": "SET #a = :a",
    "ExpressionAttributeNames": {"#a": "a"},
}


@given(items(_WITH_BINARY, _NAMES), items(SCALARS, _NAMES))
def test_every_write_is_the_one_that_botocore_writes(sending, item, other):
    values = {f":{name}": value for name, value in item.items()}
    update = {**UPDATE, "ExpressionAttributeValues": values}
    check = {"TableName": "t", "Key": KEY, "ConditionExpression": "a = :a", "ExpressionAttributeValues": values}
    writes = [
        {"Put": {"TableName": "t", "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}},
        {"Update": update},
        {"Delete": {"TableName": "t", "Key": KEY}},
        {"ConditionCheck": check},
    ]
    statements = [
        {"Statement": "INSERT INTO t VALUE {'a': ?}", "Parameters": list(item.values())},
        {"Statement": "DELETE FROM t WHERE pk = 'a'"},
    ]
    requests = {"t": [{"PutRequest": {"Item": other}}, {"DeleteRequest": {"Key": KEY}}]}
    for operation, parameters in (
        ("put_item", {"TableName": "t", "Item": item, "ReturnConsumedCapacity": "TOTAL"}),
        ("update_item", update),
        ("transact_write_items", {"TransactItems": writes, "ClientRequestToken": "one"}),
        ("batch_execute_statement", {"Statements": statements}),
        ("batch_write_item", {"RequestItems": requests}),
    ):
        ours, theirs = sending.both(operation, **parameters)
        assert ours == theirs


def test_what_botocore_adds_to_the_parameters_is_sent(sending):
    ours, theirs = sending.both("transact_write_items", TransactItems=[{"Delete": {"TableName": "t", "Key": KEY}}])
    assert ours.pop("ClientRequestToken") != theirs.pop("ClientRequestToken")
    assert ours == theirs


def test_the_parameters_of_the_caller_stay_as_they_are(sending):
    item = {"pk": {"S": "a"}, "values": {"L": [{"N": "1"}]}}
    writes = [{"Put": {"TableName": "t", "Item": item}}]
    sending.clients[0].put_item(TableName="t", Item=item)
    sending.clients[0].transact_write_items(TransactItems=writes)
    assert item == {"pk": {"S": "a"}, "values": {"L": [{"N": "1"}]}}
    assert writes == [{"Put": {"TableName": "t", "Item": item}}]


def test_what_has_no_json_is_an_error_of_botocore():
    client = Sending(parameter_validation=True).clients[0]
    with pytest.raises(ParamValidationError, match="pk"):
        client.put_item(TableName="t", Item={"pk": {"S": object()}})


def test_a_wrapper_of_a_client_is_left_as_it_is():
    write_bodies_from_parameters(object())
