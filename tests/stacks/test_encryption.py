"""Encryption, secrets and the audit trail."""

import json
import re

import pytest

from stacks.config import ConfigError, DeployConfig
from tests.stacks.conftest import DEPLOYMENTS
from tests.stacks.templates import as_list, text_of

SECRET = re.compile(
    r"SecretsManager|\{\{resolve:|ssm-secure|\"AuthToken\"|\"Passwords?\"|NoEcho|AKIA[0-9A-Z]{16}"
    r"|PRIVATE KEY|SecretAccessKey",
    re.IGNORECASE,
)
# The variables that a function's environment may have; none of them is a secret.
VARIABLES = {
    "AGENT_MEMORY_TABLE_PREFIX",
    "AGENT_MEMORY_ARCHIVE_BUCKET",
    "AGENT_MEMORY_WRITE_SHARDS",
    "AGENT_MEMORY_DECISIONS_PER_PART",
    "AGENT_MEMORY_EMBEDDER",
    "AGENT_MEMORY_RECALL_WEIGHTS",
    "AGENT_MEMORY_GATEWAY_READ_ONLY",
    "AGENT_MEMORY_NIGHTLY_EXECUTIONS",
    "AGENT_MEMORY_REDIS_ENDPOINT",
    "AGENT_MEMORY_REDIS_TLS",
    "AGENT_MEMORY_REDIS_USER",
    "AGENT_MEMORY_REDIS_CACHE",
    "POWERTOOLS_SERVICE_NAME",
    "POWERTOOLS_METRICS_NAMESPACE",
    "POWERTOOLS_LOG_LEVEL",
    "OPENBLAS_NUM_THREADS",
}


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_no_secret_is_in_a_template(deployments, deployment):
    for name, template in deployments(deployment).templates.items():
        assert SECRET.findall(json.dumps(template.body)) == [], name
        for function in template.properties("AWS::Lambda::Function"):
            assert set(function["Environment"]["Variables"]) <= VARIABLES


def test_the_search_for_secrets_would_find_one():
    for one in ('{"AuthToken": "x"}', '"{{resolve:ssm:/x}}"', '"AKIAIOSFODNN7EXAMPLE"'):
        assert SECRET.search(one)


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_every_bucket_topic_and_queue_refuses_requests_without_tls(deployments, deployment):
    for template in deployments(deployment).templates.values():
        for kind, policy, field in (
            ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "Bucket"),
            ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "Topics"),
            ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "Queues"),
        ):
            for name in template.of_type(kind):
                statements = [
                    statement
                    for one in template.properties(policy)
                    if {"Ref": name} in as_list(one[field])
                    for statement in one["PolicyDocument"]["Statement"]
                ]
                assert any(
                    one["Effect"] == "Deny"
                    and one.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
                    and one["Principal"] in ("*", {"AWS": "*"})
                    for one in statements
                ), name


def test_keys_are_those_of_aws_unless_the_deployment_has_its_own(deployments):
    assert "AWS::KMS::Key" not in json.dumps([one.body for one in deployments("prod").templates.values()])
    storage = deployments("own key")["storage"]
    (key,) = storage.of_type("AWS::KMS::Key")
    assert storage.only("AWS::KMS::Key")["EnableKeyRotation"] is True
    assert storage.only("AWS::KMS::Alias")["AliasName"] == "alias/agent-memory"
    for table in storage.properties("AWS::DynamoDB::Table"):
        assert table["SSESpecification"] == {
            "KMSMasterKeyId": {"Fn::GetAtt": [key, "Arn"]},
            "SSEEnabled": True,
            "SSEType": "KMS",
        }
    (rule,) = storage.only("AWS::S3::Bucket")["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {
        "KMSMasterKeyID": {"Fn::GetAtt": [key, "Arn"]},
        "SSEAlgorithm": "aws:kms",
    }
    cache = deployments("own key")["cache"].only("AWS::ElastiCache::ReplicationGroup")
    assert text_of(cache["KmsKeyId"]).startswith("<agent-memory-storage:")
    athena = deployments("own key")["query"].only("AWS::Athena::WorkGroup")["WorkGroupConfiguration"]
    assert athena["ResultConfiguration"]["EncryptionConfiguration"]["EncryptionOption"] == "SSE_KMS"


@pytest.mark.parametrize(("deployment", "writes_only"), [("all guards", False), ("audited writes", True)])
def test_the_trail_names_every_table_and_the_archive(deployments, deployment, writes_only):
    synthesized = deployments(deployment)
    trail = synthesized["audit"].only("AWS::CloudTrail::Trail")
    assert trail["EnableLogFileValidation"] is True
    assert "EventSelectors" not in trail
    selectors = {
        one["Name"]: {field.pop("Field"): field for field in one["FieldSelectors"]}
        for one in trail["AdvancedEventSelectors"]
    }
    assert len(selectors["Tables"]["resources.ARN"]["Equals"]) == 3
    (archive,) = selectors["Archive"]["resources.ARN"]["StartsWith"]
    assert text_of(archive).endswith("/")
    for fields in selectors.values():
        assert fields["eventCategory"]["Equals"] == ["Data"]
        assert ("readOnly" in fields) is writes_only
    bucket = synthesized["audit"].of_type("AWS::S3::Bucket")
    assert {one["DeletionPolicy"] for one in bucket.values()} == {"RetainExceptOnCreate"}


def test_settings_that_the_local_cloud_does_not_support_are_refused_there():
    local = {"profile": "local", "redis_endpoint": "127.0.0.1:6390"}
    for name, value in (("audit_trail", "all"), ("encryption_key", "own")):
        with pytest.raises(ConfigError, match=f"context key {name}: profile=local does not support it"):
            DeployConfig.from_context({**local, name: value})


def test_flow_logs_follow_the_setting(deployments):
    kinds = {
        name: [log["TrafficType"] for log in deployments(name)["cache"].properties("AWS::EC2::FlowLog")]
        for name in ("prod", "all guards", "dev with a cache")
    }
    assert kinds == {"prod": ["REJECT"], "all guards": ["ALL"], "dev with a cache": []}
