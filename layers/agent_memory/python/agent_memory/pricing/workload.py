"""The workload of a deployment for a month."""

import math
from dataclasses import dataclass, fields

from agent_memory.core.errors import InvalidInput

CYCLES_PER_DAY = 144
DECISIONS_PER_CYCLE = 6
HOURS_PER_MONTH = 730  # 365 days * 24 hours / 12 months, as AWS's own calculator counts
DAYS_PER_MONTH = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A month of all agents together: thirty days, each with a nightly job.

    Every decision gets one outcome. Decisions and outcomes are sent to the API in batches, reads one per request.

    Attributes:
        scenario: one line that describes the workload.
        decisions_per_day: decisions logged per day, by all agents.
        reads: reads of decisions and memories per month, by all agents.
        agents: agents, each with a nightly job and an archive file per day.
        batch_size: decisions, or outcomes, per request.
        archived_days: days in the archive; None for all that its lifecycle keeps.
    """

    scenario: str
    decisions_per_day: float
    reads: float
    agents: int = 1
    batch_size: int = DECISIONS_PER_CYCLE
    archived_days: int | None = None

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self) if field.name != "scenario"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise InvalidInput(name, f"must be a finite number of at least 0, is {value!r}")
        for name in ("agents", "batch_size"):
            if getattr(self, name) < 1:
                raise InvalidInput(name, "must be at least 1")

    @property
    def decisions(self) -> float:
        """Decisions per month."""
        return self.decisions_per_day * DAYS_PER_MONTH

    @property
    def batch_requests(self) -> float:
        """Requests per month with decisions or outcomes."""
        return 2 * math.ceil(self.decisions / self.batch_size)

    @property
    def requests(self) -> float:
        """Requests to the API per month."""
        return self.batch_requests + self.reads


def agent_every_ten_minutes(*, reads: float = 100_000) -> Workload:
    """One agent with a cycle every ten minutes and six decisions per cycle: 25,920 decisions in 30 days."""
    return Workload(
        scenario="One agent, a cycle every ten minutes, six decisions per cycle",
        decisions_per_day=CYCLES_PER_DAY * DECISIONS_PER_CYCLE,
        reads=reads,
    )


def ten_agents() -> Workload:
    """Ten such agents."""
    return Workload(
        scenario="Ten agents, each with a cycle every ten minutes and six decisions per cycle",
        decisions_per_day=10 * CYCLES_PER_DAY * DECISIONS_PER_CYCLE,
        reads=1_000_000,
        agents=10,
    )


def hot_agent() -> Workload:
    """One agent with 10,000 decisions per minute in batches of a hundred, which reads one decision in a hundred."""
    per_day = 10_000 * 60 * 24
    return Workload(
        scenario="One agent, 10,000 decisions per minute in batches of 100",
        decisions_per_day=per_day,
        reads=per_day * DAYS_PER_MONTH / 100,
        batch_size=100,
    )
