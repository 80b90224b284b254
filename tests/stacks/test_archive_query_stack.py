"""The Athena table over the archive's files."""

from datetime import date

import pytest

from agent_memory.core.keys import archive_file_key
from agent_memory.core.retention import QUERY_RESULTS_DAYS
from agent_memory.storage.parquet.decision_rows import COLUMNS
from tests.stacks.templates import text_of


@pytest.fixture
def query(aws):
    return aws["query"]


@pytest.fixture
def table(query):
    (table,) = query.properties("AWS::Glue::Table")
    return table["TableInput"]


def test_a_partition_is_where_the_archive_writes_it(table):
    location = text_of(table["Parameters"]["storage.location.template"]).rpartition(">/")[2]
    for name, value in (("agent_id", "hunter"), ("date", "2026-11-20")):
        location = location.replace(f"${{{name}}}", value)
    assert archive_file_key("hunter", date(2026, 11, 20)) == f"{location}decisions.parquet"


def test_columns_are_those_of_the_files_without_the_partitions(table):
    columns = {column["Name"] for column in table["StorageDescriptor"]["Columns"]}
    partitions = [key["Name"] for key in table["PartitionKeys"]]
    assert partitions == ["agent_id", "date"]
    assert columns == set(COLUMNS)
    assert columns.isdisjoint(partitions)
    assert table["Parameters"]["projection.enabled"] == "true"


def test_a_query_is_bounded_and_its_results_are_encrypted_and_expire(aws, query):
    (group,) = query.properties("AWS::Athena::WorkGroup")
    settings = group["WorkGroupConfiguration"]
    assert settings["EnforceWorkGroupConfiguration"] is True
    assert settings["BytesScannedCutoffPerQuery"] == 10 * 1024**3
    assert settings["ResultConfiguration"]["EncryptionConfiguration"] == {"EncryptionOption": "SSE_S3"}
    assert text_of(settings["ResultConfiguration"]["OutputLocation"]).endswith(">/athena/")
    (bucket,) = aws["storage"].properties("AWS::S3::Bucket")
    rules = {rule["Id"]: rule for rule in bucket["LifecycleConfiguration"]["Rules"]}
    results = rules["query-results-expire"]
    assert (results["Prefix"], results["ExpirationInDays"]) == ("athena/", QUERY_RESULTS_DAYS)
