"""Sizes of items as Amazon's own DynamoDB Local counts them: one at the limit is stored, one byte more is refused."""

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_memory.storage.dynamodb.attribute_values import encode
from agent_memory.storage.dynamodb.items import item_size

LIMIT = 400 * 1024
TABLE = "item-sizes"
COPIES = 40  # so that a byte too few or too many in one value becomes many

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
floats = st.floats(-1e9, 1e9).filter(lambda x: x == 0 or abs(x) > 1e-100)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**37), 10**37) | floats | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("dynamodb_local")]


@pytest.fixture(scope="module")
def put(dynamodb_local_server):
    client = boto3.client("dynamodb", **dynamodb_local_server)
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    return lambda item: client.put_item(TableName=TABLE, Item=item)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(value=values)
def test_an_item_has_the_size_that_dynamodb_counts(put, value):
    item = {"pk": {"S": "k"}, "copies": {"L": [encode(value)[0]] * COPIES}, "rest": {"S": ""}}
    rest = LIMIT - item_size(item)
    put({**item, "rest": {"S": "x" * rest}})
    with pytest.raises(ClientError, match="size"):
        put({**item, "rest": {"S": "x" * (rest + 1)}})
