"""What a month asks of a deployment."""

import math
from dataclasses import dataclass, fields

from agent_memory.core.errors import InvalidInput

CYCLES_PER_DAY = 144
DECISIONS_PER_CYCLE = 6
HOURS_PER_MONTH = 730  # 365 days * 24 hours / 12 months, as AWS's own calculator counts
NIGHTS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A month of all agents together: thirty days, each with a night.

    Every decision gets one outcome. Decisions and outcomes go to the API in batches, reads one a request.

    Attributes:
        scenario: one line that says whose month this is.
        decisions_per_day: decisions logged a day, by all agents.
        reads: reads of decisions and memories a month, by all agents.
        agents: agents, each with a night of its own and an archive file for each day.
        batch_size: decisions, or outcomes, in one request.
        archived_days: how many days the archive has gathered; None: all that its lifecycle keeps.
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
        """Decisions a month."""
        return self.decisions_per_day * NIGHTS

    @property
    def batch_requests(self) -> float:
        """Requests a month that carry decisions or outcomes."""
        return 2 * math.ceil(self.decisions / self.batch_size)

    @property
    def requests(self) -> float:
        """Requests to the API a month."""
        return self.batch_requests + self.reads


def agent_every_ten_minutes(*, reads: float = 100_000) -> Workload:
    """One agent with a cycle every ten minutes and six decisions a cycle: 25,920 decisions in 30 days."""
    return Workload(
        scenario="One agent, a cycle every ten minutes, six decisions a cycle",
        decisions_per_day=CYCLES_PER_DAY * DECISIONS_PER_CYCLE,
        reads=reads,
    )
