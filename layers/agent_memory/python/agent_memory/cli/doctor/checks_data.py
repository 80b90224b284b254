"""Checks of what holds data: tables, the bucket and the key that encrypts them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

from agent_memory.cli.doctor.deployment import Absent, Deployment, Resource
from agent_memory.cli.doctor.findings import (
    DEPLOYMENT,
    RECOVERY,
    RETENTION,
    SECURITY,
    Look,
    fine,
    not_offered,
    note,
    runbook,
    wrong,
)
from agent_memory.pricing.capacity_units import PARTITION_WRITE_UNITS, write_shards_for
from agent_memory.storage.schema import DECISIONS, TABLES

_TTL = {table.name: table.ttl_attribute for table in TABLES}
_MINUTE = 60
_SHARDS_VARIABLE = "AGENT_MEMORY_WRITE_SHARDS"
_GAP = "the local cloud does not keep it"


def status(deployment: Deployment, table: Resource) -> Look:
    """Whether a table and its indexes can be used."""
    try:
        found = deployment.ask("dynamodb", "describe_table", TableName=table.name)["Table"]
    except Absent:
        return wrong("there is no such table, although its stack has it: it was deleted; restore it", RECOVERY)
    declared = {one.get("IndexName") for one in table.properties.get("GlobalSecondaryIndexes", ())}
    indexes = {one["IndexName"]: one.get("IndexStatus", "ACTIVE") for one in found.get("GlobalSecondaryIndexes", ())}
    not_active = [f"{name} {state}" for name, state in indexes.items() if state != "ACTIVE"]
    if found["TableStatus"] != "ACTIVE" or not_active:
        states = ", ".join([found["TableStatus"], *not_active])
        return wrong(f"is {states}; wait until it is ACTIVE, or look at AWS's health events", RECOVERY)
    if lost := sorted(map(str, declared - indexes.keys())):
        return wrong(f"lacks the index {', '.join(lost)}, as if it had been deleted; {table.how_to_set_back}", RECOVERY)
    return fine("ACTIVE, with its indexes")


def deletion_protection(deployment: Deployment, table: Resource) -> Look:
    """Whether a table that outlives its stack is protected from deletion."""
    is_on = deployment.ask("dynamodb", "describe_table", TableName=table.name)["Table"].get("DeletionProtectionEnabled")
    if is_on:
        return fine("on")
    if not table.is_retained:
        return note("off, as the setting keep_data says")
    return wrong("off; `make protect` switches it on", DEPLOYMENT)


def point_in_time_recovery(deployment: Deployment, table: Resource) -> Look:
    """Whether a table can be restored to any second of the last weeks, if its stack says so."""
    answer = deployment.ask("dynamodb", "describe_continuous_backups", TableName=table.name)
    backups = answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
    if backups.get("PointInTimeRecoveryStatus") == "ENABLED":
        return fine("on")
    asked = table.properties.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled")
    if not asked:
        return note("off, as the setting point_in_time_recovery says: a lost table cannot be restored", RECOVERY)
    if deployment.is_local:
        return not_offered(_GAP)
    return wrong("off, although its stack has it on, as in a restored table; switch it on again", RECOVERY)


def table_encryption(deployment: Deployment, table: Resource) -> Look:
    """Whether a table is encrypted with the deployment's own key, where it has one."""
    if not table.properties.get("SSESpecification", {}).get("KMSMasterKeyId"):
        return fine("with a key of AWS, as the setting encryption_key says")
    found = deployment.ask("dynamodb", "describe_table", TableName=table.name)["Table"].get("SSEDescription", {})
    key = found.get("KMSMasterKeyArn", "")
    if not _is_own(deployment, key):
        return wrong(f"is by {key or 'a key of AWS'}, not by that of the deployment; {table.how_to_set_back}", RECOVERY)
    return fine("with the key of the deployment")


def time_to_live(deployment: Deployment, table: Resource) -> Look:
    """Whether expired items are deleted."""
    found = deployment.ask("dynamodb", "describe_time_to_live", TableName=table.name)["TimeToLiveDescription"]
    expected = next((ttl for name, ttl in _TTL.items() if table.name.endswith(name)), "ttl")
    if found.get("TimeToLiveStatus") in ("ENABLED", "ENABLING") and found.get("AttributeName") == expected:
        return fine(f"on, by {expected}")
    return wrong(f"is not by the attribute {expected}, so that nothing expires, as in a restored table", RECOVERY)


