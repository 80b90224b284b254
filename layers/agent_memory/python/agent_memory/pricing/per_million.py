"""The cost of a million decisions: logged, each with its outcome, kept for a year and recalled once.

For comparison, the price of Bedrock AgentCore Memory for the same. It bills events, records and retrievals:

- as events: a decision is one event and its outcome another, kept for 365 days, the maximum. Reading events back is
  free. Nothing is learned from them, and they cannot be searched.
- as records: in addition, each decision is a long-term record, stored for twelve months and retrieved once.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from math import ceil

from agent_memory.core.retention import ARCHIVE_AFTER_DAYS, EVIDENCE_KEPT_DAYS, HOT_DAYS
from agent_memory.pricing.deployment import Deployment
from agent_memory.pricing.line_items import GIGABYTE, MonthlyUsage, counts_of, request_log_bytes
from agent_memory.pricing.measured_units import MeasuredUnits, load_units
from agent_memory.pricing.prices import Prices, load_prices
from agent_memory.pricing.workload import Workload

MILLION = 1_000_000
_DAYS_PER_MONTH = Decimal(365) / 12
_YEAR_DAYS = 365
_EVENTS_PER_DECISION = 2  # the decision and its outcome
_MONTHS_STORED = 12


@dataclass(frozen=True, slots=True)
class PerMillion:
    """US dollars for a million decisions, at list prices.

    Attributes:
        marginal: the cost of each additional million.
        at_workload: with the fixed cost of a month divided by the decisions of the workload.
        agentcore_events: AgentCore Memory, as events.
        agentcore_records: AgentCore Memory, as events and as long-term records that can be retrieved.
        fixed_usd: the fixed cost of a month.
    """

    marginal: Decimal
    at_workload: Decimal
    agentcore_events: Decimal
    agentcore_records: Decimal
    fixed_usd: Decimal

    @property
    def breaks_even_at(self) -> int:
        """Decisions per month from which this costs less than AgentCore's events."""
        return ceil(self.fixed_usd * MILLION / (self.agentcore_events - self.marginal))


def per_million(
    workload: Workload, deployment: Deployment, *, units: MeasuredUnits | None = None, prices: Prices | None = None
) -> PerMillion:
    """Compute all costs; arguments as for `monthly_cost`.

    The workload's own reads are ignored, because each decision is recalled once.
    """
    units, prices = units or load_units(), prices or load_prices()
    marginal = sum(million_by_price(workload, deployment, units=units, prices=prices).values(), Decimal(0))
    idle = replace(workload, decisions_per_day=0, reads=0)
    fixed = sum((one.charge.list_usd for one in MonthlyUsage(idle, units, deployment, prices).lines()), Decimal(0))
    events = prices["agentcore_events"].cost(_EVENTS_PER_DECISION * MILLION)
    records = prices["agentcore_records"].cost(_MONTHS_STORED * MILLION) + prices["agentcore_retrievals"].cost(MILLION)
    share = Decimal(MILLION) / Decimal(str(workload.decisions)) if workload.decisions else Decimal(0)
    return PerMillion(marginal, marginal + fixed * share, events, events + records, fixed)


def million_by_price(
    workload: Workload, deployment: Deployment, *, units: MeasuredUnits | None = None, prices: Prices | None = None
) -> dict[str, Decimal]:
    """US dollars for each additional million decisions, in batches as in the workload, by the name of the price."""
    units, prices = units or load_units(), prices or load_prices()
    batches, reads = MILLION * 2 / workload.batch_size, MILLION
    requests = batches + reads
    request_seconds = units.api_seconds + units.init_share * units.init_seconds
    counts = counts_of(MILLION, workload.batch_size) if deployment.counter_memory_mb else 0
    counter_megabyte_seconds = counts * units.counter_seconds * deployment.counter_memory_mb
    log_bytes = request_log_bytes(units, deployment, batches, reads) + counts * units.counter_log_bytes
    log_gigabytes = log_bytes / GIGABYTE
    table_gigabytes = MILLION * units.stored_bytes / GIGABYTE * float(HOT_DAYS / _DAYS_PER_MONTH)
    table_gigabytes += MILLION * units.link_bytes / GIGABYTE * _MONTHS_STORED
    archive_gigabytes = MILLION * units.archived_bytes / GIGABYTE
    archived_months = float((_YEAR_DAYS - ARCHIVE_AFTER_DAYS) / _DAYS_PER_MONTH)
    evidence_months = float(EVIDENCE_KEPT_DAYS / _DAYS_PER_MONTH) * (1 + deployment.old_versions_days)
    evidence_gigabytes = MILLION * units.evidence_bytes / GIGABYTE
    quantities = {
        "dynamodb_write_units": MILLION * units.write_units,
        "dynamodb_read_units": MILLION * (units.read_units + units.nightly_read_units),
        "dynamodb_storage": table_gigabytes,
        "dynamodb_pitr": table_gigabytes if deployment.backed_up else 0,
        "s3_standard": archive_gigabytes * archived_months + evidence_gigabytes * evidence_months,
        "http_api_requests": requests,
        "lambda_requests": requests + counts,
        "lambda_arm_gb_seconds": (requests * request_seconds * deployment.api_memory_mb + counter_megabyte_seconds)
        / 1024,
        "zone_transfer": requests * units.cache_bytes / 2 / GIGABYTE if deployment.cache_nodes else 0,
        "cloudwatch_logs_ingested": log_gigabytes,
        "cloudwatch_logs_stored": log_gigabytes * deployment.log_days / 30,
        "xray_traces": requests if deployment.traces_requests else 0,
        "data_transfer_out": MILLION * units.response_bytes / GIGABYTE,
    }
    return {name: prices.charge(name, quantity).list_usd for name, quantity in quantities.items()}
