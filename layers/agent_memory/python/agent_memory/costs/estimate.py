"""A month's cost, one line a thing that is billed."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from agent_memory.costs.prices import Prices
from agent_memory.costs.workload import Workload
from agent_memory.retention import EXPIRE_AFTER_DAYS, GLACIER_AFTER_DAYS, HOT_DAYS

_CENT = Decimal("0.01")
_GIGABYTE = 2**30
_NIGHTLY_FUNCTIONS = 4  # consolidation, pruning, archival, analytics
_OBJECTS_PER_ARCHIVED_DAY = 2  # the Parquet file and its manifest

# S3 lifecycle leaves smaller objects where they are, and keeps this much about each object that it moves.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
_SMALLEST_GLACIER_OBJECT = 128 * 1024
_GLACIER_INDEX_BYTES = 32 * 1024
_GLACIER_NAME_BYTES = 8 * 1024


@dataclass(frozen=True, slots=True)
class CostLine:
    """One thing that is billed; `monthly_usd` is rounded up to the cent."""

    service: str
    usage: str
    monthly_usd: Decimal


@dataclass(frozen=True, slots=True)
class Cost:
    """A month's lines and what they add up to."""

    scenario: str
    price_date: str
    lines: tuple[CostLine, ...]
    notes: tuple[str, ...]

    @property
    def total_usd(self) -> Decimal:
        """Sum of the lines as they are shown."""
        return sum((line.monthly_usd for line in self.lines), Decimal(0))

    def as_dict(self) -> dict[str, object]:
        """The report's `cost` section, plain JSON types only."""
        return {
            "scenario": self.scenario,
            "price_date": self.price_date,
            "lines": [
                {"service": line.service, "usage": line.usage, "monthly_usd": float(line.monthly_usd)}
                for line in self.lines
            ],
            "total_usd": float(self.total_usd),
            "notes": list(self.notes),
        }


def monthly_cost(workload: Workload, prices: Prices) -> Cost:
    """Cost of a month at list prices, no free allowance subtracted.

    Each line is rounded up to the cent, so that the lines shown add up to the total shown.
    """
    lines = (
        *_cache(workload, prices),
        *_observability(workload, prices),
        *_table(workload, prices),
        *_requests(workload, prices),
        *_night(workload, prices),
        _archive(workload, prices),
    )
    ordered = sorted(lines, key=lambda line: line.monthly_usd, reverse=True)
    return Cost(workload.scenario, _price_date(prices), tuple(ordered), _notes(prices))


def _cache(workload: Workload, prices: Prices) -> tuple[CostLine, ...]:
    hours = workload.cache_node_hours
    usage = f"{hours:,.0f} hours of a cache.t4g.micro node (Valkey)"
    usd = prices["valkey_t4g_micro_hours"].of(hours)
    return (_line(workload, "ElastiCache", usage, usd, "cache_node_hours"),)


def _observability(workload: Workload, prices: Prices) -> tuple[CostLine, ...]:
    gigabytes = workload.log_bytes / _GIGABYTE
    logs = prices["cloudwatch_logs_ingested"].of(gigabytes) + prices["cloudwatch_logs_stored"].of(gigabytes)
    logs_usage = f"{_size(workload.log_bytes)} of logs, kept a month"
    return (
        _counted(workload, prices, "dashboards"),
        _counted(workload, prices, "custom_metrics"),
        _counted(workload, prices, "alarms"),
        _line(workload, "CloudWatch", logs_usage, logs, "log_bytes"),
        _line(
            workload,
            "X-Ray",
            f"{workload.traces:,.0f} traces",
            prices["xray_traces"].of(workload.traces),
            "traces",
        ),
    )


def _counted(workload: Workload, prices: Prices, field: str) -> CostLine:
    """CloudWatch's dashboards, metrics and alarms: a price a piece."""
    count = int(getattr(workload, field))
    things = field.replace("_", " ")
    usage = f"{count:,} {things if count != 1 else things.removesuffix('s')}"
    price = prices[f"cloudwatch_{field.removeprefix('custom_')}"]
    return _line(workload, "CloudWatch", usage, price.of(count), field)


def _table(workload: Workload, prices: Prices) -> tuple[CostLine, ...]:
    nights = workload.agents * workload.nights
    writes = workload.decisions * workload.write_units_per_decision + nights * workload.nightly_write_units
    reads = workload.reads * workload.read_units_per_read + nights * workload.nightly_read_units
    stored = workload.decisions_per_day * HOT_DAYS * workload.item_bytes
    gigabytes = stored / _GIGABYTE
    storage = prices["dynamodb_storage"].of(gigabytes) + prices["dynamodb_pitr"].of(gigabytes)
    return (
        _line(
            workload,
            "DynamoDB",
            f"{writes:,.0f} write units: {workload.decisions:,.0f} decisions at "
            f"{workload.write_units_per_decision:,.3g}, and the nights",
            prices["dynamodb_write_units"].of(writes),
            "write_units_per_decision",
            "nightly_write_units",
        ),
        _line(
            workload,
            "DynamoDB",
            f"{reads:,.0f} read units: {workload.reads:,.0f} reads at {workload.read_units_per_read:,.3g}, "
            "and the nights",
            prices["dynamodb_read_units"].of(reads),
            "reads",
            "read_units_per_read",
            "nightly_read_units",
        ),
        _line(
            workload,
            "DynamoDB",
            f"{_size(stored)} stored ({HOT_DAYS} days), with point-in-time recovery",
            storage,
            "item_bytes",
        ),
    )


