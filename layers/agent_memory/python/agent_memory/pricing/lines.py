"""A month's lines, one a thing that is billed; each service's arithmetic stands here."""

from collections.abc import Iterator
from dataclasses import dataclass

from agent_memory.core.metric_names import ALL, Sent
from agent_memory.core.retention import ARCHIVE_AFTER_DAYS, HOT_DAYS
from agent_memory.pricing.deployment import Deployment
from agent_memory.pricing.prices import Charge, Prices
from agent_memory.pricing.units import MeasuredUnits
from agent_memory.pricing.workload import HOURS_PER_MONTH, NIGHTS, Workload

GIGABYTE = 2**30
FREE_DASHBOARD_METRICS = 50
_MEGABYTES_A_GIGABYTE = 1024
_DAYS_A_MONTH = 30
_OBJECTS_PER_ARCHIVED_DAY = 2  # the Parquet file and its manifest
_WRITES_A_NIGHT = 3  # evidence, report, what was pruned
_NIGHTLY_FUNCTIONS = 4  # consolidation, pruning, archival, analytics
# Start, list, whether it is empty, map, verdict and end; for each agent a start, its four functions and a result.
_STATES_A_NIGHT, _STATES_AN_AGENT = 6, 6

# S3 lifecycle leaves smaller objects where they are, and keeps this much about each object that it moves.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
_SMALLEST_GLACIER_OBJECT = 128 * 1024
_GLACIER_INDEX_BYTES = 32 * 1024
_GLACIER_NAME_BYTES = 8 * 1024


