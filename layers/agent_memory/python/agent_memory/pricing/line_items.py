"""The line items of a month: the usage of each AWS service, and its cost."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from agent_memory.core.metric_names import ALL, Frequency
from agent_memory.core.retention import ARCHIVE_AFTER_DAYS, EVIDENCE_KEPT_DAYS, EXPIRE_AFTER_DAYS, HOT_DAYS
from agent_memory.pricing.deployment import Deployment
from agent_memory.pricing.measured_units import MeasuredUnits
from agent_memory.pricing.prices import Charge, Prices
from agent_memory.pricing.workload import DAYS_PER_MONTH, HOURS_PER_MONTH, Workload

GIGABYTE = 2**30
FREE_DASHBOARD_METRICS = 50
_MEGABYTES_PER_GIGABYTE = 1024
_OBJECTS_PER_ARCHIVED_DAY = 2  # the Parquet file and its manifest
_OBJECTS_PER_JOB = 3  # evidence, report, pruned memories
_NIGHTLY_FUNCTIONS = 4  # consolidation, pruning, archival, analytics
# Start, list, check for an empty list, map, result check and end; per agent a start, four functions and a result.
_STATES_PER_RUN, _STATES_PER_AGENT = 6, 6

# DynamoDB asks KMS for a table's key, once in five minutes for each caller: the API's function and the nightly ones.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.howitworks.html
_KEY_REQUESTS_PER_HOUR = 12
_NIGHTLY_CALLERS = _NIGHTLY_FUNCTIONS + 1

# Lambda traces one request per second and 5 % of the others, which cannot be configured.
# https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
_TRACED_PER_SECOND, _TRACED_SHARE = 1, 0.05

# A new on-demand table has four partitions, each with a shard of its own in the stream, which Lambda reads separately,
# at no charge. It waits a minute for a batch of up to a thousand records.
# https://aws.amazon.com/dynamodb/pricing/on-demand/
_STREAM_SHARDS, _STREAM_WINDOWS_PER_HOUR, _STREAM_BATCH = 4, 60, 1_000

_IDLE_INITS_PER_HOUR = 6  # at most, as after a pause of ten minutes no initialized environment may be left
_SHARE_OF_OTHER_ZONE = 0.5  # the functions' subnets are in two availability zones, a node of the cache is in one

# S3 lifecycle does not move smaller objects, and stores this much metadata for each object that it moves.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
_MIN_GLACIER_OBJECT_BYTES = 128 * 1024
_GLACIER_INDEX_BYTES = 32 * 1024
_GLACIER_NAME_BYTES = 8 * 1024


@dataclass(frozen=True, slots=True)
class LineItem:
    """The usage of a service as text, and its cost; `assumed` names the inputs that were not measured."""

    service: str
    usage: str
    charge: Charge
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MonthlyUsage:
    """The inputs of a month's estimate, and the line items that follow from them."""

    workload: Workload
    units: MeasuredUnits
    deployment: Deployment
    prices: Prices

    def lines(self) -> Iterator[LineItem]:
        """Yield all line items, in no particular order."""
        yield from self._cache()
        yield from self._endpoints()
        yield from self._keys()
        yield from self._monitoring()
        yield from self._logs_and_traces()
        yield from self._table()
        yield from self._requests()
        yield from self._nightly_jobs()
        (archive, archive_usd), (others, others_usd) = self._archive(), self._evidence_and_reports()
        yield LineItem("S3", f"{archive}; {others}", archive_usd + others_usd)

    def _cache(self) -> Iterator[LineItem]:
        nodes, node_type = self.deployment.cache_nodes, self.deployment.cache_node_type
        if nodes:
            charge = self.prices.cache_node_hours(node_type, nodes * HOURS_PER_MONTH)
            yield LineItem("ElastiCache", f"{_plural(nodes, 'node')} {node_type} (Valkey), all hours", charge)
            transferred = self.workload.requests * self.units.cache_bytes * _SHARE_OF_OTHER_ZONE
            yield LineItem(
                "Data transfer",
                f"{size(transferred)} between availability zones, to the cache",
                self.prices.charge("zone_transfer", transferred / GIGABYTE),
                ("bytes",),
            )

    def _endpoints(self) -> Iterator[LineItem]:
        """Interface endpoints of the VPC, without the bytes that they pass on, which are few."""
        if zones := self.deployment.endpoint_zones:
            charge = self.prices.charge("vpc_endpoint_hours", zones * HOURS_PER_MONTH)
            yield LineItem("VPC", f"interface endpoints in {_plural(zones, 'zone')}, all hours", charge)

    def _keys(self) -> Iterator[LineItem]:
        """Keys of the account's own, and the requests for the keys of tables, which AWS charges for either kind."""
        if keys := self.deployment.kms_keys:
            yield LineItem("KMS", _plural(keys, "key"), self.prices.charge("kms_keys", keys))
        if tables := self.deployment.kms_tables:
            per_table = _KEY_REQUESTS_PER_HOUR * HOURS_PER_MONTH + _NIGHTLY_CALLERS * DAYS_PER_MONTH
            requests = tables * per_table
            if self.deployment.counter_memory_mb:  # Lambda reads the stream of one table as one more caller
                requests += _KEY_REQUESTS_PER_HOUR * HOURS_PER_MONTH
            usage = f"at most {requests:,} requests for the keys of {_plural(tables, 'table')}"
            yield LineItem("KMS", usage, self.prices.charge("kms_requests", requests))

    def _monitoring(self) -> Iterator[LineItem]:
        deployed, charge = self.deployment, self.prices.charge
        alarms = deployed.alarm_metrics
        yield LineItem("CloudWatch", _plural(alarms, "alarm"), charge("cloudwatch_alarms", alarms))
        if composite := deployed.composite_alarms:
            usage = _plural(composite, "composite alarm")
            yield LineItem("CloudWatch", usage, charge("cloudwatch_composite_alarms", composite))
        yield self._metrics()
        if deployed.dashboard_metrics:
            yield self._dashboards()

    def _logs_and_traces(self) -> Iterator[LineItem]:
        """Logs, traces and the data events of trails."""
        deployed, charge, requests = self.deployment, self.prices.charge, self.workload.requests
        jobs = DAYS_PER_MONTH * self.workload.agents
        log_bytes = request_log_bytes(self.units, deployed, self.workload.batch_requests, self.workload.reads)
        log_bytes += jobs * self.units.nightly_log_bytes + self._counts() * self.units.counter_log_bytes
        ingested = charge("cloudwatch_logs_ingested", log_bytes / GIGABYTE)
        stored = charge("cloudwatch_logs_stored", log_bytes / GIGABYTE * deployed.log_days / DAYS_PER_MONTH)
        usage = f"{size(log_bytes)} of logs, kept {deployed.log_days} days"
        yield LineItem("CloudWatch", usage, ingested + stored, ("access log",))
        traces = DAYS_PER_MONTH + jobs + (traced_requests(requests) if deployed.traces_requests else 0)
        what = "requests and nightly jobs" if deployed.traces_requests else "nightly jobs"
        yield LineItem("X-Ray", f"{traces:,.0f} traces of {what}", charge("xray_traces", traces))
        if trails := deployed.data_trails:
            events = trails * (requests + jobs)
            recorded = charge("cloudtrail_data_events", events)
            yield LineItem("CloudTrail", f"{events:,.0f} data events", recorded, ("one event per request and job",))

    def _metrics(self) -> LineItem:
        """Custom metrics, which are charged for the hours in which they are sent.

        https://aws.amazon.com/cloudwatch/pricing/
        """
        always = sum(metric.frequency is Frequency.HOURLY for metric in ALL) + self.deployment.route_metrics
        nightly = sum(metric.frequency is Frequency.NIGHTLY for metric in ALL)
        months = always + nightly * DAYS_PER_MONTH / HOURS_PER_MONTH
        usage = f"{always} metrics every hour, {nightly} for one hour per day"
        return LineItem("CloudWatch", usage, self.prices.charge("cloudwatch_metrics", months))

    def _dashboards(self) -> LineItem:
        """Dashboards; the allowance covers those with at most fifty metrics."""
        sizes = self.deployment.dashboard_metrics
        small = sum(metrics <= FREE_DASHBOARD_METRICS for metrics in sizes)
        listed = self.prices.charge("cloudwatch_dashboards", len(sizes)).list_usd
        allowed = self.prices.charge("cloudwatch_dashboards", small).allowed_usd
        usage = f"{_plural(len(sizes), 'dashboard')} of {', '.join(map(str, sizes))} metrics"
        return LineItem("CloudWatch", usage, Charge(listed, allowed))

    def _table(self) -> Iterator[LineItem]:
        work, units, charge = self.workload, self.units, self.prices.charge
        writes = work.decisions * units.write_units + work.agents * DAYS_PER_MONTH * units.nightly_write_units
        reads = work.reads * units.read_units + work.decisions * units.nightly_read_units
        reads += work.agents * DAYS_PER_MONTH * units.nightly_other_read_units
        stored = work.decisions_per_day * HOT_DAYS * units.stored_bytes
        archived_days = EXPIRE_AFTER_DAYS if work.archived_days is None else work.archived_days
        link_days = min(ARCHIVE_AFTER_DAYS + archived_days, EXPIRE_AFTER_DAYS)
        links = work.decisions_per_day * link_days * units.link_bytes
        usage = (
            f"{writes:,.0f} write units: {work.decisions:,.0f} decisions at {units.write_units:,.3g}, and nightly jobs"
        )
        yield LineItem("DynamoDB", usage, charge("dynamodb_write_units", writes))
        usage = f"{reads:,.0f} read units: {work.reads:,.0f} reads at {units.read_units:,.3g}, and nightly jobs"
        yield LineItem("DynamoDB", usage, charge("dynamodb_read_units", reads))
        gigabytes = (stored + links) / GIGABYTE
        storage, backed_up = charge("dynamodb_storage", gigabytes), ""
        if self.deployment.backed_up:
            storage += charge("dynamodb_pitr", gigabytes)
            backed_up = ", with point-in-time recovery"
        usage = f"{size(stored)} stored ({HOT_DAYS} days), {size(links)} of links ({link_days:,} days){backed_up}"
        yield LineItem("DynamoDB", usage, storage)

    def _requests(self) -> Iterator[LineItem]:
        work, units, deployed, charge = self.workload, self.units, self.deployment, self.prices.charge
        usage = f"{work.requests:,.0f} requests, {work.batch_requests:,.0f} of them batches of {work.batch_size:,}"
        yield LineItem("API Gateway", usage, charge("http_api_requests", work.requests))
        counts = self._counts()
        counter_inits = min(counts, _STREAM_SHARDS * _IDLE_INITS_PER_HOUR * HOURS_PER_MONTH)
        counter_seconds = counts * units.counter_seconds + counter_inits * units.counter_init_seconds
        runs = work.requests + counts + DAYS_PER_MONTH * (1 + _NIGHTLY_FUNCTIONS * work.agents)
        nightly_seconds = DAYS_PER_MONTH * work.agents * units.nightly_seconds
        inits = min(work.requests, _IDLE_INITS_PER_HOUR * HOURS_PER_MONTH) + work.requests * units.init_share
        api_seconds = work.requests * units.api_seconds + inits * units.init_seconds
        megabyte_seconds = (
            api_seconds * deployed.api_memory_mb
            + nightly_seconds * deployed.nightly_memory_mb
            + counter_seconds * deployed.counter_memory_mb
        )
        seconds = megabyte_seconds / _MEGABYTES_PER_GIGABYTE
        usage = (
            f"{runs:,.0f} requests, {inits + counter_inits:,.0f} initializations, {seconds:,.0f} GB-seconds on arm64"
        )
        compute = charge("lambda_requests", runs) + charge("lambda_arm_gb_seconds", seconds)
        yield LineItem("Lambda", usage, compute, ("seconds", "initializations"))
        sent = work.reads * units.response_bytes
        yield LineItem(
            "Data transfer", f"{size(sent)} to agents outside AWS", charge("data_transfer_out", sent / GIGABYTE)
        )

    def _counts(self) -> float:
        """Invocations of the function that counts decisions, at most."""
        if not self.deployment.counter_memory_mb:
            return 0
        windows = _STREAM_SHARDS * HOURS_PER_MONTH * _STREAM_WINDOWS_PER_HOUR
        batches = min(counts_of(self.workload.decisions, self.workload.batch_size), windows)
        return max(batches, self.workload.decisions / _STREAM_BATCH)

    def _nightly_jobs(self) -> Iterator[LineItem]:
        transitions = DAYS_PER_MONTH * (_STATES_PER_RUN + _STATES_PER_AGENT * self.workload.agents)
        usage = f"{transitions:,.0f} state transitions in {DAYS_PER_MONTH} runs"
        yield LineItem("Step Functions", usage, self.prices.charge("step_functions_transitions", transitions))
        starts = self.prices.charge("scheduler_invocations", DAYS_PER_MONTH)
        yield LineItem("EventBridge Scheduler", f"{DAYS_PER_MONTH} invocations", starts)

    def _archive(self) -> tuple[str, Charge]:
        """The archive, with all its days stored for the whole month, and the requests of the nightly jobs."""
        work, deployed, charge = self.workload, self.deployment, self.prices.charge
        day_bytes = work.decisions_per_day * self.units.archived_bytes
        is_moved = day_bytes / work.agents >= _MIN_GLACIER_OBJECT_BYTES
        full = deployed.expire_after_days - ARCHIVE_AFTER_DAYS
        days = full if work.archived_days is None else min(work.archived_days, full)
        glacier_days = max(0, days - (deployed.glacier_after_days - ARCHIVE_AFTER_DAYS)) if is_moved else 0
        moved = work.agents * glacier_days
        standard = day_bytes * (days - glacier_days) + moved * _GLACIER_NAME_BYTES
        glacier = day_bytes * glacier_days + moved * _GLACIER_INDEX_BYTES
        jobs = work.agents * DAYS_PER_MONTH
        total = (
            charge("s3_standard", standard / GIGABYTE)
            + charge("s3_glacier_flexible", glacier / GIGABYTE)
            + charge("s3_put", jobs * (_OBJECTS_PER_ARCHIVED_DAY + _OBJECTS_PER_JOB))
            + charge("s3_get", jobs * (1 + _OBJECTS_PER_JOB))
            + charge("s3_glacier_transition", jobs if glacier_days else 0)
        )
        where = f"{size(glacier)} of it in Glacier" if glacier_days else "none of it in Glacier"
        if not is_moved:
            where += ", which has a minimum object size of 128 KB"
        return f"{size(standard + glacier)} in {days:,} days of archive, {where}", total

    def _evidence_and_reports(self) -> tuple[str, Charge]:
        """What the nightly job writes again every day, with the versions that it replaced, and the daily reports."""
        work, deployed, units = self.workload, self.deployment, self.units
        versions = 1 + deployed.old_versions_days
        evidence = work.decisions_per_day * EVIDENCE_KEPT_DAYS * units.evidence_bytes * versions
        reports = work.agents * deployed.reports_days * units.report_bytes
        usage = (
            f"{size(evidence)} of evidence in {versions} versions, {size(reports)} of reports of "
            f"{deployed.reports_days:,} days"
        )
        return usage, self.prices.charge("s3_standard", (evidence + reports) / GIGABYTE)


