"""Tables for tests, created from the product's schema."""

from agent_memory.storage.provisioning import table_request
from agent_memory.storage.schema import TABLES


def create_tables(dynamodb, prefix):
    for table in TABLES:
        dynamodb.create_table(**table_request(table, prefix))