def throttles(deployment: Deployment, table: Resource) -> Look:
    """Whether requests to a table or its indexes were throttled in the last hour, and which caps it has."""
    found = deployment.ask("dynamodb", "describe_table", TableName=table.name)["Table"]
    total = 0.0
    for kind, dimensions in product(("ReadThrottleEvents", "WriteThrottleEvents"), _dimensions(table, found)):
        total += sum(_sums(deployment, kind, dimensions, hours=1, period=3_600))
    limits = found.get("OnDemandThroughput", {})
    caps = {name: value for name, value in limits.items() if value not in (None, -1)}
    capped = f"; it is capped at {caps}" if caps else ""
    if total:
        return wrong(f"{total:,.0f} throttled requests in the last hour{capped}", runbook("tables-throttled"))
    return fine(f"none in the last hour{capped}")


def write_rate(deployment: Deployment, table: Resource) -> Look:
    """Whether the decisions of one agent may need more write shards: the busiest minute of the last day."""
    if not table.name.endswith(f"-{DECISIONS.name}"):
        return fine("its agents write little to it")
    found = deployment.ask("dynamodb", "describe_table", TableName=table.name)["Table"]
    sums = [
        one
        for dimensions in _dimensions(table, found)
        for one in _sums(deployment, "ConsumedWriteCapacityUnits", dimensions, hours=24, period=_MINUTE)
    ]
    busiest = max(sums, default=0.0) / _MINUTE
    shards, needed = _write_shards(deployment), write_shards_for(busiest)
    rate = f"up to {busiest:,.0f} write units a second in a minute of the last day"
    if needed <= shards:
        return fine(f"{rate}; write_shards is {shards}")
    return note(
        f"{rate}, and a partition accepts {PARTITION_WRITE_UNITS:,}: if most of them are of one agent and type, set "
        f"write_shards to {needed}; it is {shards}",
        runbook("tables-throttled"),
    )


def _write_shards(deployment: Deployment) -> int:
    """The setting of a deployment's functions."""
    functions = deployment.of_type("AWS::Lambda::Function")
    variables = [one.properties.get("Environment", {}).get("Variables", {}) for one in functions]
    return max((int(one[_SHARDS_VARIABLE]) for one in variables if _SHARDS_VARIABLE in one), default=1)


def _dimensions(table: Resource, description: Mapping[str, Any]) -> list[list[dict[str, str]]]:
    """The dimensions of a table's metrics, and those of each of its indexes."""
    of_table = [{"Name": "TableName", "Value": table.name}]
    indexes = [one["IndexName"] for one in description.get("GlobalSecondaryIndexes", ())]
    return [of_table, *([*of_table, {"Name": "GlobalSecondaryIndexName", "Value": name}] for name in indexes)]


def _sums(
    deployment: Deployment, metric: str, dimensions: list[dict[str, str]], *, hours: int, period: int
) -> list[float]:
    """The sums of a metric of DynamoDB in the periods of the last hours, without those that have none."""
    now = datetime.now(UTC)
    points = deployment.ask(
        "cloudwatch",
        "get_metric_statistics",
        Namespace="AWS/DynamoDB",
        MetricName=metric,
        Dimensions=dimensions,
        StartTime=now - timedelta(hours=hours),
        EndTime=now,
        Period=period,
        Statistics=["Sum"],
    )["Datapoints"]
    return [one["Sum"] for one in points]


def bucket_versions(deployment: Deployment, bucket: Resource) -> Look:
    """Whether the bucket keeps replaced and deleted objects for a while."""
    try:
        state = deployment.ask("s3", "get_bucket_versioning", Bucket=bucket.name).get("Status")
    except Absent:
        return wrong("there is no such bucket, although its stack has it: it was deleted", RECOVERY)
    if state == "Enabled":
        return fine("on")
    return wrong("off: what is deleted or replaced is lost at once; switch it on again", RECOVERY)