def _requests(workload: Workload, prices: Prices) -> tuple[CostLine, ...]:
    api = workload.batch_requests + workload.api_requests
    nightly_runs = workload.nights * (1 + _NIGHTLY_FUNCTIONS * workload.agents)
    nightly_seconds = workload.nights * workload.agents * workload.nightly_gb_seconds
    gb_seconds = api * workload.api_gb_seconds + nightly_seconds
    invocations = prices["lambda_requests"].of(api + nightly_runs)
    durations = prices["lambda_arm_gb_seconds"].of(gb_seconds)
    return (
        _line(
            workload,
            "API Gateway",
            f"{api:,.0f} requests, {workload.batch_requests:,.0f} of them batches of {workload.batch_size:,}",
            prices["http_api_requests"].of(api),
            "api_requests",
        ),
        _line(
            workload,
            "Lambda",
            f"{api + nightly_runs:,.0f} requests, {gb_seconds:,.0f} GB-seconds on arm64",
            invocations + durations,
            "api_gb_seconds",
            "nightly_gb_seconds",
        ),
    )


def _night(workload: Workload, prices: Prices) -> tuple[CostLine, ...]:
    transitions = workload.nights * workload.nightly_transitions
    return (
        _line(
            workload,
            "Step Functions",
            f"{transitions:,.0f} state transitions in {workload.nights:,} nights",
            prices["step_functions_transitions"].of(transitions),
            "nightly_transitions",
        ),
        _line(
            workload,
            "EventBridge Scheduler",
            f"{workload.nights:,} invocations",
            prices["scheduler_invocations"].of(workload.nights),
        ),
    )


def _archive(workload: Workload, prices: Prices) -> CostLine:
    """The archive at its largest: seven years full, each month adding one month and dropping one."""
    moves = workload.archive_object_bytes >= _SMALLEST_GLACIER_OBJECT
    standard_days = GLACIER_AFTER_DAYS if moves else EXPIRE_AFTER_DAYS
    glacier_days = EXPIRE_AFTER_DAYS - standard_days
    day_bytes = workload.decisions_per_day * workload.archive_bytes_per_decision
    moved_objects = workload.agents * glacier_days
    standard = day_bytes * standard_days + moved_objects * _GLACIER_NAME_BYTES
    glacier = day_bytes * glacier_days + moved_objects * _GLACIER_INDEX_BYTES
    archived = workload.agents * workload.nights
    usd = (
        prices["s3_standard"].of(standard / _GIGABYTE)
        + prices["s3_glacier_flexible"].of(glacier / _GIGABYTE)
        + prices["s3_put"].of(archived * _OBJECTS_PER_ARCHIVED_DAY)
        + prices["s3_get"].of(archived)
        + (prices["s3_glacier_transition"].of(archived) if moves else 0)
    )
    where = f"{_size(glacier)} of it in Glacier" if moves else "objects too small for Glacier"
    usage = f"{_size(standard + glacier)}, the archive after seven years, {where}"
    return _line(workload, "S3", usage, usd, "archive_bytes_per_decision")


def _line(workload: Workload, service: str, usage: str, usd: Decimal, *inputs: str) -> CostLine:
    assumed = [name.replace("_", " ") for name in inputs if name in workload.assumed]
    text = f"{usage} (assumed: {', '.join(assumed)})" if assumed else usage
    return CostLine(service, text, usd.quantize(_CENT, rounding=ROUND_CEILING))


def _size(size: float) -> str:
    """Bytes in the largest binary unit that leaves at least one, at most GB: `1.4 GB`, `310 MB`, `12 KB`."""
    for unit, factor in (("GB", _GIGABYTE), ("MB", 2**20), ("KB", 2**10)):
        if size >= factor:
            return f"{size / factor:,.3g} {unit}" if size < 1000 * factor else f"{size / factor:,.0f} {unit}"
    return f"{size:,.0f} bytes"


def _price_date(prices: Prices) -> str:
    between = prices.confirmed_between
    return "no dated source" if between is None else " to ".join(between)


def _notes(prices: Prices) -> tuple[str, ...]:
    undated = ", ".join(name.replace("_", " ") for name in prices.unconfirmed)
    notes = [
        f"On-demand list prices of {prices.region}; each line is rounded up to the cent.",
        "Free allowances are not subtracted, and neither tax nor transfer to the internet is added.",
    ]
    if undated:
        notes.append(f"Prices without a dated source: {undated}.")
    return tuple(notes)
