"""Storage: the three tables and the archive's bucket, which hold all data that must never be lost."""

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from agent_memory.core import retention
from agent_memory.core.keys import DIGESTS
from agent_memory.storage import schema
from stacks.base_stack import BaseStack
from stacks.config import DeployConfig
from stacks.constructs.acknowledge import acknowledge
from stacks.constructs.data_bucket import DataBucket, move_to_glacier
from stacks.constructs.shared_values import exported, followed, keep_exports

# Logical ids, which must never change: CloudFormation would replace the resource, and its data would be gone.
TABLE_IDS = {schema.DECISIONS: "Decisions", schema.MEMORIES: "Memories", schema.STATES: "States"}

_ATTRIBUTE_TYPES = {"S": dynamodb.AttributeType.STRING, "N": dynamodb.AttributeType.NUMBER}

QUERY_RESULTS = "athena/"
"""Prefix in the bucket of the results of SQL over the archive."""


class StorageStack(BaseStack):
    """The tables of `agent_memory.storage.schema` and the archive.

    Attributes:
        decisions: table of decisions.
        memories: table of long-term memories.
        states: table of agent states.
        archive: bucket of archived decisions, their digests, evidence, pruned memories and reports.
        archive_name: the bucket's name, for other stacks.
        archive_arn: the bucket's ARN, for other stacks.
        decisions_stream_arn: the stream of the table of decisions, for other stacks.
        key: the key that encrypts them; None where AWS manages the keys.
    """

    def __init__(self, scope: Construct, *, config: DeployConfig) -> None:
        super().__init__(
            scope,
            "storage",
            config=config,
            description="Agent Memory: tables and archive",
        )
        self.key = self._key() if config.encryption_key == "own" else None
        self.decisions = self._table(schema.DECISIONS)
        self.memories = self._table(schema.MEMORIES)
        self.states = self._table(schema.STATES)
        self.archive = self._archive()
        cdk.CfnOutput(self, "TablePrefix", value=config.prefix, description="Begins the name of every table")
        cdk.CfnOutput(self, "ArchiveBucketName", value=self.archive.bucket_name, description="Bucket of the archive")
        cdk.CfnOutput(self, "ArchiveBucketArn", value=self.archive.bucket_arn)
        # Another bucket would be empty: what other stacks import names the bucket, so that its change is refused.
        bucket = config.archive_bucket
        self.archive_name = exported(self, "ArchiveBucketName", self.archive.bucket_name, variant=bucket)
        self.archive_arn = exported(self, "ArchiveBucketArn", self.archive.bucket_arn, variant=bucket)
        for table in self.tables:
            keep_exports(self, table.table_name, table.table_arn)
        if self.key:
            keep_exports(self, self.key.key_arn)
        # Another kind of stream has another ARN.
        stream = self.decisions.table_stream_arn
        assert stream is not None  # noqa: S101  for the type checker: the table has one
        self.decisions_stream_arn = followed(self, "DecisionsStreamArn", stream, variant=str(schema.DECISIONS.stream))

    @property
    def tables(self) -> tuple[dynamodb.Table, ...]:
        """All tables."""
        return self.decisions, self.memories, self.states

    def _key(self) -> kms.Key:
        return kms.Key(
            self,
            "Key",
            alias=f"alias/{self.config.prefix}",
            description="Tables, archive and cache of Agent Memory",
            enable_key_rotation=True,
            removal_policy=self.data_removal_policy,
        )

    def _table(self, spec: schema.Table) -> dynamodb.Table:
        # The local cloud does not support limits of throughput.
        max_reads, max_writes = (None, None) if self.config.is_local else self.config.table_limits
        table = dynamodb.Table(
            self,
            TABLE_IDS[spec],
            table_name=spec.full_name(self.config.prefix),
            partition_key=_attribute(spec.partition),
            sort_key=_attribute(spec.sort),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED if self.key else dynamodb.TableEncryption.AWS_MANAGED,
            encryption_key=self.key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=self.config.point_in_time_recovery
            ),
            time_to_live_attribute=spec.ttl_attribute,
            stream=dynamodb.StreamViewType(spec.stream) if spec.stream else None,
            # A table that is protected from deletion could not be removed when its first deployment fails: it is
            # protected after the deployment has succeeded (local.protection), and left so by a template without a word.
            deletion_protection=None if self.config.data_outlives_stack else False,
            removal_policy=self.data_removal_policy,
            max_write_request_units=max_writes,
            max_read_request_units=max_reads,
        )
        if not self.config.point_in_time_recovery:
            acknowledge(table, "AwsSolutions-DDB3", "The setting point_in_time_recovery is off, as in a dev stage.")
        for index in spec.indexes:
            table.add_global_secondary_index(
                index_name=index.name,
                partition_key=_attribute(index.partition),
                sort_key=_attribute(index.sort),
                projection_type=dynamodb.ProjectionType[index.projection],
                max_write_request_units=max_writes,
                max_read_request_units=max_reads,
            )
        return table

    def _archive(self) -> s3.Bucket:
        bucket = DataBucket(
            self,
            "Archive",
            bucket_name=self.config.archive_bucket,
            encryption=s3.BucketEncryption.KMS if self.key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=self.key,
            bucket_key_enabled=True if self.key else None,  # one request to the key for many objects
            object_lock_default_retention=self._lock(),
            lifecycle_rules=_lifecycle_rules(),
        )
        acknowledge(
            bucket,
            "AwsSolutions-S1",
            "Only this application's functions reach the bucket, and each logs what it writes; with the setting "
            "audit_trail CloudTrail records every access, in more detail than access logs.",
        )
        return bucket

    def _lock(self) -> s3.ObjectLockRetention | None:
        """Compliance mode: not even the account's root user can shorten it."""
        days = self.config.archive_lock_days
        return s3.ObjectLockRetention.compliance(cdk.Duration.days(days)) if days else None


