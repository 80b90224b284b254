"""Tables for tests, made from the product's own schema."""

from agent_memory.schema import TABLES


def create_tables(dynamodb, prefix):
    for table in TABLES:
        keys = {key.name: key.type for index in table.indexes for key in (index.partition, index.sort)}
        keys |= {table.partition.name: table.partition.type, table.sort.name: table.sort.type}
        indexes = [
            {
                "IndexName": index.name,
                "KeySchema": _key_schema(index.partition, index.sort),
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
            for index in table.indexes
        ]
        dynamodb.create_table(
            TableName=table.full_name(prefix),
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": t} for n, t in keys.items()],
            KeySchema=_key_schema(table.partition, table.sort),
            **({"GlobalSecondaryIndexes": indexes} if indexes else {}),
        )


def _key_schema(partition, sort):
    return [
        {"AttributeName": partition.name, "KeyType": "HASH"},
        {"AttributeName": sort.name, "KeyType": "RANGE"},
    ]
