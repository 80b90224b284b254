"""How many bytes the demo's decisions take as items of DynamoDB, and in the archive."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from agent_memory.core.clock import FixedClock, date_of
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.model.decisions import Decision
from agent_memory.storage.dynamodb.items import decision_item, headline_attributes
from agent_memory.storage.dynamodb.sizes import item_size
from agent_memory.storage.factory import in_memory_stores
from demo.bars import sample_bars
from demo.cycles import Cycles

_BATCH = 100
_CYCLES_A_DAY = 24


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes of the same decisions in both places; `joined_bytes` with all days in one file."""

    decisions: int
    item_bytes: int
    archive_bytes: int
    joined_bytes: int


def measured_sizes(days: int) -> Sizes:
    """Log so many days of the demo's hourly decisions with their outcomes, and archive them day by day."""
    began = datetime(2026, 7, 1, tzinfo=UTC)
    cycles = asyncio.run(Cycles.simulated(sample_bars(), began, days * _CYCLES_A_DAY + 1))
    clock = FixedClock(int((began + timedelta(days=days, hours=1)).timestamp() * 1000))
    stores = in_memory_stores(clock)
    log = DecisionLog(cycles.agent_id, stores, clock)
    whole = range(days * _CYCLES_A_DAY)
    decisions, outcomes = cycles.decisions(whole), cycles.outcomes(whole)
    for at in range(0, len(decisions), _BATCH):
        log.log(decisions[at : at + _BATCH])
    for at in range(0, len(outcomes), _BATCH):
        log.record_outcomes(outcomes[at : at + _BATCH])

    by_day: dict[date, list[Decision]] = defaultdict(list)
    for decision in log.stream(DecisionFilter(), newest_first=False):
        by_day[date_of(decision.timestamp_ms)].append(decision)
    archive = stores.archive
    if archive is None:
        raise RuntimeError("stores in memory have an archive")
    kept = [decision for of_day in by_day.values() for decision in of_day]
    return Sizes(
        decisions=len(kept),
        item_bytes=sum(map(_item_bytes, kept)),
        archive_bytes=sum(len(archive.pack(of_day).body) for of_day in by_day.values()),
        joined_bytes=len(archive.pack(kept).body),
    )


def _item_bytes(decision: Decision) -> int:
    item = decision_item(replace(decision, outcome=None))
    if decision.outcome:
        item |= headline_attributes(decision.key, decision.outcome)
    return item_size(item)