@dataclass(frozen=True, slots=True)
class Usage:
    """What a service is used for, in words, and what that costs; `assumed` names what was not measured."""

    service: str
    usage: str
    charge: Charge
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Month:
    """Everything that a month's cost depends on."""

    workload: Workload
    units: MeasuredUnits
    deployment: Deployment
    prices: Prices

    def lines(self) -> Iterator[Usage]:
        """Every line of the month, in no order."""
        yield from self._cache()
        yield from self._watching()
        yield from self._records()
        yield from self._table()
        yield from self._requests()
        yield from self._night()
        yield self._archive()

    def _cache(self) -> Iterator[Usage]:
        nodes, node_type = self.deployment.cache_nodes, self.deployment.cache_node_type
        if nodes:
            charge = self.prices.cache_node_hours(node_type, nodes * HOURS_PER_MONTH)
            yield Usage("ElastiCache", f"{_counted(nodes, 'node')} {node_type} (Valkey), all hours", charge)
        if keys := self.deployment.kms_keys:
            yield Usage("KMS", _counted(keys, "key"), self.prices.charge("kms_keys", keys))

    def _watching(self) -> Iterator[Usage]:
        deployed, charge = self.deployment, self.prices.charge
        alarms = deployed.alarm_metrics
        yield Usage("CloudWatch", _counted(alarms, "alarm"), charge("cloudwatch_alarms", alarms))
        if composite := deployed.composite_alarms:
            usage = _counted(composite, "alarm") + " on alarms"
            yield Usage("CloudWatch", usage, charge("cloudwatch_composite_alarms", composite))
        yield self._metrics()
        if deployed.dashboard_metrics:
            yield self._dashboards()

    def _records(self) -> Iterator[Usage]:
        """Logs, traces, and the calls that a trail keeps."""
        deployed, charge, requests = self.deployment, self.prices.charge, self.workload.requests
        log_bytes = requests * self.units.log_bytes
        ingested = charge("cloudwatch_logs_ingested", log_bytes / GIGABYTE)
        stored = charge("cloudwatch_logs_stored", log_bytes / GIGABYTE * deployed.log_days / _DAYS_A_MONTH)
        usage = f"{size(log_bytes)} of logs, kept {deployed.log_days} days"
        yield Usage("CloudWatch", usage, ingested + stored, ("log of the platform",))
        traces = NIGHTS + (requests if deployed.traces_requests else 0)
        what = "nights and requests" if deployed.traces_requests else "nights"
        yield Usage("X-Ray", f"{traces:,.0f} traces of {what}", charge("xray_traces", traces))
        if trails := deployed.data_trails:
            events = trails * (requests + NIGHTS * self.workload.agents)
            recorded = charge("cloudtrail_data_events", events)
            yield Usage("CloudTrail", f"{events:,.0f} data events", recorded, ("one event a request or night",))

    def _metrics(self) -> Usage:
        """Custom metrics, which are prorated by the hour and metered only when they are sent.

        https://aws.amazon.com/cloudwatch/pricing/
        """
        always = sum(metric.sent is Sent.BY_REQUESTS for metric in ALL) + self.deployment.route_metrics
        nightly = sum(metric.sent is Sent.BY_NIGHTS for metric in ALL)
        months = always + nightly * NIGHTS / HOURS_PER_MONTH
        usage = f"{always} metrics in every hour, {nightly} in an hour a night"
        return Usage("CloudWatch", usage, self.prices.charge("cloudwatch_metrics", months))

    def _dashboards(self) -> Usage:
        """Dashboards; the allowance is for those that show at most fifty metrics."""
        shown = self.deployment.dashboard_metrics
        small = sum(metrics <= FREE_DASHBOARD_METRICS for metrics in shown)
        listed = self.prices.charge("cloudwatch_dashboards", len(shown)).list_usd
        allowed = self.prices.charge("cloudwatch_dashboards", small).allowed_usd
        usage = f"{_counted(len(shown), 'dashboard')} of {', '.join(map(str, shown))} metrics"
        return Usage("CloudWatch", usage, Charge(listed, allowed))

    def _table(self) -> Iterator[Usage]:
        work, units, charge = self.workload, self.units, self.prices.charge
        writes = work.decisions * units.write_units + work.agents * NIGHTS * units.night_write_units
        reads = work.reads * units.read_units + work.decisions * units.night_read_units
        stored = work.decisions_per_day * HOT_DAYS * units.stored_bytes
        usage = (
            f"{writes:,.0f} write units: {work.decisions:,.0f} decisions at {units.write_units:,.3g}, and the nights"
        )
        yield Usage("DynamoDB", usage, charge("dynamodb_write_units", writes))
        usage = f"{reads:,.0f} read units: {work.reads:,.0f} reads at {units.read_units:,.3g}, and the nights"
        yield Usage("DynamoDB", usage, charge("dynamodb_read_units", reads))
        storage, backed_up = charge("dynamodb_storage", stored / GIGABYTE), ""
        if self.deployment.backed_up:
            storage += charge("dynamodb_pitr", stored / GIGABYTE)
            backed_up = ", with point-in-time recovery"
        yield Usage("DynamoDB", f"{size(stored)} stored ({HOT_DAYS} days){backed_up}", storage)

    def _requests(self) -> Iterator[Usage]:
        work, units, deployed, charge = self.workload, self.units, self.deployment, self.prices.charge
        usage = f"{work.requests:,.0f} requests, {work.batch_requests:,.0f} of them batches of {work.batch_size:,}"
        yield Usage("API Gateway", usage, charge("http_api_requests", work.requests))
        runs = work.requests + NIGHTS * (1 + _NIGHTLY_FUNCTIONS * work.agents)
        night_seconds = NIGHTS * work.agents * units.night_seconds
        megabyte_seconds = (
            work.requests * units.api_seconds * deployed.api_memory_mb + night_seconds * deployed.night_memory_mb
        )
        seconds = megabyte_seconds / _MEGABYTES_A_GIGABYTE
        usage = f"{runs:,.0f} requests, {seconds:,.0f} GB-seconds on arm64"
        compute = charge("lambda_requests", runs) + charge("lambda_arm_gb_seconds", seconds)
        yield Usage("Lambda", usage, compute, ("seconds",))
        sent = work.reads * units.reply_bytes
        yield Usage(
            "Data transfer", f"{size(sent)} to agents outside AWS", charge("data_transfer_out", sent / GIGABYTE)
        )

    def _night(self) -> Iterator[Usage]:
        transitions = NIGHTS * (_STATES_A_NIGHT + _STATES_AN_AGENT * self.workload.agents)
        usage = f"{transitions:,.0f} state transitions in {NIGHTS} nights"
        yield Usage("Step Functions", usage, self.prices.charge("step_functions_transitions", transitions))
        starts = self.prices.charge("scheduler_invocations", NIGHTS)
        yield Usage("EventBridge Scheduler", f"{NIGHTS} starts of a night", starts)

    def _archive(self) -> Usage:
        """The archive with all days that it has gathered, each month adding one and, when it is full, dropping one."""
        work, deployed, charge = self.workload, self.deployment, self.prices.charge
        day_bytes = work.decisions_per_day * self.units.archived_bytes
        moves = day_bytes / work.agents >= _SMALLEST_GLACIER_OBJECT
        full = deployed.expire_after_days - ARCHIVE_AFTER_DAYS
        days = full if work.archived_days is None else min(work.archived_days, full)
        glacier_days = max(0, days - (deployed.glacier_after_days - ARCHIVE_AFTER_DAYS)) if moves else 0
        moved = work.agents * glacier_days
        standard = day_bytes * (days - glacier_days) + moved * _GLACIER_NAME_BYTES
        glacier = day_bytes * glacier_days + moved * _GLACIER_INDEX_BYTES
        nights = work.agents * NIGHTS
        total = (
            charge("s3_standard", standard / GIGABYTE)
            + charge("s3_glacier_flexible", glacier / GIGABYTE)
            + charge("s3_put", nights * (_OBJECTS_PER_ARCHIVED_DAY + _WRITES_A_NIGHT))
            + charge("s3_get", nights * (1 + _WRITES_A_NIGHT))
            + charge("s3_glacier_transition", nights if glacier_days else 0)
        )
        where = f"{size(glacier)} of it in Glacier" if glacier_days else "none of it in Glacier"
        if not moves:
            where += ", whose least size is 128 KB"
        return Usage("S3", f"{size(standard + glacier)} in {days:,} days of archive, {where}", total)


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def size(number: float) -> str:
    """Bytes in the largest binary unit that leaves at least one, at most GB: `1.4 GB`, `310 MB`, `12 KB`."""
    for unit, factor in (("GB", GIGABYTE), ("MB", 2**20), ("KB", 2**10)):
        if number >= factor:
            return f"{number / factor:,.3g} {unit}" if number < 1000 * factor else f"{number / factor:,.0f} {unit}"
    return f"{number:,.0f} bytes"
