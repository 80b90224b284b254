"""Items of the deployed tables as plain Python values, as a tool that reads tables sees them."""

from boto3.dynamodb.types import TypeDeserializer

_read = TypeDeserializer().deserialize


def items_of(dynamodb, table, partition, *, index=None):
    """The items of one partition of a table or of an index, in the order of their sort keys."""
    key = {"by_context": "agent_context", "by_context_keys": "agent_context_keys"}.get(index, "pk")
    found = dynamodb.query(
        TableName=f"agent-memory-{table}",
        **({"IndexName": index} if index else {}),
        KeyConditionExpression="#key = :partition",
        ExpressionAttributeNames={"#key": key},
        ExpressionAttributeValues={":partition": {"S": partition}},
    )
    return [{name: _read(value) for name, value in item.items()} for item in found["Items"]]
