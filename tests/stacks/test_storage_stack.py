import pytest

from agent_memory.core import retention
from agent_memory.storage import schema
from tests.stacks.conftest import synthesize

TABLE = "AWS::DynamoDB::Table"


def tables(template):
    return {p["TableName"]: p for p in template.properties(TABLE)}


def keys(properties):
    return [(key["AttributeName"], key["KeyType"]) for key in properties["KeySchema"]]


def test_logical_ids_of_what_holds_data_never_change(aws, local):
    for synthesized in (aws, local):
        storage = synthesized["storage"]
        assert set(storage.of_type(TABLE)) == {"Decisions28C7D866", "MemoriesE52D0152", "StatesC1BB3AF7"}
        assert set(storage.of_type("AWS::S3::Bucket")) == {"ArchiveDA4CB258"}


@pytest.mark.parametrize("spec", schema.TABLES, ids=lambda spec: spec.name)
def test_a_table_has_the_keys_of_the_schema(aws, spec):
    table = tables(aws["storage"])[f"agent-memory-{spec.name}"]
    assert keys(table) == [(spec.partition.name, "HASH"), (spec.sort.name, "RANGE")]
    types = {one["AttributeName"]: one["AttributeType"] for one in table["AttributeDefinitions"]}
    expected = {key.name: key.type for part in (spec, *spec.indexes) for key in (part.partition, part.sort)}
    assert types == expected


@pytest.mark.parametrize("spec", schema.TABLES, ids=lambda spec: spec.name)
def test_a_table_has_the_indexes_of_the_schema(aws, spec):
    table = tables(aws["storage"])[f"agent-memory-{spec.name}"]
    indexes = {index["IndexName"]: index for index in table.get("GlobalSecondaryIndexes", [])}
    assert {name: keys(index) for name, index in indexes.items()} == {
        index.name: [(index.partition.name, "HASH"), (index.sort.name, "RANGE")] for index in spec.indexes
    }
    assert {name: index["Projection"]["ProjectionType"] for name, index in indexes.items()} == {
        index.name: index.projection for index in spec.indexes
    }


def test_the_indexes_are_those_of_the_design_but_for_that_by_outcome(aws):
    found = {
        name: {index["IndexName"]: keys(index) for index in table.get("GlobalSecondaryIndexes", [])}
        for name, table in tables(aws["storage"]).items()
    }
    assert found == {
        "agent-memory-agent_decisions": {
            "by_context": [("agent_context", "HASH"), ("timestamp", "RANGE")],
            "by_context_keys": [("agent_context_keys", "HASH"), ("timestamp", "RANGE")],
        },
        "agent-memory-agent_memory_ltm": {
            "by_confidence": [("pk", "HASH"), ("confidence", "RANGE")],
            "by_change": [("change_log", "HASH"), ("change", "RANGE")],
        },
        "agent-memory-agent_state": {},
    }


