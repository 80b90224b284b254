"""Tables for tests, made from the product's own schema."""

from agent_memory.schema import TABLES
from agent_memory.stores.provisioning import table_request


def create_tables(dynamodb, prefix):
    for table in TABLES:
        dynamodb.create_table(**table_request(table, prefix))