def _attribute(key: schema.Key) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=key.name, type=_ATTRIBUTE_TYPES[key.type])


def _lifecycle_rules() -> list[s3.LifecycleRule]:
    return [
        move_to_glacier(
            "decisions-to-glacier-then-expire",
            prefix="decisions/",
            after_days=retention.GLACIER_AFTER_DAYS,
            expire_after_days=retention.EXPIRE_AFTER_DAYS,
        ),
        # Not to Glacier: a decision that is not archived yet is read together with its large parts.
        _expiring("large-parts-expire", "large/", retention.EXPIRE_AFTER_DAYS),
        # Not to Glacier: recall reads them. The nightly job removes those of expired days.
        _expiring("digests-expire", DIGESTS, retention.EXPIRE_AFTER_DAYS),
        _expiring("reports-expire", "reports/", retention.REPORTS_DAYS),
        _expiring("pruned-memories-expire", "pruned/", retention.PRUNED_DAYS),
        _expiring("query-results-expire", QUERY_RESULTS, retention.QUERY_RESULTS_DAYS),
        # As first deployed: another id would show as a change of the bucket.
        _expiring("lists-of-nights-expire", "nights/", retention.NIGHTLY_LISTS_DAYS),
        s3.LifecycleRule(
            # A late outcome rewrites its archived day; the previous version is kept for a while. Once it has expired,
            # nothing but the marker of a deletion may be left of an object.
            id="old-versions-and-abandoned-uploads",
            expired_object_delete_marker=True,
            noncurrent_version_expiration=cdk.Duration.days(retention.OLD_VERSIONS_DAYS),
            abort_incomplete_multipart_upload_after=cdk.Duration.days(retention.ABANDONED_UPLOADS_DAYS),
        ),
    ]


def _expiring(rule_id: str, prefix: str, days: int) -> s3.LifecycleRule:
    """The rule that deletes objects some days after they were written."""
    return s3.LifecycleRule(id=rule_id, prefix=prefix, expiration=cdk.Duration.days(days))