def bucket_encryption(deployment: Deployment, bucket: Resource) -> Look:
    """Whether objects are encrypted at rest, with the deployment's own key where it has one."""
    expected = _algorithm(bucket.properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration"))
    try:
        answer = deployment.ask("s3", "get_bucket_encryption", Bucket=bucket.name)
    except Absent:
        return not_offered(_GAP) if deployment.is_local else wrong(f"is off; {bucket.how_to_set_back}", SECURITY)
    found = _algorithm(answer["ServerSideEncryptionConfiguration"]["Rules"])
    if expected and found != expected:
        return wrong(f"is {found or 'off'}, and its stack has {expected}; {bucket.how_to_set_back}", SECURITY)
    key = _key(answer["ServerSideEncryptionConfiguration"]["Rules"])
    if expected == "aws:kms" and not _is_own(deployment, key):
        return wrong(
            f"is by {key or 'a key of AWS'}, not by that of the deployment; {bucket.how_to_set_back}", SECURITY
        )
    return fine(found)


def bucket_access(deployment: Deployment, bucket: Resource) -> Look:
    """Whether the public is kept out of the bucket."""
    try:
        found = deployment.ask("s3", "get_public_access_block", Bucket=bucket.name)["PublicAccessBlockConfiguration"]
    except Absent:
        found = {}
    names = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    off = [name for name in names if not found.get(name)]
    return wrong(f"{', '.join(off)} is off; {bucket.how_to_set_back}", SECURITY) if off else fine("blocked")


def bucket_lifecycle(deployment: Deployment, bucket: Resource) -> Look:
    """Whether the lifecycle rules are those of the stack."""
    rules = bucket.properties.get("LifecycleConfiguration", {}).get("Rules", ())
    expected = {one.get("Id"): _declared_rule(one) for one in rules if one.get("Status") == "Enabled"}
    try:
        answer = deployment.ask("s3", "get_bucket_lifecycle_configuration", Bucket=bucket.name)["Rules"]
    except Absent:
        answer = []
    found = {one.get("ID"): _active_rule(one) for one in answer if one.get("Status") == "Enabled"}
    faults = {
        "missing or off": expected.keys() - found.keys(),
        "not of the stack": found.keys() - expected.keys(),
        "changed": {name for name in expected.keys() & found.keys() if expected[name] != found[name]},
    }
    said = [f"the rules {', '.join(sorted(map(str, names)))} are {what}" for what, names in faults.items() if names]
    if said:
        return wrong(f"{'; '.join(said)}; {bucket.how_to_set_back}", RETENTION)
    return fine(f"{len(expected)} rules")


def bucket_lock(deployment: Deployment, bucket: Resource) -> Look:
    """Whether versions are locked for a while, if the setting says so."""
    if "ObjectLockConfiguration" not in bucket.properties:
        return note("there is none, as the setting archive_lock_days says")
    try:
        answer = deployment.ask("s3", "get_object_lock_configuration", Bucket=bucket.name)
    except Absent:
        answer = {}
    if answer.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled":
        return fine("on")
    return wrong(f"is off, although its stack has it on; {bucket.how_to_set_back}", RETENTION)


def key_state(deployment: Deployment, key: Resource) -> Look:
    """Whether the key that encrypts the data can be used, and is rotated."""
    found = deployment.ask("kms", "describe_key", KeyId=key.name)["KeyMetadata"]
    if found["KeyState"] == "PendingDeletion":
        return wrong(
            f"will be deleted on {found.get('DeletionDate', 'an unknown day')}, and all data with it: run "
            f"`aws kms cancel-key-deletion --key-id {key.name}`, then `aws kms enable-key`",
            RECOVERY,
        )
    if found["KeyState"] != "Enabled":
        return wrong(
            f"is {found['KeyState']}: no data can be read; run `aws kms enable-key --key-id {key.name}`", RECOVERY
        )
    if not deployment.ask("kms", "get_key_rotation_status", KeyId=key.name)["KeyRotationEnabled"]:
        if deployment.is_local:
            return not_offered(f"rotation: {_GAP}")
        return wrong(f"is not rotated; {key.how_to_set_back}", RECOVERY)
    return fine("enabled, and rotated every year")


_Rule = tuple[str, int | None, int | None, frozenset[tuple[str, int | None]]]
"""Prefix, days until objects and until old versions expire, and the days of each transition to a storage class."""


def _declared_rule(rule: Mapping[str, Any]) -> _Rule:
    """A lifecycle rule of a template."""
    old = rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays")
    steps = frozenset((one["StorageClass"], one.get("TransitionInDays")) for one in rule.get("Transitions", ()))
    return rule.get("Prefix", ""), rule.get("ExpirationInDays"), old, steps


def _active_rule(rule: Mapping[str, Any]) -> _Rule:
    """A lifecycle rule of a bucket."""
    where = rule.get("Filter", {})
    prefix = where.get("Prefix") or where.get("And", {}).get("Prefix") or rule.get("Prefix") or ""
    old = rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays")
    steps = frozenset((one["StorageClass"], one.get("Days")) for one in rule.get("Transitions", ()))
    return prefix, rule.get("Expiration", {}).get("Days"), old, steps


def _is_own(deployment: Deployment, key: str) -> bool:
    """Whether a key is one of the deployment, by its ARN or id."""
    return any(key.rpartition("/")[2] == one.name for one in deployment.of_type("AWS::KMS::Key"))


def _key(rules: Any) -> str:
    return next((str(one["ApplyServerSideEncryptionByDefault"].get("KMSMasterKeyID", "")) for one in rules), "")


def _algorithm(rules: object) -> str:
    """The algorithm of the first rule, of a template or of S3, which name the member differently."""
    names = ("ServerSideEncryptionByDefault", "ApplyServerSideEncryptionByDefault")
    for one in rules if isinstance(rules, list) else ():
        return next((str(one[name].get("SSEAlgorithm", "")) for name in names if name in one), "")
    return ""