@pytest.mark.parametrize("profile", ["aws", "local"])
def test_tables_are_on_demand_recoverable_encrypted_and_have_a_ttl(profile, request):
    for table in tables(request.getfixturevalue(profile)["storage"]).values():
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert table["SSESpecification"] == {"SSEEnabled": True}
        assert table["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}


def test_in_aws_data_is_retained(aws):
    storage = aws["storage"]
    for resource in [*storage.of_type(TABLE).values(), *storage.of_type("AWS::S3::Bucket").values()]:
        assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
        assert resource["UpdateReplacePolicy"] == "Retain"


def test_a_first_deployment_that_fails_can_be_removed(deployments):
    """CloudFormation could not remove what is protected; it is protected once the deployment has succeeded."""
    for synthesized in (deployments("prod"), deployments("own key"), deployments("all guards")):
        assert not any("DeletionProtectionEnabled" in table for table in tables(synthesized["storage"]).values())
        assert not any(stack.termination_protection for stack in synthesized.app.synth().stacks)
        policies = {
            resource.get("DeletionPolicy", "Delete")
            for template in synthesized.templates.values()
            for resource in template.resources.values()
        }
        assert policies == {"Delete", "RetainExceptOnCreate"}


def test_locally_data_is_deleted_with_its_stack(local):
    storage = local["storage"]
    for resource in [*storage.of_type(TABLE).values(), *storage.of_type("AWS::S3::Bucket").values()]:
        assert resource["DeletionPolicy"] == "Delete"
    assert not any(table["DeletionProtectionEnabled"] for table in tables(storage).values())
    assert not storage.of_type("Custom::S3AutoDeleteObjects")


def test_archived_decisions_move_to_glacier_and_then_expire(aws):
    rules = aws["storage"].only("AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
    decisions = next(rule for rule in rules if rule.get("Prefix") == "decisions/")
    assert decisions["Transitions"] == [{"StorageClass": "GLACIER", "TransitionInDays": retention.GLACIER_AFTER_DAYS}]
    assert decisions["ExpirationInDays"] == retention.EXPIRE_AFTER_DAYS
    assert decisions["Status"] == "Enabled"


def test_large_parts_never_move_to_glacier(aws):
    rules = aws["storage"].only("AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
    large = next(rule for rule in rules if rule.get("Prefix") == "large/")
    assert "Transitions" not in large
    assert large["ExpirationInDays"] == retention.EXPIRE_AFTER_DAYS


def test_lists_of_agents_expire(aws):
    rules = aws["storage"].only("AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
    lists = next(rule for rule in rules if rule.get("Prefix") == "nights/")
    assert (lists["ExpirationInDays"], lists["Status"]) == (retention.NIGHTLY_LISTS_DAYS, "Enabled")


@pytest.mark.parametrize(
    ("prefix", "days"),
    [
        ("reports/", retention.REPORTS_DAYS),
        ("pruned/", retention.PRUNED_DAYS),
        ("digests/", retention.EXPIRE_AFTER_DAYS),
    ],
)
def test_what_the_nightly_job_adds_every_day_expires(aws, prefix, days):
    rules = aws["storage"].only("AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
    (rule,) = [one for one in rules if one.get("Prefix") == prefix]
    assert (rule["ExpirationInDays"], rule["Status"]) == (days, "Enabled")


def test_old_versions_and_abandoned_uploads_expire_everywhere_in_the_archive(aws):
    rules = aws["storage"].only("AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
    everywhere = next(rule for rule in rules if "Prefix" not in rule)
    assert everywhere["NoncurrentVersionExpiration"] == {"NoncurrentDays": retention.OLD_VERSIONS_DAYS}
    assert everywhere["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": retention.ABANDONED_UPLOADS_DAYS}
    assert everywhere["ExpiredObjectDeleteMarker"] is True
    assert "ExpirationInDays" not in everywhere


def test_the_archive_is_private_encrypted_and_versioned(aws):
    bucket = aws["storage"].only("AWS::S3::Bucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    encryption = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption == [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}


def test_the_archive_is_locked_only_where_the_setting_asks_for_it(aws, tmp_path):
    assert not {"ObjectLockEnabled", "ObjectLockConfiguration"} & set(aws["storage"].only("AWS::S3::Bucket"))
    locked = synthesize(tmp_path, archive_lock_days="400")["storage"]
    bucket = locked.only("AWS::S3::Bucket")
    assert bucket["ObjectLockEnabled"] is True
    assert bucket["ObjectLockConfiguration"] == {
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 400}},
    }
    assert set(locked.of_type("AWS::S3::Bucket")) == {"ArchiveDA4CB258"}
    assert bucket["LifecycleConfiguration"] == aws["storage"].only("AWS::S3::Bucket")["LifecycleConfiguration"]


def test_the_archive_answers_over_tls_only(aws):
    statements = aws["storage"].only("AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    refused = [statement for statement in statements if statement["Effect"] == "Deny"]
    assert {"Bool": {"aws:SecureTransport": "false"}} in [statement["Condition"] for statement in refused]
    assert all(statement["Principal"] == {"AWS": "*"} and statement["Action"] == "s3:*" for statement in refused)


def test_outputs_name_what_clients_need(aws):
    outputs = aws["storage"].outputs
    assert outputs["TablePrefix"]["Value"] == "agent-memory"
    assert outputs["ArchiveBucketName"]["Value"] == {"Ref": "ArchiveDA4CB258"}
    assert "Export" not in outputs["ArchiveBucketName"]


def test_only_tables_and_archive_are_retained(aws):
    kept = {
        resource["Type"]
        for template in aws.templates.values()
        for resource in template.resources.values()
        if resource.get("DeletionPolicy", "Delete") != "Delete"
    }
    assert kept == {TABLE, "AWS::S3::Bucket"}


def test_retained_resources_can_be_imported(tmp_path):
    """CloudFormation imports a retained resource by its name, which has to be plain text in the template."""
    storage = synthesize(tmp_path, archive_bucket="acme-agent-memory")["storage"]
    assert storage.only("AWS::S3::Bucket")["BucketName"] == "acme-agent-memory"
    assert all(isinstance(name, str) for name in tables(storage))


def test_the_bucket_has_no_name_unless_the_setting_names_it(aws):
    assert "BucketName" not in aws["storage"].only("AWS::S3::Bucket")
