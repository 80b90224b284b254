"""SQL over the archive: its Parquet files as an Athena table whose partitions need no crawler."""

import aws_cdk as cdk
from aws_cdk import aws_athena as athena
from aws_cdk import aws_glue as glue
from constructs import Construct

from agent_memory.storage.parquet.decision_rows import COLUMNS
from stacks.base_stack import BaseStack
from stacks.config import DeployConfig
from stacks.storage_stack import QUERY_RESULTS, StorageStack

TABLE = "archived_decisions"
_PARTITIONS = (("agent_id", "string"), ("date", "string"))
_TYPES = {
    "VARCHAR": "string",
    "BIGINT": "bigint",
    "BOOLEAN": "boolean",
    "DOUBLE": "double",
    "VARCHAR[]": "array<string>",
}
_SERDE = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
_INPUT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
_OUTPUT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
# A query that reads more is cancelled: SQL over years has to select an agent and days.
_MAX_BYTES_PER_QUERY = 10 * 1024**3


class ArchiveQueryStack(BaseStack):
    """A Glue table over the archive's Parquet files, and the Athena workgroup that queries it.

    Every query has to select an `agent_id`; `date` may be a range. The table stores no partitions: Athena computes the
    location of each from its key. A file is ordered by `decision_type` and time, so that row groups of other types are
    skipped.

    Attributes:
        database: name of the Glue database.
        workgroup: name of the Athena workgroup.
    """

    def __init__(self, scope: Construct, *, config: DeployConfig, storage: StorageStack) -> None:
        super().__init__(
            scope, "query", config=config, description="Agent Memory: SQL over the archive", after=[storage]
        )
        self.database = f"{config.prefix.replace('-', '_')}_archive"
        self.workgroup = f"{config.prefix}-archive"
        bucket = storage.archive_name
        database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=self.account,
            database_input=glue.CfnDatabase.DatabaseInputProperty(name=self.database, description="Archived decisions"),
        )
        self._table(bucket).add_resource_dependency(database)
        self._workgroup(storage)
        cdk.CfnOutput(self, "ArchiveDatabase", value=self.database, description="Glue database of the archive")
        cdk.CfnOutput(self, "ArchiveWorkgroup", value=self.workgroup, description="Athena workgroup of the archive")

    def _table(self, bucket: str) -> glue.CfnTable:
        columns = [(name, _TYPES[kind]) for name, kind in COLUMNS.items()]
        location = f"s3://{bucket}/decisions/"
        partition = "/".join(f"{name}=${{{name}}}" for name, _ in _PARTITIONS)
        return glue.CfnTable(
            self,
            "Decisions",
            catalog_id=self.account,
            database_name=self.database,
            table_input=glue.CfnTable.TableInputProperty(
                name=TABLE,
                description="Archived decisions; every query has to select an agent_id",
                table_type="EXTERNAL_TABLE",
                partition_keys=_columns(_PARTITIONS),
                parameters={
                    "EXTERNAL": "TRUE",
                    "classification": "parquet",
                    "projection.enabled": "true",
                    "projection.agent_id.type": "injected",
                    "projection.date.type": "date",
                    "projection.date.format": "yyyy-MM-dd",
                    "projection.date.range": "2020-01-01,NOW",
                    "storage.location.template": f"{location}{partition}/",
                    "read_restored_glacier_objects": "true",
                },
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    columns=_columns(columns),
                    location=location,
                    input_format=_INPUT,
                    output_format=_OUTPUT,
                    serde_info=glue.CfnTable.SerdeInfoProperty(serialization_library=_SERDE),
                ),
            ),
        )

    def _workgroup(self, storage: StorageStack) -> None:
        athena.CfnWorkGroup(
            self,
            "Workgroup",
            name=self.workgroup,
            description="SQL over the archive of Agent Memory",
            recursive_delete_option=True,
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=False,
                bytes_scanned_cutoff_per_query=_MAX_BYTES_PER_QUERY,
                result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                    output_location=f"s3://{storage.archive_name}/{QUERY_RESULTS}",
                    encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                        **_encryption(storage)
                    ),
                ),
            ),
        )


def _encryption(storage: StorageStack) -> dict[str, str]:
    if storage.key is None:
        return {"encryption_option": "SSE_S3"}
    return {"encryption_option": "SSE_KMS", "kms_key": storage.key.key_arn}


def _columns(columns: tuple[tuple[str, str], ...] | list[tuple[str, str]]) -> list[glue.CfnTable.ColumnProperty]:
    return [glue.CfnTable.ColumnProperty(name=name, type=kind) for name, kind in columns]
