"""Audit: CloudTrail records who accessed tables and archive, in a bucket that no function can reach."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from agent_memory.core.retention import AUDIT_GLACIER_AFTER_DAYS, EXPIRE_AFTER_DAYS
from stacks.base_stack import BaseStack
from stacks.config import DeployConfig
from stacks.constructs.acknowledge import acknowledge
from stacks.constructs.data_bucket import DataBucket, move_to_glacier
from stacks.storage_stack import StorageStack

Field = cloudtrail.CfnTrail.AdvancedFieldSelectorProperty
Selector = cloudtrail.CfnTrail.AdvancedEventSelectorProperty


class AuditStack(BaseStack):
    """A trail of data events, and its bucket.

    Management events (who changed a table, a policy or a function) are in the account's own event history, and in the
    trail that most accounts have; a second copy of them would be billed.

    Attributes:
        trail: records every call on the tables and on the archive's objects, or only writes.
        events: the bucket that CloudTrail writes to; each hour's files are signed.
    """

    def __init__(self, scope: Construct, *, config: DeployConfig, storage: StorageStack) -> None:
        super().__init__(scope, "audit", config=config, description="Agent Memory: who called what", after=[storage])
        self._trail_name = f"{config.prefix}-audit"
        self.events = self._bucket()
        self._allow_trail()
        self.trail = cloudtrail.Trail(
            self,
            "Trail",
            trail_name=self._trail_name,
            # By name only: with the bucket itself, CDK would allow CloudTrail to write for any account's trail.
            bucket=s3.Bucket.from_bucket_name(self, "EventsByName", self.events.bucket_name),
            enable_file_validation=True,
            is_multi_region_trail=False,
            include_global_service_events=False,
        )
        cfn_trail = cast("cloudtrail.CfnTrail", self.trail.node.default_child)
        cfn_trail.add_property_deletion_override("EventSelectors")
        cfn_trail.advanced_event_selectors = [
            self._selector("Tables", "AWS::DynamoDB::Table", equals=[table.table_arn for table in storage.tables]),
            self._selector("Archive", "AWS::S3::Object", starts_with=[f"{storage.archive_arn}/"]),
        ]
        self.trail.node.add_dependency(self.events)  # with its policy, which CloudTrail checks
        cdk.CfnOutput(self, "AuditBucketName", value=self.events.bucket_name, description="Bucket of the audit trail")

    def _allow_trail(self) -> None:
        """Allow CloudTrail to write for this trail, and for no other trail or account.

        https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
        """
        service = iam.ServicePrincipal("cloudtrail.amazonaws.com")
        arn = self.format_arn(service="cloudtrail", resource="trail", resource_name=self._trail_name)
        source = {"aws:SourceArn": arn, "aws:SourceAccount": self.account}
        self.events.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[service],
                actions=["s3:GetBucketAcl"],
                resources=[self.events.bucket_arn],
                conditions={"StringEquals": source},
            )
        )
        self.events.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[service],
                actions=["s3:PutObject"],
                resources=[self.events.arn_for_objects(f"AWSLogs/{self.account}/*")],
                conditions={"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control", **source}},
            )
        )

    def _selector(
        self, name: str, kind: str, *, equals: list[str] | None = None, starts_with: list[str] | None = None
    ) -> Selector:
        fields = [
            Field(field="eventCategory", equal_to=["Data"]),
            Field(field="resources.type", equal_to=[kind]),
            Field(field="resources.ARN", equal_to=equals, starts_with=starts_with),
        ]
        if self.config.audit_trail == "writes":
            fields.append(Field(field="readOnly", equal_to=["false"]))
        return Selector(name=name, field_selectors=fields)

    def _bucket(self) -> s3.Bucket:
        rule = move_to_glacier(
            "to-glacier-then-expire", after_days=AUDIT_GLACIER_AFTER_DAYS, expire_after_days=EXPIRE_AFTER_DAYS
        )
        bucket = DataBucket(self, "Events", encryption=s3.BucketEncryption.S3_MANAGED, lifecycle_rules=[rule])
        acknowledge(bucket, "AwsSolutions-S1", "The bucket holds the log itself; only CloudTrail may write to it.")
        return bucket