def request_log_bytes(units: MeasuredUnits, deployment: Deployment, batches: float, reads: float) -> float:
    """Bytes that API Gateway, Lambda and the API's function log for a number of batches and reads."""
    by_aws = units.access_log_bytes + (units.invocation_log_bytes if deployment.logs_invocations else 0)
    return batches * (units.batch_log_bytes + by_aws) + reads * (units.read_log_bytes + by_aws)


def counts_of(decisions: float, batch_size: int) -> float:
    """Invocations of the function that counts decisions, for batches that come minutes apart."""
    return min(decisions, _STREAM_SHARDS * math.ceil(decisions / batch_size))


def traced_requests(requests: float) -> float:
    """How many of a month's requests are traced at most: they come one by one, and not several in a second."""
    one_by_one = min(requests, _TRACED_PER_SECOND * HOURS_PER_MONTH * 3600)
    return one_by_one + (requests - one_by_one) * _TRACED_SHARE


def _plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size(number: float) -> str:
    """Bytes in the largest binary unit that leaves at least one, at most GB: `1.4 GB`, `310 MB`, `12 KB`."""
    for unit, factor in (("GB", GIGABYTE), ("MB", 2**20), ("KB", 2**10)):
        if number >= factor:
            return f"{number / factor:,.3g} {unit}" if number < 1000 * factor else f"{number / factor:,.0f} {unit}"
    return f"{number:,.0f} bytes"
