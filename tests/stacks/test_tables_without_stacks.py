"""`AWSMemoryClients` creates the same tables and the same cache as the stacks."""

from copy import deepcopy

import boto3
import pytest
from moto import mock_aws

from agent_memory import AWSMemoryClients, InvalidInput
from agent_memory.storage import schema
from agent_memory.storage.provisioning import table_request


@pytest.fixture
def dynamodb(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield boto3.client("dynamodb", region_name="us-east-1")


def template_of(aws, name):
    tables = aws["storage"].properties("AWS::DynamoDB::Table")
    return deepcopy(next(p for p in tables if p["TableName"] == name))


@pytest.mark.parametrize("table", schema.TABLES, ids=lambda table: table.name)
def test_a_table_is_requested_as_in_the_template(aws, table):
    template = template_of(aws, table.full_name("agent-memory"))
    request = table_request(table, "agent-memory")
    for name in ("KeySchema", "BillingMode", "TableName"):
        assert request[name] == template[name]
    for index in template.get("GlobalSecondaryIndexes", []):
        del index["OnDemandThroughput"]  # the stacks' own cap
    assert request.get("GlobalSecondaryIndexes") == template.get("GlobalSecondaryIndexes")
    attributes = sorted(request["AttributeDefinitions"], key=str)
    assert attributes == sorted(template["AttributeDefinitions"], key=str)
    assert request["SSESpecification"]["Enabled"] is template["SSESpecification"]["SSEEnabled"] is True


def test_missing_tables_are_created_once_with_expiry_and_recovery(aws, dynamodb):
    created = AWSMemoryClients.create_tables_if_not_exist("trial", dynamodb_client=dynamodb)
    assert created == [table.full_name("trial") for table in schema.TABLES]
    assert AWSMemoryClients.create_tables_if_not_exist("trial") == []
    for table in schema.TABLES:
        name, template = table.full_name("trial"), template_of(aws, table.full_name("agent-memory"))
        expiry = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        assert expiry["AttributeName"] == template["TimeToLiveSpecification"]["AttributeName"]
        backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
        assert template["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True


def test_clients_are_of_the_region_and_an_endpoint_is_checked(dynamodb):
    assert AWSMemoryClients.get_dynamodb_client("eu-west-1").meta.region_name == "eu-west-1"
    assert AWSMemoryClients.get_s3_client().meta.region_name == "us-east-1"
    client = AWSMemoryClients.get_redis_client("cache.example:6380", tls=True)
    assert client.connection_pool.connection_kwargs["port"] == 6380
    with pytest.raises(InvalidInput, match="host:port"):
        AWSMemoryClients.get_redis_client("cache.example")


def test_the_cache_is_that_of_the_stack(aws):
    class ElastiCache:
        """Records the request, and is ready at once."""

        request = None

        def create_replication_group(self, **request):
            self.request = request

        def get_waiter(self, _name):
            return self

        def wait(self, ReplicationGroupId):  # noqa: N803  boto3's own name
            assert ReplicationGroupId == "agent-memory"

        def describe_replication_groups(self, ReplicationGroupId):  # noqa: N803
            endpoint = {"Address": f"{ReplicationGroupId}.example", "Port": 6380}
            return {"ReplicationGroups": [{"NodeGroups": [{"PrimaryEndpoint": endpoint}]}]}

    client = ElastiCache()
    endpoint = AWSMemoryClients.create_redis_cache_if_not_exist(elasticache_client=client)
    assert endpoint == "agent-memory.example:6380"
    (template,) = aws["cache"].properties("AWS::ElastiCache::ReplicationGroup")
    same = ("Engine", "EngineVersion", "CacheNodeType", "NumCacheClusters", "Port", "ReplicationGroupDescription")
    for name in (*same, "AtRestEncryptionEnabled", "TransitEncryptionEnabled"):
        assert client.request[name] == template[name], name
