"""What one month asks of the services, as numbers that can be measured."""

import math
from dataclasses import dataclass, fields

from agent_memory.errors import InvalidInput

CYCLES_PER_DAY = 144
DECISIONS_PER_CYCLE = 6
HOURS_PER_MONTH = 730  # 365 days * 24 hours / 12 months, as AWS's own calculator counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A month of all agents together. Units are DynamoDB request units, sizes bytes, durations GB-seconds.

    Attributes:
        scenario: One line that says whose month this is.
        decisions_per_day: Decisions logged a day.
        write_units_per_decision: Write units of one decision's life: log, outcome, expiry; indexes included.
        reads: Reads of decisions and memories a month.
        read_units_per_read: Read units of one of them.
        item_bytes: Bytes of a decision in table and indexes, with the 100 that DynamoDB adds to each entry.
        archive_bytes_per_decision: Bytes of a decision in the Parquet archive.
        agents: Agents that have a night of their own, and an archive object for each day.
        nights: Nights a month.
        nightly_write_units: Write units of one agent's night (patterns, states, marks).
        nightly_read_units: Read units of one agent's night.
        nightly_gb_seconds: Lambda memory in GB times billed seconds of one agent's night, all functions.
        nightly_transitions: State transitions of one night, all agents.
        batch_size: Decisions, or outcomes, in one request.
        api_requests: Other requests to the HTTP API a month.
        api_gb_seconds: Lambda memory in GB times billed seconds of one API request, averaged.
        log_bytes: Bytes of log written a month.
        alarms: Alarms on one metric each.
        dashboards: Dashboards.
        custom_metrics: Custom metrics: one a name and combination of dimensions.
        cache_node_hours: Hours of `cache.t4g.micro` nodes.
        traces: X-Ray traces recorded a month.
        assumed: Names of the fields above that were assumed, not measured; each line says so.
    """

    scenario: str
    decisions_per_day: float
    write_units_per_decision: float
    reads: float
    read_units_per_read: float
    item_bytes: float
    archive_bytes_per_decision: float
    agents: int
    nights: int
    nightly_write_units: float
    nightly_read_units: float
    nightly_gb_seconds: float
    nightly_transitions: float
    batch_size: int
    api_requests: float
    api_gb_seconds: float
    log_bytes: float
    alarms: int
    dashboards: int
    custom_metrics: int
    cache_node_hours: float
    traces: float
    assumed: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        names = {field.name for field in fields(self)} - {"scenario", "assumed"}
        for name in names:
            value = getattr(self, name)
            if not math.isfinite(value) or value < 0:
                raise InvalidInput(name, f"must be a finite number of at least 0, is {value!r}")
        for name in ("agents", "batch_size"):
            if getattr(self, name) < 1:
                raise InvalidInput(name, "must be at least 1")
        unknown = self.assumed - names
        if unknown:
            raise InvalidInput("assumed", f"not fields of a workload: {', '.join(sorted(unknown))}")

    @property
    def decisions(self) -> float:
        """Decisions a month."""
        return self.decisions_per_day * self.nights

    @property
    def batch_requests(self) -> float:
        """Requests a month that carry decisions or outcomes."""
        return 2 * math.ceil(self.decisions / self.batch_size)

    @property
    def archive_object_bytes(self) -> float:
        """Bytes of one archive object: one day of one agent."""
        return self.decisions_per_day * self.archive_bytes_per_decision / self.agents


def agent_every_ten_minutes(
    *,
    write_units_per_decision: float,
    read_units_per_read: float,
    item_bytes: float,
    archive_bytes_per_decision: float,
    nightly_write_units: float,
    nightly_read_units: float,
    nightly_gb_seconds: float,
    nightly_transitions: float,
    api_gb_seconds: float,
    log_bytes: float,
    alarms: int,
    dashboards: int,
    custom_metrics: int,
    cache_nodes: int = 1,
    reads: float = 100_000,
    assumed: frozenset[str] = frozenset(),
) -> Workload:
    """One agent with a cycle every ten minutes and six decisions a cycle: 25,920 decisions in 30 days.

    Every cycle sends its decisions and the outcomes it has learned of in one request each, and every read
    goes through the API. What can be measured is the caller's to measure.
    """
    batch_requests = 2 * CYCLES_PER_DAY * 30
    return Workload(
        scenario="One agent, a cycle every ten minutes, six decisions a cycle, everything switched on",
        decisions_per_day=CYCLES_PER_DAY * DECISIONS_PER_CYCLE,
        write_units_per_decision=write_units_per_decision,
        reads=reads,
        read_units_per_read=read_units_per_read,
        item_bytes=item_bytes,
        archive_bytes_per_decision=archive_bytes_per_decision,
        agents=1,
        nights=30,
        nightly_write_units=nightly_write_units,
        nightly_read_units=nightly_read_units,
        nightly_gb_seconds=nightly_gb_seconds,
        nightly_transitions=nightly_transitions,
        batch_size=DECISIONS_PER_CYCLE,
        api_requests=reads,
        api_gb_seconds=api_gb_seconds,
        log_bytes=log_bytes,
        alarms=alarms,
        dashboards=dashboards,
        custom_metrics=custom_metrics,
        cache_node_hours=cache_nodes * HOURS_PER_MONTH,
        traces=batch_requests + reads + 30,
        assumed=assumed,
    )
